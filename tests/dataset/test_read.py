from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from doppelgram.dataset.collection import Collection
from doppelgram.dataset.read import read_collection
from doppelgram.dataset.splits import own_split
from doppelgram.errors import DoppelgramError


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")
    return root


def test_folder_per_class(tmp_path: Path) -> None:
    touch(tmp_path, "cat/a.jpg", "cat/b.PNG", "dog/ç.webp", "dog/.hidden.png", "dog/notes.txt", ".git/x.png")
    collection = read_collection(tmp_path)
    assert collection.names == ["cat/a.jpg", "cat/b.PNG", "dog/ç.webp"]
    assert collection.labels.tolist() == ["cat", "cat", "dog"]
    assert collection.label == "label"
    assert "without an image's ending): 'dog/notes.txt'" in collection.notes[0]
    assert collection.paths[0] == tmp_path / "cat/a.jpg"


def test_lfw_layout_is_recognised_by_its_names(tmp_path: Path) -> None:
    touch(tmp_path, "Ann_Lee/Ann_Lee_0001.jpg", "Ann_Lee/Ann_Lee_0002.jpg", "Bo/Bo_0001.jpg")
    collection = read_collection(tmp_path)
    assert collection.label == "identity"
    assert collection.labels.tolist() == ["Ann_Lee", "Ann_Lee", "Bo"]
    assert "group" not in collection.table.columns


def test_crops_of_one_source_become_a_group(tmp_path: Path) -> None:
    names = [
        "stop/33_0.png",
        "stop/33_1.png",
        "stop/7_0.png",
        "stop/8_0.png",
        "give/33_2.png",
        "give/7_1.png",
        "give/9_0.png",
    ]
    collection = read_collection(touch(tmp_path, *names))
    groups = dict(zip(collection.names, collection.column("group"), strict=True))
    assert groups == {name: name.split("/")[1].split("_")[0] for name in names}
    assert collection.label_columns == ("label",)


@pytest.mark.parametrize("name", ["IMG_{n:04}.jpg", "{kind}_{n}.png", "DSC_{n}_{n}.jpg"])
def test_a_cameras_prefix_is_no_source(tmp_path: Path, name: str) -> None:
    paths = [f"{kind}/" + name.format(kind=kind, n=n) for kind in ("cat", "dog") for n in range(2)]
    collection = read_collection(touch(tmp_path, *paths))
    assert "group" not in collection.table.columns


def test_linked_and_closed_folders_and_our_own(tmp_path: Path) -> None:
    touch(tmp_path / "elsewhere", "a.jpg", "b.jpg")
    data = touch(tmp_path / "data", "cat/a.jpg", "run/x/log.jpg", "run/run.json")
    (data / "dog").symlink_to(tmp_path / "elsewhere")
    (data / "cat/again").symlink_to(data)
    collection = read_collection(data)
    assert set(collection.labels) == {"cat", "dog"}
    assert any("written by doppelgram): 'run'" in note for note in collection.notes)


def test_place_and_pose_with_bare_places_and_posts(tmp_path: Path) -> None:
    touch(tmp_path, "rome/star/1.jpg", "rome/_zz/0.jpg", "giza/tree/2.jpg")
    (tmp_path / "posts.csv").write_text(
        "path,place,pose,author,timestamp\nrome/star/1.jpg,rome,star,ann,2019-12-20T04:27:27Z\n"
    )
    collection = read_collection(tmp_path)
    rows = dict(zip(collection.names, collection.labels, strict=True))
    assert rows == {"rome/star/1.jpg": "rome::star", "rome/_zz/0.jpg": "", "giza/tree/2.jpg": "giza::tree"}
    assert collection.with_label("place").labels.tolist().count("rome") == 2
    by_name = collection.table.set_index("path")
    assert by_name.loc["rome/star/1.jpg", "author"] == "ann"
    assert by_name.loc["rome/star/1.jpg", "timestamp"] == pd.Timestamp("2019-12-20T04:27:27Z")
    assert pd.isna(by_name.loc["giza/tree/2.jpg", "timestamp"])


def test_flat_folder_has_no_labels(tmp_path: Path) -> None:
    collection = read_collection(touch(tmp_path, "a.jpg", "b.jpg"))
    assert collection.labels.tolist() == ["", ""]
    with pytest.raises(DoppelgramError, match="no image has a label"):
        collection.labelled()


