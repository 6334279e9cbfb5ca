import hashlib
import json
import os
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from doppelgram.catalog.rows import EmbeddedImage, Entry
from doppelgram.catalog.store import Catalog
from doppelgram.errors import DoppelgramError
from doppelgram.models.bundle import load_model
from doppelgram.models.model import Model
from doppelgram.space.calibration import Calibration

WHEN = datetime(2019, 12, 20, 4, 27, 27, tzinfo=UTC)


def number_id(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def image(number: int, dim: int = 8, **facts: object) -> EmbeddedImage:
    values = {"path": f"/photos/{number}.jpg", "name": f"{number}.jpg", "label": "a", **facts}
    return EmbeddedImage(Entry(number_id(number), **values), np.full(dim, number, np.float32), b"jpeg %d" % number)


def test_rows_come_back_as_they_went_in(catalog: Catalog):
    entry = Entry(
        number_id(7), "/a/b 'c\".jpg", "c.jpg", "Łódź\n中文", {"place": "Łódź", "pose": "中文"}, "author", WHEN
    )
    vector = np.array([0.1, -2, 3e-30, 4, 5, 6, 7, 1e10], np.float32)
    assert catalog.add([EmbeddedImage(entry, vector, b"\x00\xff")]) == 1

    again = Catalog.open(catalog.folder)
    assert len(again) == 1
    assert again.entries() == [entry]
    assert again.hashes() == {entry.id}
    np.testing.assert_array_equal(again.vectors(), vector[None])
    row = again.rows(["timestamp", "thumbnail", "columns", "added"]).iloc[0]
    assert row["timestamp"] == WHEN
    assert row["thumbnail"] == b"\x00\xff"
    assert json.loads(row["columns"]) == {"place": "Łódź", "pose": "中文"}
    assert abs((datetime.now(UTC) - row["added"]).total_seconds()) < 600


def test_an_empty_catalog_has_no_rows_and_vectors_of_the_right_width(catalog: Catalog):
    assert len(catalog) == 0
    assert catalog.vectors().shape == (0, 8)
    assert catalog.vectors().dtype == np.float32
    assert catalog.hashes() == set()
    assert catalog.entries() == []
    assert catalog.find([number_id(1)]).empty
    assert catalog.find([]).empty


def test_a_missing_timestamp_stays_missing(catalog: Catalog):
    catalog.add([image(1), image(2, timestamp=WHEN)])
    times = catalog.rows(["id", "timestamp"]).set_index("id")["timestamp"]
    assert times.isna()[number_id(1)]
    assert times[number_id(2)] == WHEN


def test_an_id_gets_in_once_within_an_append_and_across_appends(catalog: Catalog):
    assert catalog.add([image(1), image(2), image(1, label="later")]) == 2
    assert catalog.add([image(2, label="later"), image(3)]) == 1
    assert catalog.add([]) == 0
    rows = catalog.rows()
    assert sorted(rows["id"]) == sorted(number_id(n) for n in (1, 2, 3))
    assert set(rows["label"]) == {"a"}


def test_rows_and_vectors_keep_the_same_order_after_updates(catalog: Catalog):
    for start in range(0, 40, 10):
        catalog.add([image(number) for number in range(start, start + 10)])
    catalog.update([image(number, label="b").entry for number in range(5, 25)])
    rows, vectors = catalog.snapshot(["id", "label"])
    assert [number_id(int(number)) for number in vectors[:, 0]] == rows["id"].tolist()
    assert list(catalog.rows(["id"])["id"]) == rows["id"].tolist()
    np.testing.assert_array_equal(catalog.vectors(), vectors)
    assert (rows["label"] == "b").sum() == 20


def test_update_changes_the_facts_and_nothing_else(catalog: Catalog):
    catalog.add([image(1), image(2)])
    new = Entry(number_id(2), "/elsewhere.jpg", "elsewhere.jpg", "b", {"label": "b"}, "someone", WHEN)
    assert catalog.update([new, Entry(number_id(99), "/not/there.jpg")]) == 1
    assert catalog.update([]) == 0
    assert len(catalog) == 2
    found = catalog.find([number_id(2)], ["path", "vector", "thumbnail"]).iloc[0]
    assert found["path"] == "/elsewhere.jpg"
    assert list(found["vector"]) == [2.0] * 8
    assert found["thumbnail"] == b"jpeg 2"
    assert {entry.id: entry for entry in catalog.entries()}[number_id(2)] == new
    assert catalog.find([number_id(1)])["label"].tolist() == ["a"]


def test_find_returns_what_is_there_whatever_is_asked_for(catalog: Catalog):
    catalog.add([image(number) for number in range(600)])
    wanted = [number_id(number) for number in range(0, 1200, 2)]
    found = catalog.find([*wanted, *wanted, "", "x' OR 'a'='a", number_id(3).upper()], ["path"])
    assert sorted(found.index) == sorted(number_id(number) for number in range(0, 600, 2))
    assert found.loc[number_id(4), "path"] == "/photos/4.jpg"


def test_an_unknown_column_is_named(catalog: Catalog):
    with pytest.raises(DoppelgramError, match=r"no column 'identity'.*label"):
        catalog.rows(["identity"])


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_an_embedding_that_is_no_number_is_refused_and_nothing_is_written(catalog: Catalog, wrong: float):
    bad = image(2)
    bad.vector[3] = wrong
    with pytest.raises(DoppelgramError, match=r"/photos/2\.jpg"):
        catalog.add([image(1), bad])
    assert len(catalog) == 0


def test_vectors_of_another_width_and_ids_that_are_none_are_refused(catalog: Catalog):
    with pytest.raises(ValueError, match="8 numbers"):
        catalog.add([image(1, dim=9)])
    with pytest.raises(ValueError, match="SHA-256 as id"):
        catalog.add([EmbeddedImage(Entry("1", "/a.jpg"), np.zeros(8, np.float32), b"")])


def test_the_folder_carries_its_own_model(tmp_path: Path, save_model: Callable[..., Path]):
    source = save_model(tmp_path / "run" / "model")
    catalog = Catalog.create(tmp_path / "catalog", tmp_path / "run")
    embedded = load_model(source).embed_images([np.full((40, 40, 3), 90, np.uint8)])
    shutil.rmtree(tmp_path / "run")
    moved = shutil.move(catalog.folder, tmp_path / "moved")
    again = Catalog.open(moved)
    again.add([image(1)])
    assert len(again) == 1
    np.testing.assert_array_equal(again.load_model().embed_images([np.full((40, 40, 3), 90, np.uint8)]), embedded)
    facts = json.loads((Path(moved) / "catalog.json").read_text())
    assert facts["format"] == "doppelgram-catalog"
    assert facts["dim"] == 8
    assert datetime.fromisoformat(facts["created"]).tzinfo is not None


def test_open_or_create_makes_opens_and_refuses_another_model(
    tmp_path: Path, model: Model, model_folder: Path, save_model: Callable[..., Path]
):
    first = Catalog.open_or_create(tmp_path / "catalog", model, model_folder)
    first.add([image(1)])
    assert len(Catalog.open_or_create(tmp_path / "catalog", model, model_folder)) == 1

    other_folder = save_model(tmp_path / "other", seed=1)
    other = load_model(other_folder)
    with pytest.raises(DoppelgramError, match=rf"filled by another model \(fingerprint {model.fingerprint[:8]}"):
        Catalog.open_or_create(tmp_path / "catalog", other, other_folder)
    other.fingerprint = ""
    with pytest.raises(DoppelgramError, match="has to be saved"):
        first.require(other.fingerprint)


def test_a_new_calibration_of_the_same_model_is_taken_over(tmp_path: Path, save_model: Callable[..., Path]):
    folder = save_model(tmp_path / "model")
    Catalog.create(tmp_path / "catalog", folder)
    new = Calibration(9.0, 1.0, 0.2, 7, 7, "again")
    assert Catalog.open(tmp_path / "catalog").load_model().calibration != new
    save_model(folder, calibration=new)
    catalog = Catalog.open_or_create(tmp_path / "catalog", load_model(folder), folder)
    assert catalog.load_model().calibration == new
    # Opening it with its own copy as the source is no change.
    Catalog.open_or_create(tmp_path / "catalog", catalog.load_model(), tmp_path / "catalog" / "model")


def test_only_a_new_or_empty_folder_becomes_a_catalog(tmp_path: Path, model_folder: Path):
    (tmp_path / "empty").mkdir()
    Catalog.create(tmp_path / "empty", model_folder)
    with pytest.raises(DoppelgramError, match="already holds a catalog"):
        Catalog.create(tmp_path / "empty", model_folder)

    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "one.jpg").write_bytes(b"mine")
    with pytest.raises(DoppelgramError, match="not empty and not a catalog"):
        Catalog.create(tmp_path / "photos", model_folder)
    assert os.listdir(tmp_path / "photos") == ["one.jpg"]

    with pytest.raises(DoppelgramError, match="is a file"):
        Catalog.create(tmp_path / "photos" / "one.jpg", model_folder)
    with pytest.raises(DoppelgramError, match="no such run or model"):
        Catalog.create(tmp_path / "new", tmp_path / "nowhere")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("left", ["mark", "model", "table"])
