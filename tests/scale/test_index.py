import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from doppelgram.catalog.index import index_collection
from doppelgram.catalog.rows import EmbeddedImage, Entry
from doppelgram.catalog.store import Catalog
from doppelgram.dataset.collection import Collection
from doppelgram.dataset.read import read_collection
from doppelgram.errors import DoppelgramError
from doppelgram.models.bundle import load_model
from doppelgram.models.model import Model
from doppelgram.scale import index as scale_index
from doppelgram.scale import plan as plan_module
from doppelgram.scale.index import Means, index_in_parts
from doppelgram.scale.lock import alone
from doppelgram.scale.table import Table
from doppelgram.scale.write_once import WriteOnceStore
from helpers.engines import Here

Draw = Callable[..., Path]


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_module, "SMALLEST", 4)


@pytest.fixture
def mixed(tmp_path: Path, draw_folder: Draw) -> Path:
    """Twenty pictures in five parts, with copies across parts and within one, and files that give nothing."""
    folder = draw_folder(tmp_path / "mixed", classes=4, images=5)
    shutil.copy(folder / "class 0" / "picture 0.jpg", folder / "class 3" / "picture 1.jpg")
    shutil.copy(folder / "class 1" / "picture 0.jpg", folder / "class 1" / "picture 1.jpg")
    (folder / "class 2" / "picture 2.jpg").write_bytes(b"no image")
    return folder


def facts(report: Any) -> dict[str, Any]:
    return asdict(report) | {"seconds": 0, "runtime": ""}


def rows_of(catalog: Catalog) -> tuple[pd.DataFrame, Any]:
    rows, vectors = catalog.snapshot(["id", "path", "name", "label", "columns", "author", "timestamp", "thumbnail"])
    order = np.argsort(rows["id"].to_numpy(dtype=str))
    return rows.iloc[order].reset_index(drop=True), vectors[order]


def assert_same(one: Catalog, other: Catalog) -> None:
    (rows, vectors), (others, other_vectors) = rows_of(one), rows_of(other)
    pd.testing.assert_frame_equal(rows, others)
    np.testing.assert_allclose(vectors, other_vectors, atol=1e-6)


@pytest.fixture
def plain(tmp_path: Path, mixed: Path, model: Model, model_folder: Path) -> tuple[Catalog, Any]:
    catalog = Catalog.create(tmp_path / "plain", model_folder)
    return catalog, index_collection(read_collection(mixed), model, catalog)


def test_rows_and_report_are_those_of_the_plain_way(
    mixed: Path, plain: tuple[Catalog, Any], model: Model, catalog: Catalog
):
    moved: list[int] = []
    report = index_in_parts(read_collection(mixed), catalog, Means(Here()), progress=moved.append)
    assert sum(moved) == 20
    assert facts(report) == facts(plain[1])
    assert (report.added, report.duplicate, report.broken) == (17, 2, 1)
    assert_same(catalog, plain[0])
    assert catalog.rows(["part"])["part"].nunique() == 5
    assert [file.name for file in (catalog.folder / "plans").iterdir()] == ["lock"]

    # Again, with a new picture, one that changed, and one that is gone.
    (mixed / "class 0" / "picture 1.jpg").unlink()
    shutil.copy(mixed / "class 0" / "picture 2.jpg", mixed / "class 3" / "picture 3.jpg")
    (mixed / "class 0" / "picture 4.jpg").rename(mixed / "class 0" / "picture 5.jpg")
    collection = read_collection(mixed)
    expected = index_collection(collection, model, plain[0], prune=True)
    again = index_in_parts(collection, catalog, Means(Here()), prune=True)
    assert facts(again) == facts(expected)
    assert again.removed == 2
    assert_same(catalog, plain[0])


@pytest.mark.parametrize("seconds", [0.0, 1e9])
@pytest.mark.parametrize("stop_after", range(6))
def test_a_stopped_job_goes_on_where_it_stopped(
    monkeypatch: pytest.MonkeyPatch,
    mixed: Path,
    plain: tuple[Catalog, Any],
    catalog: Catalog,
    stop_after: int,
    seconds: float,
):
    monkeypatch.setattr(scale_index, "COMMIT_SECONDS", seconds)
    collection = read_collection(mixed)
    first, second = Here(stop_after), Here()
    if stop_after < 5:
        with pytest.raises(KeyboardInterrupt):
            index_in_parts(collection, catalog, Means(first))
    report = index_in_parts(collection, catalog, Means(second))
    assert (len(first.done), len(second.done)) == (stop_after % 5, 5 - stop_after % 5)
    assert facts(report) == facts(plain[1])
    assert_same(catalog, plain[0])