@pytest.mark.parametrize(
    ("names", "classes"),
    [
        (("train", "val", "test"), "{part}/{kind}/{n}.png"),
        (("training", "validation", "testing"), "{part}/{kind}/{n}.png"),
        (("Train", "Valid", "Test"), "{part}/{kind}/{n}.png"),
        (("train", "test"), "{part}/{kind}/{n}.png"),
        (("train", "val", "test"), "{kind}/{part}/{n}.png"),
    ],
)
def test_parts_of_a_split_above_or_below_the_classes(tmp_path: Path, names: tuple[str, ...], classes: str) -> None:
    files = [classes.format(part=part, kind=kind, n=n) for part in names for kind in ("ox", "hen") for n in range(2)]
    collection = read_collection(touch(tmp_path, *files, "cover.jpg"))
    assert collection.label == "identity"
    assert set(collection.labels) == {"ox", "hen"}
    known = {"training": "train", "valid": "val", "validation": "val", "testing": "test"}
    for name, kind, part in zip(collection.names, collection.labels, collection.column("part"), strict=True):
        folders = [known.get(folder, folder) for folder in name.lower().split("/")]
        assert {kind, part} == set(folders[:2])
    assert any("parts of a split" in note and "train 4" in note for note in collection.notes)
    assert any("cover.jpg" in note for note in collection.notes)
    split = own_split(collection)
    assert split is not None
    assert split.counts() == {part: 4 for part in ("train", "val", "test") if part in set(collection.column("part"))}


def test_parts_of_a_split_with_images_right_inside(tmp_path: Path) -> None:
    collection = read_collection(touch(tmp_path / "a", "train/ox/1.png", "test/1.png", "test/2.png", "test/3.png"))
    assert collection.labels.tolist() == ["ox"]
    assert any("3 images outside the layout" in note for note in collection.notes)
    flat = read_collection(touch(tmp_path / "b", "train/1.png", "test/2.png"))
    assert flat.label == ""
    assert flat.column("part").tolist() == ["test", "train"]
    with pytest.raises(DoppelgramError, match="no image has a label"):
        flat.labelled()


def test_a_folder_beside_the_parts_is_refused(tmp_path: Path) -> None:
    touch(tmp_path, "train/ox/1.png", "val/ox/2.png", "attic/ox/3.png")
    with pytest.raises(DoppelgramError, match="'train' and 'val' look like the parts of a split, but 'attic'"):
        read_collection(tmp_path)


def test_what_is_called_like_a_part_and_is_none(tmp_path: Path) -> None:
    places = read_collection(touch(tmp_path / "a", "test/star/1.png", "rome/star/2.png"))
    assert places.label == "place+pose"
    assert read_collection(touch(tmp_path / "b", "rome/star/1.png", "rome/train/2.png")).label == "place+pose"
    kinds = read_collection(touch(tmp_path / "c", "train/1.png", "bus/2.png", "test/3.png"))
    assert kinds.labels.tolist() == ["bus", "test", "train"]


def test_a_stray_file_does_not_change_the_layout(tmp_path: Path) -> None:
    collection = read_collection(touch(tmp_path, "cat/a.jpg", "cat/b.jpg", "dog/c.jpg", "cover.jpg"))
    assert len(collection) == 3
    assert any("cover.jpg" in note for note in collection.notes)


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet"])
def test_tables(tmp_path: Path, ending: str) -> None:
    table = pd.DataFrame(
        {"path": ["a.jpg", "b/ü.jpg"], "species": ["ox", "hen"], "year": [1, 2], "author": ["m", None]}
    )
    file = tmp_path / f"t.{ending}"
    if ending == "parquet":
        table.to_parquet(file)
    else:
        table.to_csv(file, index=False, sep="\t" if ending == "tsv" else ",")
    collection = read_collection(file)
    assert collection.label == "species"
    assert collection.label_columns == ("species", "year")
    assert collection.column("year").tolist() == ["1", "2"]
    assert collection.column("author").tolist() == ["m", ""]
    assert collection.paths[1] == tmp_path / "b/ü.jpg"
    assert read_collection(file, root=Path("/elsewhere")).paths[0] == Path("/elsewhere/a.jpg")
    assert read_collection(file, label="year").labels.tolist() == ["1", "2"]


def test_a_file_name_with_a_newline(tmp_path: Path) -> None:
    collection = read_collection(touch(tmp_path, "cat/a\nb.jpg", "dog/c.jpg"))
    assert "cat/a\nb.jpg" in collection.names


