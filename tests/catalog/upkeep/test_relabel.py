from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from doppelgram.api.catalog import delete_images, relabel_images
from doppelgram.catalog.rows import EmbeddedImage, Entry
from doppelgram.catalog.store import Catalog
from doppelgram.catalog.upkeep.relabel import columns_of_label
from doppelgram.errors import DoppelgramError


def fill(catalog: Catalog, *labels: dict[str, str], of: tuple[str, ...] = ("label",)) -> Catalog:
    entries = [
        Entry(f"{n:064x}", f"/photos/{n}.jpg", f"{n}.jpg", "::".join(columns[name] for name in of), columns)
        for n, columns in enumerate(labels)
    ]
    catalog.add([EmbeddedImage(entry, np.full(8, n, np.float32), b"x") for n, entry in enumerate(entries)])
    return catalog


def labels_of(catalog: Catalog) -> list[tuple[str, dict[str, str]]]:
    return [(entry.label, dict(entry.columns or {})) for entry in sorted(catalog.entries(), key=lambda one: one.id)]


def test_the_label_and_its_column_change_together(catalog: Catalog, tmp_path: Path) -> None:
    fill(catalog, {"place": "Luvre", "note": "x"}, {"place": "Rom", "note": "y"}, of=("place",))
    table = tmp_path / "labels.csv"
    table.write_text("path,label\n/photos/0.jpg,Louvre\n1.jpg,\n")
    assert relabel_images(catalog.folder, table, check=True).paths == ["/photos/0.jpg"]
    assert labels_of(catalog)[0][0] == "Luvre"
    assert relabel_images(catalog.folder, table).rows == 1
    assert relabel_images(catalog.folder, table).rows == 0
    assert labels_of(catalog) == [("Louvre", {"place": "Louvre", "note": "x"}), ("Rom", {"place": "Rom", "note": "y"})]
    relabel_images(catalog.folder, where="place = 'Rom'", label="Roma", column="place")
    relabel_images(catalog.folder, where="place = 'Roma'", label="z", column="note")
    assert labels_of(catalog)[1] == ("Roma", {"place": "Roma", "note": "z"})
    relabel_images(catalog.folder, where="label = 'Roma'", label="")
    assert labels_of(catalog)[1][0] == ""
    assert catalog.vectors()[:, 0].tolist() in ([0, 1], [1, 0])


def test_labels_of_several_columns_are_made_of_them_again(catalog: Catalog) -> None:
    fill(catalog, {"pose": "sit", "place": "A"}, {"pose": "jump", "place": "B"}, of=("place", "pose"))
    assert columns_of_label(catalog.entries()) == ("place", "pose")
    relabel_images(catalog.folder, where="pose = 'sit'", label="stand", column="pose")
    assert labels_of(catalog)[0] == ("A::stand", {"pose": "stand", "place": "A"})
    with pytest.raises(DoppelgramError, match="made of place and pose"):
        relabel_images(catalog.folder, where="pose = 'stand'", label="C")


def test_what_cannot_be_used_is_named_and_nothing_is_changed(catalog: Catalog, tmp_path: Path) -> None:
    fill(catalog, {"label": "a"}, {"label": "b"})
    table = tmp_path / "t.csv"
    for text, complaint in (
        ("path,label\n/photos/0.jpg,x\nnowhere.jpg,y\n", "row 3: there is no image 'nowhere.jpg'"),
        ("path,colour\n0.jpg,red\n", "needs a column path"),
        ("path,label\n0.jpg,x\n/photos/0.jpg,y\n", "row 3: this image has another label"),
    ):
        table.write_text(text)
        with pytest.raises(DoppelgramError, match=complaint):
            relabel_images(catalog.folder, table)
    for settings in (
        {},
        {"where": "label = 'a'"},
        {"label": "x"},
        {"labels": table, "label": "x", "where": "id = 'x'"},
    ):
        with pytest.raises(DoppelgramError, match="give a table of labels, or --where with --to"):
            relabel_images(catalog.folder, **settings)  # type: ignore[arg-type]
    with pytest.raises(DoppelgramError, match="'author' is no label column"):
        relabel_images(catalog.folder, where="label = 'a'", label="x", column="author")
    assert [label for label, _ in labels_of(catalog)] == ["a", "b"]


def test_images_leave_the_versions_that_teaching_trained_too(catalog: Catalog, model_folder: Path) -> None:
    fill(catalog, {"label": "a"}, {"label": "b"})
    trained = Catalog.create(catalog.folder / "versions" / "0002" / "catalog", model_folder)
    fill(trained, {"label": "a"}, {"label": "b"})
    delete_images(catalog.folder, ["1.jpg"])
    assert [entry.name for entry in trained.entries()] == ["0.jpg"]


def test_labels_change_in_the_versions_that_teaching_trained_too(catalog: Catalog, model_folder: Path) -> None:
    fill(catalog, {"label": "a"}, {"label": "b"})
    trained = Catalog.create(catalog.folder / "versions" / "0002" / "catalog", model_folder)
    fill(trained, {"label": "a"}, {"label": "b"})
    relabel_images(catalog.folder, where="label = 'b'", label="c")
    assert labels_of(trained) == labels_of(catalog) == [("a", {"label": "a"}), ("c", {"label": "c"})]


def test_all_faces_beside_go_and_change_with_their_photograph(catalog: Catalog, model_folder: Path) -> None:
    fill(catalog, {"label": "a"}, {"label": "b"})
    beside = fill(Catalog.create(catalog.folder / "beside" / "faces", model_folder), {"label": "a"}, {"label": "b"})
    second = Entry(f"{0:064x}#2", "/photos/0.jpg", "0.jpg", "a", {"label": "a"})
    beside.add([EmbeddedImage(second, np.full(8, 9, np.float32), b"x")])
    facts = json.loads((beside.folder / "catalog.json").read_text())
    (beside.folder / "catalog.json").write_text(json.dumps(facts | {"faces": "all"}))
    relabel_images(catalog.folder, where="label = 'a'", label="c")
    assert [label for label, _ in labels_of(beside)] == ["c", "c", "b"]
    delete_images(catalog.folder, ["0.jpg"])
    assert [label for label, _ in labels_of(beside)] == ["b"]


def test_images_leave_by_id_path_name_or_condition(catalog: Catalog) -> None:
    fill(catalog, *({"label": "a" if n < 4 else "b"} for n in range(8)))
    folder = catalog.folder
    assert delete_images(folder, [f"{0:064x}", "/photos/1.jpg", "2.jpg", "2.jpg"], check=True).rows == 3
    assert len(catalog) == 8
    assert delete_images(folder, [f"{0:064x}", "/photos/1.jpg", "2.jpg"]).rows == 3
    assert delete_images(folder, where="label = 'b'").rows == 4
    assert [entry.name for entry in catalog.entries()] == ["3.jpg"]
    for images, where, complaint in (
        ([], "", "name images"),
        (["2.jpg", "x"], "", "no image '2.jpg'"),
        ([], "label = 'b'", "no image fulfils"),
    ):
        with pytest.raises(DoppelgramError, match=complaint):
            delete_images(folder, images, where=where)
