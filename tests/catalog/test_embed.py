import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from doppelgram.catalog.embed import index_collection
from doppelgram.catalog.store import Catalog
from doppelgram.dataset.collection import Collection
from doppelgram.dataset.read import read_collection
from doppelgram.errors import DoppelgramError
from doppelgram.images.batch import load_pixels
from doppelgram.models.bundle import load_model
from doppelgram.models.model import Model

Draw = Callable[..., Path]


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def flat(folder: Path, *names: str) -> Collection:
    return Collection(folder, pd.DataFrame({"path": list(names)}, dtype=str))


def test_what_is_indexed_is_what_the_model_embeds(photos: Path, model: Model, catalog: Catalog):
    collection = read_collection(photos)
    moved: list[int] = []
    report = index_collection(collection, model, catalog, batch=5, progress=moved.append)

    assert (report.added, report.already_present, report.duplicate, report.missing, report.broken) == (12, 0, 0, 0, 0)
    assert sum(moved) == 12
    assert report.seconds > 0
    rows, vectors = catalog.snapshot(["id", "path", "name", "label", "columns"])
    assert rows["name"].tolist() == collection.names
    assert rows["path"].tolist() == [str(path) for path in collection.paths]
    assert rows["label"].tolist() == collection.labels.tolist()
    assert [json.loads(text) for text in rows["columns"]] == [{"label": label} for label in collection.labels]
    assert rows["id"].tolist() == [digest(path) for path in collection.paths]
    expected = model.embed_pixels(load_pixels(collection.paths, model.framing).pixels)
    np.testing.assert_allclose(vectors, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("ending", "size", "expected"),
    [(".jpg", (900, 300), (160, 53)), (".png", (300, 900), (53, 160)), (".jpg", (90, 60), (90, 60))],
)
def test_thumbnails_show_the_whole_picture_upright(
    tmp_path: Path, model: Model, catalog: Catalog, draw_picture: Draw, ending: str, size: tuple[int, int], expected
):
    file = draw_picture(tmp_path / f"a{ending}", 1, size)
    index_collection(flat(tmp_path, file.name), model, catalog)
    thumbnail = Image.open(BytesIO(catalog.rows(["thumbnail"])["thumbnail"][0]))
    assert (thumbnail.format, thumbnail.size) == ("JPEG", expected)
    reference = np.asarray(Image.open(file).convert("RGB").resize(expected), dtype=float)
    assert np.abs(np.asarray(thumbnail, dtype=float) - reference).mean() < 6


def test_a_turned_photograph_has_an_upright_thumbnail(tmp_path: Path, model: Model, catalog: Catalog):
    image = Image.new("RGB", (300, 200), "blue")
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "turned.jpg", exif=exif)
    index_collection(flat(tmp_path, "turned.jpg"), model, catalog)
    assert Image.open(BytesIO(catalog.rows(["thumbnail"])["thumbnail"][0])).size == (107, 160)


def test_authors_times_and_several_label_columns_are_kept(tmp_path: Path, model: Model, catalog: Catalog, draw_picture):
    for number in range(2):
        draw_picture(tmp_path / f"{number}.jpg", number)
    (tmp_path / "posts.csv").write_text(
        "path,place,pose,author,timestamp,group\n0.jpg,Łódź,tree,anna,2019-12-20T04:27:27.123456Z,g\n1.jpg,Łódź,,,,\n",
        encoding="utf-8",
    )
    collection = read_collection(tmp_path / "posts.csv")
    index_collection(collection, model, catalog)
    first, second = catalog.entries()
    assert first.label == "Łódź::tree"
    assert first.columns == {"place": "Łódź", "pose": "tree"}
    assert first.author == "anna"
    assert first.timestamp == pd.Timestamp("2019-12-20T04:27:27.123456Z")
    assert (second.label, second.author, second.timestamp) == ("", "", None)
    assert index_collection(collection, model, catalog).updated == 0