def test_columns_from_file_names(tmp_path: Path) -> None:
    touch(tmp_path, "stop/33_0.png", "give/7_1.png")
    collection = read_collection(tmp_path, name_pattern=r"(?P<panorama>\d+)_(?P<crop>\d+)")
    assert dict(zip(collection.names, collection.column("panorama"), strict=True)) == {
        "stop/33_0.png": "33",
        "give/7_1.png": "7",
    }
    for pattern, words in (
        (r"(\d+)", "no named group"),
        (r"(?P<x>[", "not a regular"),
        (r"(?P<x>z+)", "does not occur"),
        (r"(?P<path>.)", "replace the column 'path'"),
    ):
        with pytest.raises(DoppelgramError, match=words):
            read_collection(tmp_path, name_pattern=pattern)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name,label\na.jpg,x\n", "there is no 'path' among name, label"),
        ("path,label\na.jpg,x\n,y\n", "row 3: the path is empty"),
        ("path,label\na.jpg,x\nb.jpg,x\na.jpg,y\n", "row 4: the path 'a.jpg' stands in an earlier row"),
        ("path,timestamp\na.jpg,2020-01-01\nb.jpg,yesterday\n", "row 3: timestamp 'yesterday'"),
        ("path,label\n", "no rows"),
        ("path,label, label\na.jpg,x,y\n", "'label' stands in the table twice"),
        ("", "cannot be read"),
    ],
)
def test_bad_tables_name_the_row(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "t.csv"
    file.write_text(text)
    with pytest.raises(DoppelgramError, match=words):
        read_collection(file)


def test_bad_places(tmp_path: Path) -> None:
    for path, words in ((tmp_path / "none", "no such"), (touch(tmp_path / "e", "x.txt"), "no images")):
        with pytest.raises(DoppelgramError, match=words):
            read_collection(path)
    with pytest.raises(DoppelgramError, match="expected a folder"):
        read_collection(tmp_path / "e/x.txt")
    with pytest.raises(DoppelgramError, match=r"no column .colour.*it has label"):
        read_collection(touch(tmp_path / "ok", "a/b.jpg"), label="colour")


def test_choosing_rows(tmp_path: Path) -> None:
    collection = read_collection(touch(tmp_path, "a/1.jpg", "a/2.jpg", "a/3.jpg", "b/4.jpg", "b/5.jpg", "c/6.jpg"))
    assert set(collection.labelled(min_images=2).labels) == {"a", "b"}
    assert set(collection.of_classes(["c", "nobody"]).labels) == {"c"}
    assert collection.take([5, 0]).names == ["c/6.jpg", "a/1.jpg"]
    assert len(collection) == 6
    with pytest.raises(DoppelgramError, match="no class has 4"):
        collection.labelled(min_images=4)
    with pytest.raises(DoppelgramError, match="none of the 1"):
        collection.of_classes(["nobody"])


def test_a_frame_s_index_means_nothing(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {"path": ["a.jpg", "b.jpg", "c.jpg"], "label": ["x", "y", "z"], "timestamp": ["2020-01-01", "", "2020-01-03"]}
    )
    sorted_ = table.iloc[[2, 0, 1]]
    file = tmp_path / "t.parquet"
    for frame in (
        sorted_,
        sorted_.set_axis([0, 0, 0]),
        sorted_.reset_index(),
        sorted_.set_index("path"),
        sorted_.set_index(["label", "timestamp"]),
        sorted_.rename_axis("row"),
        # pandas before 3 gives this frame two columns of one name, which nothing can read.
        *([sorted_.assign(__index_level_0__=[2, 0, 1])] if int(pd.__version__.split(".")[0]) >= 3 else []),
    ):
        frame.to_parquet(file)
        collection = read_collection(file)
        assert collection.names == ["c.jpg", "a.jpg", "b.jpg"]
        assert collection.label == "label"
        assert collection.labels.tolist() == ["z", "x", "y"]
        assert collection.table["timestamp"].dt.day.fillna(0).tolist() == [3, 1, 0]
    for name, separator in (("t.csv", ","), ("t.tsv", "\t")):
        sorted_.to_csv(tmp_path / name, sep=separator)  # writes the index as a column without a name
        pd.read_csv(tmp_path / name, sep=separator).to_csv(tmp_path / f"twice_{name}", sep=separator)
        for found in (tmp_path / name, tmp_path / f"twice_{name}"):
            collection = read_collection(found)
            assert dict(zip(collection.names, collection.labels, strict=True)) == dict(
                zip(table["path"], table["label"], strict=True)
            )
            assert collection.label_columns == ("label",)


def test_a_collection_goes_by_position(tmp_path: Path) -> None:
    table = pd.DataFrame({"path": ["b", "a"], "label": ["y", "x"]}, index=[1, 0])
    collection = Collection(tmp_path, table, "label")
    assert collection.table.index.tolist() == [0, 1]
    assert collection.names == ["b", "a"]


@pytest.mark.parametrize("rows", ["a,x,\nb,y,\n", "a,x\nb,y,\n", "a,x,,\nb,y\n", "a,x, \nb,y,,,\n"])
def test_rows_that_end_in_a_comma(tmp_path: Path, rows: str) -> None:
    (tmp_path / "t.csv").write_text("path,label\n" + rows)
    collection = read_collection(tmp_path / "t.csv")
    assert collection.names == ["a", "b"]
    assert collection.labels.tolist() == ["x", "y"]
    (tmp_path / "h.csv").write_text("path,label,,\n" + rows)  # and a header that does
    assert read_collection(tmp_path / "h.csv").label_columns == ("label",)


@pytest.mark.parametrize(("rows", "row"), [("a,x,1\nb,y,2\n", 2), ("a,x\n\nb,y,2\n", 4), ("a,x,\nb,y,2\n", 3)])
def test_values_without_a_column_are_refused(tmp_path: Path, rows: str, row: int) -> None:
    (tmp_path / "t.csv").write_text("path,label\n" + rows)
    with pytest.raises(DoppelgramError, match=f"row {row} has 3 values, the header 2"):
        read_collection(tmp_path / "t.csv")


def test_a_photo_library_has_no_labels_unless_they_are_asked_for(tmp_path: Path) -> None:
    library = touch(tmp_path / "days", "2010/01/10/a.jpg", "2010/02/11/b.jpg", "2011/02/11/c.jpg")
    assert read_collection(library).label == ""
    assert any("--label-level" in note for note in read_collection(library).notes)
    for level, labels in ((1, ["2010", "2010", "2011"]), (2, ["01", "02", "02"])):
        assert read_collection(library, label=f"level:{level}").labels.tolist() == labels
    with pytest.raises(DoppelgramError, match="no image lies 4 folders deep; --label-level is 1 to 3"):
        read_collection(library, label="level:4")
    assert read_collection(touch(tmp_path / "months", "2010/01/a.jpg", "2011/2/b.jpg")).label == ""
    assert read_collection(touch(tmp_path / "one", "2010-01-02/a.jpg", "20110203/b.jpg")).label == ""
    assert read_collection(touch(tmp_path / "poses", "rome/01/a.jpg", "giza/02/b.jpg")).label == "place+pose"


def test_what_storage_systems_and_other_programs_leave(tmp_path: Path) -> None:
    touch(tmp_path, "ox/a.jpg", "ox/@eaDir/a.jpg/T.jpg", "hen/b.heic", "hen/._b.heic", "hen/v.mp4", "hen/posts.json")
    collection = read_collection(tmp_path)
    assert collection.names == ["hen/b.heic", "ox/a.jpg"]
    for words in ("'ox/@eaDir, 1 image in it'", "'hen/._b.heic'", "'hen/v.mp4'", "'hen/posts.json'"):
        assert any(words in note for note in collection.notes)


def test_a_table_beside_images_without_labels_is_not_passed_over(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "b.jpg")
    (tmp_path / "labels.csv").write_text("path,label\na.jpg,x\nb.jpg,y\n")
    with pytest.raises(DoppelgramError, match=r"labels\.csv: this table lies beside the images"):
        read_collection(tmp_path)


def test_rows_that_say_two_things_of_an_image_are_left_aside(tmp_path: Path) -> None:
    rows = [f"{name},x" for name in "abcdefgh"]
    (tmp_path / "t.csv").write_text("path,label\n" + "\n".join([*rows, "a,x", "b,y", ",x"]))
    collection = read_collection(tmp_path / "t.csv")
    assert collection.names == ["a", *"cdefgh"]
    assert any("'t.csv: row 3', 't.csv: row 11'" in note for note in collection.notes)


def test_classes_that_are_left_aside_are_named(tmp_path: Path) -> None:
    collection = read_collection(touch(tmp_path, "ox/1.jpg", "ox/2.jpg", "hen/1.jpg")).labelled(min_images=2)
    assert any("1 class has fewer than 2 images and is left aside: 'hen'" in note for note in collection.notes)