def test_an_interrupted_creation_is_completed(tmp_path: Path, model_folder: Path, left: str):
    folder = Catalog.create(tmp_path / "catalog", model_folder).folder
    os.rename(folder / "catalog.json", folder / "catalog.json.part")
    if left in ("mark", "model"):
        shutil.rmtree(folder / "vectors")
    if left == "mark":
        shutil.rmtree(folder / "model")
        (folder / "catalog.json.part").write_text("{")
    with pytest.raises(DoppelgramError, match="is not a catalog"):
        Catalog.open(folder)
    catalog = Catalog.create(folder, model_folder)
    catalog.add([image(1)])
    assert len(Catalog.open(folder)) == 1
    assert sorted(os.listdir(folder)) == ["catalog.json", "model", "vectors"]


def test_what_is_left_of_a_creation_for_a_wider_model_does_not_stay(tmp_path: Path, model_folder: Path, save_model):
    folder = Catalog.create(tmp_path / "catalog", save_model(tmp_path / "wider", dim=12)).folder
    os.rename(folder / "catalog.json", folder / "catalog.json.part")
    catalog = Catalog.create(folder, model_folder)
    catalog.add([image(1)])
    assert Catalog.open(folder).vectors().shape == (1, 8)


@pytest.mark.parametrize("round_", range(8))
def test_those_who_begin_a_catalog_at_the_same_time_share_it(
    tmp_path: Path, model: Model, model_folder: Path, round_: int
):
    start = threading.Barrier(4)

    def begin(number: int) -> int:
        start.wait()
        return Catalog.open_or_create(tmp_path / "catalog", model, model_folder).add([image(number)])

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(begin, range(4))) == [1] * 4
    assert Catalog.open(tmp_path / "catalog").hashes() == {number_id(number) for number in range(4)}
    assert sorted(os.listdir(tmp_path / "catalog")) == ["catalog.json", "model", "vectors"]