def test_a_commit_whose_answer_is_lost_is_not_done_twice(
    monkeypatch: pytest.MonkeyPatch, mixed: Path, plain: tuple[Catalog, Any], catalog: Catalog
):
    append, calls = Table.append, []

    def lossy(self: Table, fragments: Any) -> None:
        append(self, fragments)
        calls.append(len(fragments))
        if len(calls) % 2:
            raise OSError("connection reset")

    monkeypatch.setattr(Table, "append", lossy)
    monkeypatch.setattr(scale_index, "COMMIT_SECONDS", 0.0)
    index_in_parts(read_collection(mixed), catalog, Means(Here()))
    assert calls == [1] * 5
    assert_same(catalog, plain[0])


def test_compaction_between_a_crash_and_the_restart_does_no_harm(
    monkeypatch: pytest.MonkeyPatch, mixed: Path, plain: tuple[Catalog, Any], catalog: Catalog
):
    monkeypatch.setattr(scale_index, "COMMIT_SECONDS", 0.0)
    collection = read_collection(mixed)
    with pytest.raises(KeyboardInterrupt):
        index_in_parts(collection, catalog, Means(Here(3)))
    table = Table(catalog).opened()
    before = {file.path for fragment in table.get_fragments() for file in fragment.data_files()}
    table.optimize.compact_files()
    table = Table(catalog).opened()
    assert before.isdisjoint(file.path for fragment in table.get_fragments() for file in fragment.data_files())
    index_in_parts(collection, catalog, Means(Here()))
    assert_same(catalog, plain[0])


def test_parts_whose_files_were_cleaned_away_are_done_again(
    monkeypatch: pytest.MonkeyPatch, mixed: Path, plain: tuple[Catalog, Any], catalog: Catalog
):
    monkeypatch.setattr(scale_index, "COMMIT_SECONDS", 1e9)
    collection = read_collection(mixed)
    with pytest.raises(KeyboardInterrupt):
        index_in_parts(collection, catalog, Means(Here(3)))
    from datetime import timedelta

    Table(catalog).opened().cleanup_old_versions(timedelta(0), delete_unverified=True)
    second = Here()
    index_in_parts(collection, catalog, Means(second))
    assert len(second.done) == 5
    assert_same(catalog, plain[0])


def test_an_unfinished_job_for_other_files_is_put_in_first(
    monkeypatch: pytest.MonkeyPatch, mixed: Path, draw_picture: Draw, catalog: Catalog, plain: tuple[Catalog, Any]
):
    with pytest.raises(KeyboardInterrupt):
        index_in_parts(read_collection(mixed), catalog, Means(Here(2)))
    assert len(catalog) == 0
    draw_picture(mixed / "class 0" / "a first one.jpg", seed=999)
    report = index_in_parts(read_collection(mixed), catalog, Means(Here()))
    assert (report.added, report.already_present) == (18 - 7, 7)
    assert len(catalog) == 18


def test_what_a_plain_pass_put_in_meanwhile_stays_once(
    mixed: Path, plain: tuple[Catalog, Any], model: Model, catalog: Catalog
):
    class Overtaken(Here):
        def run(self, order: Any, parts: Any) -> Any:
            index_collection(read_collection(mixed), model, catalog)
            yield from super().run(order, parts)

    index_in_parts(read_collection(mixed), catalog, Means(Overtaken()))
    assert_same(catalog, plain[0])