def test_every_file_ends_somewhere(photos: Path, model: Model, catalog: Catalog):
    first = photos / "class 0" / "picture 0.jpg"
    shutil.copy(first, photos / "class 1" / "a copy.jpg")
    (photos / "class 0" / "cut off.jpg").write_bytes(first.read_bytes()[:200])
    (photos / "class 1" / "cut off too.jpg").write_bytes(first.read_bytes()[:200])
    (photos / "class 2" / "no image.jpg").write_text("hello")
    (photos / "class 2" / "folder.jpg").mkdir()
    collection = read_collection(photos)
    table = pd.concat(
        [collection.table, pd.DataFrame({"path": ["class 2/folder.jpg", "gone.jpg"], "label": ["x", "y"]})]
    )
    collection = Collection(photos, table.reset_index(drop=True), "label")

    for already in (False, True):
        moved: list[int] = []
        report = index_collection(collection, model, catalog, batch=4, progress=moved.append)
        counts = (report.added, report.already_present, report.duplicate, report.missing, report.broken)
        assert counts == ((0, 12) if already else (12, 0)) + (1, 1, 4)
        assert sum(moved) == len(collection)
        assert [outcome.path for outcome in report.files.outcomes] == [str(path) for path in collection.paths]
        by_name = {os.path.basename(outcome.path): outcome for outcome in report.files.outcomes}
        assert by_name["a copy.jpg"].status == "duplicate"
        assert "picture 0.jpg" in by_name["a copy.jpg"].reason
        assert by_name["gone.jpg"].status == "missing"
        assert by_name["folder.jpg"].reason == "a folder, not a file"
        assert by_name["cut off too.jpg"].status == by_name["cut off.jpg"].status == "broken"
        assert ("already in the catalog" in by_name["picture 3.jpg"].reason) == already
        assert len(catalog) == 12
    assert "12 already present, 1 duplicate, 1 missing, 4 broken" in report.summary()
    assert "'gone.jpg'" in report.summary() or "gone.jpg" in report.summary()
    values = json.loads(report.to_json())
    assert values["already_present"] == 12
    assert values["broken"] == 4
    assert len(values["outcomes"]) == len(collection)


def test_nothing_readable_is_an_error(tmp_path: Path, photos: Path, model: Model, catalog: Catalog):
    (tmp_path / "bad.jpg").write_text("hello")
    with pytest.raises(DoppelgramError, match="None of the images can be read"):
        index_collection(flat(tmp_path, "bad.jpg", "gone.jpg"), model, catalog)
    with pytest.raises(DoppelgramError, match="No image files"):
        index_collection(flat(tmp_path), model, catalog)
    index_collection(read_collection(photos), model, catalog)
    with pytest.raises(DoppelgramError, match="batch is 0"):
        index_collection(read_collection(photos), model, catalog, batch=0)


def test_another_model_is_refused_before_anything_is_read(tmp_path: Path, photos: Path, catalog: Catalog, save_model):
    other = load_model(save_model(tmp_path / "other", seed=3))
    with pytest.raises(DoppelgramError, match="filled by another model"):
        index_collection(read_collection(photos), other, catalog)
    assert len(catalog) == 0


def test_a_moved_folder_leaves_no_dead_paths(tmp_path: Path, photos: Path, model: Model, catalog: Catalog):
    index_collection(read_collection(photos), model, catalog)
    photos.rename(tmp_path / "moved")
    report = index_collection(read_collection(tmp_path / "moved"), model, catalog)
    assert (report.added, report.already_present, report.updated) == (0, 12, 12)
    assert all(Path(path).is_file() for path in catalog.rows(["path"])["path"])
    assert len(catalog) == 12
    assert "12 already present (12 brought up to date)" in report.summary()


def test_a_copy_elsewhere_does_not_take_a_row_from_the_original(
    tmp_path: Path, photos: Path, model: Model, catalog: Catalog
):
    index_collection(read_collection(photos), model, catalog)
    before = catalog.entries()
    shutil.copytree(photos, tmp_path / "backup" / "all")
    shutil.move(tmp_path / "backup" / "all" / "class 0", tmp_path / "backup" / "all" / "renamed")
    report = index_collection(read_collection(tmp_path / "backup" / "all"), model, catalog)
    assert (report.added, report.already_present, report.updated) == (0, 12, 0)
    assert catalog.entries() == before


