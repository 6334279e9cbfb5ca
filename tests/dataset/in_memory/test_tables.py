"""Data frames, Arrow tables and torch datasets as collections."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from torch.utils.data import Dataset, IterableDataset, TensorDataset

from doppelgram import Collection, DoppelgramError, SilentProgress, read_collection, save_images
from doppelgram.dataset.in_memory.collection import collection_of
from doppelgram.dataset.in_memory.kept import KeptImages
from doppelgram.dataset.in_memory.tables import rows_in_memory
from doppelgram.dataset.times import Clock
from doppelgram.images.batch import content_hash

QUIET = SilentProgress()


def _picture(seed: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (12, 16, 3), dtype=np.uint8))


def _png(seed: int) -> bytes:
    buffer = io.BytesIO()
    _picture(seed).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    found = []
    for number in range(4):
        found.append(tmp_path / f"{number}.png")
        found[-1].write_bytes(_png(number))
    return found


class Pairs(Dataset[Any]):
    """Items ``(image, label)``."""

    classes = ("ant", "bee")

    def __init__(self, items: list[Any]) -> None:
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, row: int) -> Any:
        return self.items[row]


def test_a_frame_is_read_as_the_table_file_is(files: list[Path], tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "File": [file.name for file in files],
            "species": ["ant", "ant", None, "bee"],
            "User": ["ada", "bo", "nan", "ada"],
            "Date": pd.to_datetime(["2019-06-01 00:00", "2019-06-02 12:00", None, "2020-01-01 00:00"]),
            "year": [2019, 2019, 2020, 2020],
        }
    )
    frame.to_csv(tmp_path / "table.csv", index=False)
    expected, found = read_collection(tmp_path / "table.csv"), read_collection(frame, root=tmp_path)
    pd.testing.assert_frame_equal(found.table, expected.table)
    assert found.label == expected.label == "species"
    assert found.paths == expected.paths == files
    assert found.table["timestamp"][1] == pd.Timestamp("2019-06-02 12:00", tz="UTC")
    arrow = read_collection(pa.Table.from_pandas(frame), root=tmp_path)
    pd.testing.assert_frame_equal(arrow.table, expected.table)


def test_rows_go_by_position_and_unusable_ones_are_named_by_it(files: list[Path], tmp_path: Path) -> None:
    frame = pd.DataFrame({"path": [*map(str, files), str(files[0])], "label": [*"aabb", "a"]}, index=[9, 9, 3, 2, 1])
    found = read_collection(frame)
    assert found.names == list(map(str, files))
    assert any("row 4" in note for note in found.notes)
    with pytest.raises(DoppelgramError, match=r"DataFrame: row 0: the path is empty"):
        read_collection(pd.DataFrame({"path": ["", "", "a.png"], "label": ["a", "b", "c"]}))


def test_columns_can_be_named(files: list[Path]) -> None:
    frame = pd.DataFrame({"where": files, "path": ["x", "y", "z", "w"], "what": list("aabb"), "other": list("cdcd")})
    found = read_collection(frame, columns={"path": "where", "label": "what"}, label="other")
    assert found.paths == files
    assert found.label == "other"
    assert set(found.table.columns) == {"path", "path (unused)", "label", "other"}
    with pytest.raises(DoppelgramError, match="NAME"):
        read_collection(frame, columns={"path": "nowhere"})
    with pytest.raises(DoppelgramError, match="no column holds images"):
        read_collection(frame[["what"]])


def test_vectors_and_pictures_are_left_out_and_said(files: list[Path], tmp_path: Path) -> None:
    frame = pd.DataFrame({"path": files, "vector": list(np.eye(4)), "thumbnail": [b"x"] * 4, "label": list("aabb")})
    found = read_collection(frame)
    assert list(found.table.columns) == ["path", "label"]
    assert any("vector, thumbnail" in note for note in found.notes)
    frame.assign(path=frame["path"].astype(str)).to_parquet(tmp_path / "table.parquet")
    assert list(read_collection(tmp_path / "table.parquet").table.columns) == ["path", "label"]


def test_whatever_has_arrow_s_stream_is_a_table(files: list[Path]) -> None:
    class Stream:
        def __init__(self, table: pa.Table) -> None:
            self.table = table

        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            return self.table.__arrow_c_stream__(requested_schema)

    table = pa.table({"path": list(map(str, files)), "label": list("aabb")})
    assert read_collection(Stream(table)).labels.tolist() == list("aabb")


def test_images_in_memory_have_to_be_written_first(tmp_path: Path) -> None:
    with pytest.raises(DoppelgramError, match=r"row 0: is an image in memory.*save_images"):
        read_collection(Pairs([(_picture(0), 1)]))
    assert not list(tmp_path.iterdir())


def test_images_of_every_kind_are_written_by_their_content(files: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    as_tensor = torch.tensor(np.asarray(_picture(3))).permute(2, 0, 1) / 255
    images = [_picture(0), np.asarray(_picture(1)), _png(2), as_tensor, str(files[0])]
    found = save_images(Pairs([(image, at % 2) for at, image in enumerate(images)]), folder, progress=QUIET)
    assert found.labels.tolist() == ["ant", "bee", "ant", "bee", "ant"]
    for seed, path in enumerate(found.paths[:4]):
        assert path.parent == folder
        assert np.array_equal(np.asarray(Image.open(path)), np.asarray(_picture(seed)))
    assert content_hash(found.paths[2]) == found.paths[2].stem
    assert found.paths[2].read_bytes() == _png(2)
    assert found.paths[4] == files[0]
    written = {file: file.stat().st_mtime_ns for file in folder.iterdir()}
    again = save_images(Pairs([(image, at % 2) for at, image in enumerate(images)]), folder, progress=QUIET)
    assert again.paths == found.paths
    assert {file: file.stat().st_mtime_ns for file in folder.iterdir()} == written


def test_frames_of_images_and_hugging_face_s_records(files: list[Path], tmp_path: Path) -> None:
    pictures = np.empty(3, dtype=object)
    pictures[:] = [_picture(0), _picture(1), None]
    frame = pd.DataFrame({"name": ["p", "q", "r"], "photo": pictures, "kind": ["a", "b", "c"]})
    found = save_images(frame, tmp_path / "kept", label="kind", progress=QUIET)
    assert found.labels.tolist() == ["a", "b"]
    records = [{"bytes": _png(0), "path": "x.png"}, {"bytes": None, "path": str(files[1])}]
    features = {"image": {"_type": "Image"}, "species": {"names": ["ant", "bee"], "_type": "ClassLabel"}}
    schema = {b"huggingface": json.dumps({"info": {"features": features}}).encode()}
    table = pa.table({"id": [7, 8], "image": records, "species": [1, 0]}).replace_schema_metadata(schema)
    collection = save_images(table, tmp_path / "kept", progress=QUIET)
    assert collection.label == "species"
    assert collection.labels.tolist() == ["bee", "ant"]
    assert collection.paths == [tmp_path / "kept" / f"{content_hash(files[0])}.png", files[1]]


def test_bytes_that_are_no_image_are_reported_when_they_are_read(tmp_path: Path) -> None:
    frame = pd.DataFrame({"image": [b"nothing", _png(0), _png(1)], "label": list("aab")})
    assert [path.suffix for path in save_images(frame, tmp_path, progress=QUIET).paths] == [".bin", ".png", ".png"]


def test_a_torch_dataset_of_files_is_not_written(files: list[Path]) -> None:
    class Folder(Pairs):
        def __init__(self) -> None:
            super().__init__([])
            self.samples = [(str(file), at // 2) for at, file in enumerate(files)]

        def __len__(self) -> int:
            return len(self.samples)

        def __getitem__(self, row: int) -> Any:
            raise AssertionError("no image is opened")

    found = read_collection(Folder())
    assert found.paths == files
    assert found.labels.tolist() == ["ant", "ant", "bee", "bee"]


def test_records_and_labels_without_names(tmp_path: Path) -> None:
    items = [{"image": _picture(at), "place": torch.tensor(at % 2), "author": "ada"} for at in range(3)]
    found = save_images(Pairs(items), tmp_path, progress=QUIET)
    assert found.table["place"].tolist() == ["0", "1", "0"]
    assert found.table["author"].tolist() == ["ada"] * 3
    bare = save_images(TensorDataset(torch.rand(2, 3, 8, 8), torch.tensor([4, 5])), tmp_path, progress=QUIET)
    assert bare.labels.tolist() == ["4", "5"]


@pytest.mark.parametrize(
    "wrong",
    [
        torch.full((3, 8, 8), -1.5),
        torch.zeros(3, 8, 8, dtype=torch.int64),
        torch.zeros(3, 8, 8, dtype=torch.bfloat16),
        np.zeros(9),
    ],
)
def test_what_is_no_image_is_named(wrong: Any, tmp_path: Path) -> None:
    with pytest.raises(DoppelgramError, match="row 1"):
        save_images(Pairs([(_picture(0), 0), (wrong, 1)]), tmp_path, progress=QUIET)


def test_what_is_no_collection_or_streams_is_refused() -> None:
    class Streams(IterableDataset[Any]):
        def __iter__(self) -> Any:
            yield _picture(0), 0

    class NoLength(Dataset[Any]):
        def __getitem__(self, row: int) -> Any:
            raise AssertionError("nothing is asked for")

    for endless in (Streams(), NoLength()):
        with pytest.raises(DoppelgramError, match="streams"):
            read_collection(endless)
    for other in ({}, pd.Series(["a.png"])):
        with pytest.raises(DoppelgramError, match=f"a {type(other).__name__} is no collection"):
            read_collection(other)
    for empty in (pd.DataFrame({"path": []}), Pairs([]), pa.table({"path": pa.array([], pa.string())})):
        with pytest.raises(DoppelgramError, match="no rows"):
            read_collection(empty)
    collection = read_collection(pd.DataFrame({"path": ["a.png"], "label": ["a"]}))
    assert isinstance(collection, Collection)
    assert read_collection(collection) is collection


def test_an_index_of_paths_is_a_column_as_in_a_table_file(files: list[Path], tmp_path: Path) -> None:
    frame = pd.DataFrame({"label": list("aabb")}, index=pd.Index([file.name for file in files], name="file"))
    frame.to_parquet(tmp_path / "table.parquet")
    expected = read_collection(tmp_path / "table.parquet")
    assert expected.paths == files
    for data in (frame, pa.Table.from_pandas(frame)):
        found = read_collection(data, root=tmp_path)
        pd.testing.assert_frame_equal(found.table, expected.table)
        assert found.label == "label"
    assert list(frame.columns) == ["label"]


def test_long_numbers_with_gaps_stay_whole(files: list[Path], tmp_path: Path) -> None:
    table = pa.table({"path": list(map(str, files)), "author": pa.array([17841400000000001, None, 3, 4], pa.int64())})
    pq.write_table(table, tmp_path / "table.parquet")
    for data in (table, tmp_path / "table.parquet"):
        assert read_collection(data).table["author"].tolist() == ["17841400000000001", "", "3", "4"]


def test_columns_that_have_numbers_for_names_or_one_name_twice(files: list[Path]) -> None:
    frame = pd.DataFrame([[0.5, str(file), "a"] for file in files])
    columns: list[dict[str, Any]] = [{"path": "1", "label": "2"}, {"path": 1, "label": 2}]
    for given in columns:
        assert read_collection(frame, columns=given, label="label").labels.tolist() == ["a"] * 4
    twice = pd.DataFrame([[str(file), str(file)] for file in files], columns=["path", "path"])
    with pytest.raises(DoppelgramError, match="'path' stands in it twice"):
        read_collection(twice)


def test_classes_of_a_torch_dataset_of_files_may_be_names(files: list[Path]) -> None:
    class Folder(Pairs):
        def __init__(self, classes: list[Any]) -> None:
            super().__init__(classes)
            self.samples = list(zip(map(str, files), classes, strict=True))

    assert read_collection(Folder(["ant", "bee", "ant", "bee"])).labels.tolist() == ["ant", "bee", "ant", "bee"]
    assert read_collection(Folder([np.int64(1), 0, 0, 1])).labels.tolist() == ["bee", "ant", "ant", "bee"]


def test_writing_shows_how_far_it_is(tmp_path: Path) -> None:
    pictures = np.empty(3, dtype=object)
    pictures[:] = [_picture(0), None, _picture(1)]
    steps: list[int] = []
    rows = rows_in_memory(pd.DataFrame({"image": pictures, "label": list("aab")}))
    assert rows is not None
    collection_of(rows, Clock("UTC"), keep=KeptImages(tmp_path), progress=steps.append)
    assert steps == [1, 1, 1]


def test_pixels_are_written_as_the_file_shows_them(tmp_path: Path) -> None:
    """Turned by EXIF as files are; an image that was only opened so far may be damaged."""
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    _picture(0).save(buffer, "PNG", exif=exif)
    (path,) = save_images(Pairs([(Image.open(buffer), 0)]), tmp_path, progress=QUIET).paths
    assert np.array_equal(np.asarray(Image.open(path)), np.rot90(np.asarray(_picture(0)), -1))
    cut_off = Image.open(io.BytesIO(buffer.getvalue()[:200]))
    with pytest.raises(DoppelgramError, match="row 1: truncated"):
        save_images(Pairs([(_picture(1), 0), (cut_off, 1)]), tmp_path, progress=QUIET)