def test_what_a_job_appends_while_a_plain_pass_writes_the_same_stays_once(
    monkeypatch: pytest.MonkeyPatch, catalog: Catalog
):
    import lance
    from lancedb.merge import LanceMergeInsertBuilder

    def image(number: int, part: str = "") -> EmbeddedImage:
        entry = Entry(f"{number:064x}", f"/p/{number}.jpg", f"{number}.jpg")
        return EmbeddedImage(entry, np.full(8, number, np.float32), b"x", part)

    table = Table(catalog)
    written = table.write([image(1, "part"), image(2, "part")])

    def overtaken(self: Any, rows: Any) -> Any:
        """The merge, with an append of the job between what it reads and its own commit."""
        read = table.opened()
        merged = read.merge_insert("id").when_not_matched_insert_all().execute_uncommitted(rows)[0]
        table.append(written)
        done = lance.LanceDataset.commit(table._address, merged, read_version=read.version)
        return SimpleNamespace(num_inserted_rows=2, version=done.version)

    monkeypatch.setattr(LanceMergeInsertBuilder, "execute", overtaken)
    catalog.add([image(1), image(3)])
    rows = catalog.rows(["name", "part"]).sort_values("name")
    assert list(rows.itertuples(index=False, name=None)) == [("1.jpg", ""), ("2.jpg", "part"), ("3.jpg", "")]


@pytest.mark.parametrize("removals", range(3))
@pytest.mark.parametrize("again", [False, True])
def test_a_kill_while_a_finished_plan_is_deleted_does_no_harm(
    monkeypatch: pytest.MonkeyPatch,
    mixed: Path,
    plain: tuple[Catalog, Any],
    catalog: Catalog,
    draw_picture: Draw,
    removals: int,
    again: bool,
):
    remove, calls = WriteOnceStore.remove, []

    def killed(self: WriteOnceStore, names: list[str]) -> None:
        if len(calls) == removals:
            raise KeyboardInterrupt
        calls.append(names)
        # A kill leaves half of what is deleted at a time.
        remove(self, names if len(names) < 2 or removals != 2 else names[::2])

    with monkeypatch.context() as patched:
        patched.setattr(WriteOnceStore, "remove", killed)
        with pytest.raises(KeyboardInterrupt):
            index_in_parts(read_collection(mixed), catalog, Means(Here()))
    assert_same(catalog, plain[0])
    if again:  # for other files, what the plan that is left has done is put in first
        draw_picture(mixed / "class 0" / "a first one.jpg", seed=999)
    report = index_in_parts(read_collection(mixed), catalog, Means(Here()))
    assert len(catalog) == 17 + again
    # A plan that is still whole tells once more what it did.
    assert report.added == (1 if again else 0 if removals else 17)
    assert [file.name for file in (catalog.folder / "plans").iterdir()] == ["lock"]


def test_a_second_job_is_refused(mixed: Path, catalog: Catalog):
    with (
        alone(f"{catalog.folder}/plans"),
        pytest.raises(DoppelgramError, match="is at work in this catalog"),
    ):
        index_in_parts(read_collection(mixed), catalog, Means(Here()))


def test_a_catalog_of_an_earlier_version_is_migrated_first(
    tmp_path: Path, mixed: Path, plain: tuple[Catalog, Any], catalog: Catalog
):
    catalog._table.drop_columns(["part"])
    file = catalog.folder / "catalog.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"version": 1}))
    old = Catalog.open(catalog.folder)
    index_in_parts(read_collection(mixed), old, Means(Here()))
    assert_same(Catalog.open(catalog.folder), plain[0])


def test_nothing_readable_is_said(tmp_path: Path, catalog: Catalog):
    (tmp_path / "a.jpg").write_bytes(b"no image")
    collection = Collection(tmp_path, pd.DataFrame({"path": ["a.jpg", "gone.jpg"]}, dtype=str))
    for _ in range(2):
        with pytest.raises(DoppelgramError, match="None of the images can be read"):
            index_in_parts(collection, catalog, Means(Here()))


def test_names_that_are_no_text_are_broken_files(tmp_path: Path, draw_picture: Draw, catalog: Catalog):
    draw_picture(tmp_path / "odd" / "a.jpg", seed=1)
    draw_picture(tmp_path / "odd" / "b.jpg", seed=2).rename(tmp_path / "odd" / "b\udcff.jpg")
    collection = Collection(tmp_path / "odd", pd.DataFrame({"path": ["a.jpg", "b\udcff.jpg"]}, dtype=object))
    model = load_model(catalog.folder / "model")
    other = Catalog.create(tmp_path / "other", catalog.folder / "model")
    expected = index_collection(collection, model, other)
    assert facts(index_in_parts(collection, catalog, Means(Here()))) == facts(expected)
