"""Collections and catalogs in the forms of other libraries, and images that are nowhere but in memory."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from PIL import Image
from torch.utils.data import Dataset

import doppelgram
from doppelgram import Catalog, DoppelgramError, SilentProgress, load_model, read_collection
from doppelgram.catalog.export.frames import column_vectors

QUIET = SilentProgress()


class InMemory(Dataset[Any]):
    """Pictures of a folder as a torch dataset has them."""

    def __init__(self, folder: Path) -> None:
        self.files = sorted(folder.rglob("*.jpg"))
        self.classes = sorted({file.parent.name for file in self.files})

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, row: int) -> Any:
        file = self.files[row]
        return Image.open(file).convert("RGB"), self.classes.index(file.parent.name)


@pytest.fixture
def model(save_model: Callable[..., Path], tmp_path: Path) -> Path:
    return save_model(tmp_path / "model")


@pytest.fixture
def folder(draw_folder: Callable[..., Path], tmp_path: Path) -> Path:
    return draw_folder(tmp_path / "pictures")


@pytest.fixture
def catalog(model: Path, folder: Path, tmp_path: Path) -> Catalog:
    table = doppelgram.to_pandas(read_collection(folder)).assign(
        timestamp=[f"2019-06-{day + 1:02}" for day in range(12)], author="ada", name="mine"
    )
    doppelgram.index(table, model, tmp_path / "catalog", progress=QUIET)
    return Catalog.open(tmp_path / "catalog")


def test_a_catalog_as_a_frame(catalog: Catalog) -> None:
    frame = doppelgram.to_pandas(catalog)
    assert list(frame.columns) == ["id", "path", "name", "label", "name (label)", "author", "timestamp", "vector"]
    assert np.array_equal(np.stack(frame["vector"].tolist()), catalog.vectors())
    assert frame["vector"][0].dtype == np.float32
    assert frame["id"].tolist() == catalog.rows(["id"])["id"].tolist()
    assert set(frame["name (label)"]) == {"mine"}
    assert frame["timestamp"].min() == pd.Timestamp("2019-06-01", tz="UTC")
    some = doppelgram.to_pandas(catalog.folder, where="label = 'class 1'", vectors=False, thumbnails=True)
    assert set(some["label"]) == {"class 1"}
    assert "vector" not in some
    assert all(picture.startswith(b"\xff\xd8") for picture in some["thumbnail"])
    again = read_collection(frame, label="label")
    assert again.labels.tolist() == frame["label"].tolist()
    assert list(map(str, again.paths)) == frame["path"].tolist()


def test_vectors_in_arrow_are_not_copied(catalog: Catalog) -> None:
    table = doppelgram.to_arrow(catalog)
    assert table.schema.field("vector").type == pa.list_(pa.float32(), 8)
    vectors = doppelgram.vectors_of(table)
    assert np.array_equal(vectors, catalog.vectors())
    (piece,) = table["vector"].chunks
    assert np.shares_memory(vectors, piece.values.to_numpy())
    assert np.array_equal(doppelgram.vectors_of(table.slice(3, 4)), vectors[3:7])
    assert np.array_equal(doppelgram.vectors_of(pa.concat_tables([table, table])), np.concatenate([vectors] * 2))
    assert np.array_equal(doppelgram.vectors_of(doppelgram.to_pandas(catalog)), vectors)


def test_vectors_of_other_types_and_none() -> None:
    lists = pa.array([[1.0, 2.0], [3.0, 4.0]], pa.list_(pa.float64()))
    assert column_vectors(lists).tolist() == [[1, 2], [3, 4]]
    for wrong in ([[1.0], [2.0, 3.0]], [[1.0, 2.0], None], [[1.0, None]], ["a"]):
        with pytest.raises(DoppelgramError, match="vectors of one length"):
            doppelgram.vectors_of(pa.table({"vector": wrong}))
    with pytest.raises(DoppelgramError, match="no column 'vector'"):
        doppelgram.vectors_of(pd.DataFrame({"a": [1]}))
    with pytest.raises(DoppelgramError, match="a str is no table"):
        doppelgram.vectors_of("catalog")


def test_a_collection_to_arrow_and_back(folder: Path) -> None:
    collection = read_collection(folder)
    back = read_collection(doppelgram.to_arrow(collection))
    assert back.paths == collection.paths
    assert back.labels.tolist() == collection.labels.tolist()


def test_embedding_is_the_same_wherever_images_are(folder: Path, model: Path) -> None:
    loaded, dataset = load_model(model), InMemory(folder)
    expected = loaded.embed_images([Image.open(file).convert("RGB") for file in dataset.files])
    frame = pd.DataFrame({"path": dataset.files})
    pictures: list[Any] = [dataset[row][0] for row in range(len(dataset))]
    for data in (
        dataset,
        folder,
        read_collection(folder),
        frame,
        pictures,
        [file.read_bytes() for file in dataset.files],
    ):
        assert np.array_equal(doppelgram.embed(data, loaded, progress=QUIET), expected), type(data)
    assert np.array_equal(doppelgram.embed(pa.Table.from_pandas(frame.astype(str)), model, progress=QUIET), expected)
    with pytest.raises(DoppelgramError, match=r"none\.jpg"):
        doppelgram.embed([folder / "none.jpg"], loaded, progress=QUIET)
    with pytest.raises(DoppelgramError, match="image 1"):
        doppelgram.embed([pictures[0], b"nothing"], loaded, progress=QUIET)


def test_images_in_memory_find_and_are_found(folder: Path, model: Path, tmp_path: Path) -> None:
    dataset = InMemory(folder)
    with pytest.raises(DoppelgramError, match="save_images"):
        doppelgram.index(dataset, model, tmp_path / "catalog", progress=QUIET)
    kept = doppelgram.save_images(dataset, tmp_path / "kept", progress=QUIET)
    for expected in (12, 0):  # the same rows, however often it is written
        kept = doppelgram.save_images(dataset, tmp_path / "kept", progress=QUIET)
        assert doppelgram.index(kept, model, tmp_path / "catalog", progress=QUIET).added == expected
    picture, code = dataset[7]
    (found,) = doppelgram.search(tmp_path / "catalog", [picture], k=1, progress=QUIET)
    assert (found.query, found.id) == ("image 0", "")
    assert found.matches[0].label == dataset.classes[code]
    assert found.matches[0].distance < 1e-6
    mixed = doppelgram.search(tmp_path / "catalog", [picture, dataset.files[7]], k=1, progress=QUIET)
    assert [answer.query for answer in mixed] == ["image 0", str(dataset.files[7])]
    assert len(doppelgram.search(tmp_path / "catalog", dataset, progress=QUIET)) == 12
    with pytest.raises(DoppelgramError, match="montage"):
        doppelgram.search(tmp_path / "catalog", [picture], montage=tmp_path / "m.png", progress=QUIET)


@pytest.mark.slow
def test_training_on_a_frame_and_on_images_in_memory(class_folder: Callable[..., Path], tmp_path: Path) -> None:
    files = sorted(class_folder(classes=3, images=8).rglob("*.png"))
    frame = pd.DataFrame({"path": files, "kind": [file.parent.name for file in files]})
    quick = ["optimiser.epochs=1", "data.size=32"]
    run = doppelgram.train(frame, "signs", tmp_path / "run", overrides=quick, progress=QUIET)
    assert run.recipe.data.label == "kind"
    assert sorted(run.collection().paths) == files
    assert doppelgram.evaluate(run, progress=QUIET)["knn_accuracy"].n > 0


def test_the_library_that_is_not_there_is_named(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(DoppelgramError, match=r"doppelgram\[datasets\]"):
        doppelgram.to_hugging_face(catalog)


def test_rows_of_a_collection_are_not_chosen_by_a_condition(folder: Path) -> None:
    collection = read_collection(folder)
    for convert in (doppelgram.to_pandas, doppelgram.to_arrow):
        with pytest.raises(DoppelgramError, match="where"):
            convert(collection, where="label = 'class 1'")
    assert len(doppelgram.to_torch(folder)) == len(collection)


def test_one_image_alone_and_a_generator_are_refused_in_a_sentence(catalog: Catalog, model: Path, folder: Path) -> None:
    files = sorted(folder.rglob("*.jpg"))
    picture = Image.open(files[0]).convert("RGB")
    loaded = load_model(model)
    for alone in (picture, np.asarray(picture), files[0].read_bytes()):
        with pytest.raises(DoppelgramError, match="one image alone"):
            doppelgram.embed(alone, loaded, progress=QUIET)
    assert np.array_equal(
        doppelgram.embed(pd.Series(files), loaded, progress=QUIET), doppelgram.embed(files, loaded, progress=QUIET)
    )
    with pytest.raises(DoppelgramError, match="row 1: there is no image"):
        doppelgram.embed(pd.DataFrame({"path": [files[0], None]}), loaded, progress=QUIET)
    with pytest.raises(DoppelgramError, match="generator has no length"):
        doppelgram.embed((file for file in files), loaded, progress=QUIET)
    for asked in (str(files[0]), picture):
        with pytest.raises(DoppelgramError, match="give a list"):
            doppelgram.search(catalog.folder, asked, progress=QUIET)
    answers = doppelgram.search(catalog.folder, read_collection(folder), k=1, progress=QUIET)
    assert [answer.query for answer in answers] == list(map(str, files))