def test_what_is_not_a_catalog_of_this_version_is_refused(tmp_path: Path, catalog: Catalog):
    with pytest.raises(DoppelgramError, match="no such catalog"):
        Catalog.open(tmp_path / "nowhere")
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "photo.jpg").touch()
    with pytest.raises(DoppelgramError, match=r"is not a catalog: there is no catalog\.json"):
        Catalog.open(tmp_path / "plain")

    file = catalog.folder / "catalog.json"
    facts = json.loads(file.read_text())
    for change, complaint in (
        ({"version": 3}, "version 3, but this program reads 1 to 2"),
        ({"format": "something"}, "not a catalog written by doppelgram"),
        ({"dim": "8"}, "'dim'"),
        ({"dim": 9}, "is not the table"),
    ):
        file.write_text(json.dumps(facts | change))
        with pytest.raises(DoppelgramError, match=complaint):
            Catalog.open(catalog.folder)
    file.write_text("{")
    with pytest.raises(DoppelgramError, match="damaged"):
        Catalog.open(catalog.folder)
    file.write_text(json.dumps(facts))
    shutil.rmtree(catalog.folder / "vectors")
    with pytest.raises(DoppelgramError, match="damaged"):
        Catalog.open(catalog.folder)


def test_vectors_that_vanish_while_the_catalog_is_open_are_one_sentence(catalog: Catalog):
    catalog.add([image(1)])
    shutil.rmtree(catalog.folder / "vectors")
    with pytest.raises(DoppelgramError, match="cannot be read"):
        catalog.vectors()
    with pytest.raises(DoppelgramError, match="cannot be"):
        catalog.add([image(2)])


def test_readers_see_whole_commits_and_writers_share_ids(catalog: Catalog):
    """Two writers add the same ids in tens at the same time while a reader looks."""
    done = threading.Event()
    start = threading.Barrier(3)
    folder = catalog.folder

    def write(label: str) -> int:
        own = Catalog.open(folder)
        start.wait()
        return sum(own.add([image(n, label=label) for n in range(first, first + 10)]) for first in range(0, 300, 10))

    def read() -> list[int]:
        own = Catalog.open(folder)
        sizes = []
        start.wait()
        while not done.is_set():
            rows, vectors = own.snapshot(["id"])
            assert [number_id(int(number)) for number in vectors[:, 0]] == rows["id"].tolist()
            assert rows["id"].is_unique
            sizes.append(len(rows))
        return sizes

    with ThreadPoolExecutor(3) as pool:
        reader = pool.submit(read)
        writers = [pool.submit(write, label) for label in "ab"]
        try:
            added = [writer.result() for writer in writers]
        finally:
            done.set()
        sizes = reader.result()
    assert sum(added) == 300
    assert len(catalog) == 300
    assert catalog.hashes() == {number_id(number) for number in range(300)}
    assert sizes == sorted(sizes)
    assert all(size % 10 == 0 for size in sizes)


def test_compacting_keeps_every_row(catalog: Catalog):
    for number in range(70):
        catalog.add([image(number)])
    before = catalog._table.stats()["fragment_stats"]["num_fragments"]
    catalog.tidy()
    assert catalog._table.stats()["fragment_stats"]["num_fragments"] < before
    rows, vectors = catalog.snapshot(["id", "thumbnail"])
    assert {number_id(int(number)) for number in vectors[:, 0]} == set(rows["id"])
    assert len(rows) == 70