def test_new_labels_of_the_same_files_replace_the_old(photos: Path, model: Model, catalog: Catalog):
    collection = read_collection(photos)
    index_collection(collection, model, catalog)
    renamed = replace(collection, table=collection.table.replace({"label": {"class 1": "one"}}))
    report = index_collection(renamed, model, catalog)
    assert (report.added, report.already_present, report.updated) == (0, 12, 4)
    assert sorted(set(catalog.rows(["label"])["label"])) == ["class 0", "class 2", "one"]

    unlabelled = Collection(photos, collection.table[["path"]])
    assert index_collection(unlabelled, model, catalog).updated == 0
    assert "" not in set(catalog.rows(["label"])["label"])


def test_of_several_copies_the_one_that_has_the_row_keeps_it(
    tmp_path: Path, model: Model, catalog: Catalog, draw_picture
):
    draw_picture(tmp_path / "b.jpg", 1)
    index_collection(flat(tmp_path, "b.jpg"), model, catalog)
    shutil.copy(tmp_path / "b.jpg", tmp_path / "a.jpg")
    assert index_collection(flat(tmp_path, "a.jpg", "b.jpg"), model, catalog).updated == 0
    assert catalog.entries()[0].name == "b.jpg"
    (tmp_path / "b.jpg").unlink()
    report = index_collection(flat(tmp_path, "a.jpg", "b.jpg"), model, catalog)
    assert (report.updated, report.missing) == (1, 1)
    assert catalog.entries()[0].name == "a.jpg"


def test_an_interruption_loses_at_most_one_chunk(photos: Path, model: Model, catalog: Catalog):
    seen = 0

    def interrupt(count: int) -> None:
        nonlocal seen
        seen += count
        if seen >= 8:
            raise KeyboardInterrupt

    collection = read_collection(photos)
    with pytest.raises(KeyboardInterrupt):
        index_collection(collection, model, catalog, batch=4, progress=interrupt)
    assert len(catalog) == 4
    report = index_collection(collection, model, catalog, batch=4)
    assert (report.added, report.already_present) == (8, 4)
    assert len(catalog) == 12


CHILD = """
import sys, time
from doppelgram.catalog.embed import index_collection
from doppelgram.catalog.store import Catalog
from doppelgram.dataset.read import read_collection
from doppelgram.models.bundle import load_model

model = load_model(sys.argv[1])
catalog = Catalog.open_or_create(sys.argv[2], model, sys.argv[1])

def progress(count):
    print(count, flush=True)
    time.sleep(0.02)

index_collection(read_collection(sys.argv[3]), model, catalog, batch=2, progress=progress)
print("finished", flush=True)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the system has no such signal")
def test_a_killed_process_leaves_a_catalog_to_go_on_with(
    tmp_path: Path, model: Model, model_folder: Path, draw_folder: Draw
):
    photos, folder = draw_folder(tmp_path / "many", classes=4, images=20), tmp_path / "catalog"
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(model_folder), str(folder), str(photos)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    ) as child:
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(15)]
        child.send_signal(signal.SIGKILL)
        lines += child.stdout.readlines()
    assert child.returncode == -signal.SIGKILL
    assert "finished\n" not in lines

    catalog = Catalog.open_or_create(folder, model, model_folder)
    left = len(catalog)
    assert 0 < left < 80
    assert left % 2 == 0
    collection = read_collection(photos)
    report = index_collection(collection, model, catalog, batch=16)
    assert (report.added, report.already_present) == (80 - left, left)
    rows, vectors = catalog.snapshot(["id"])
    assert sorted(rows["id"]) == sorted(digest(path) for path in collection.paths)
    expected = model.embed_pixels(load_pixels(collection.paths, model.framing).pixels)
    order = {digest(path): row for row, path in enumerate(collection.paths)}
    np.testing.assert_allclose(vectors, expected[[order[key] for key in rows["id"]]], atol=1e-5)
