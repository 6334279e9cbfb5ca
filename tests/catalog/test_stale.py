from __future__ import annotations

from pathlib import Path

from doppelgram.catalog.index import index_collection
from doppelgram.catalog.rows import Entry
from doppelgram.catalog.stale import find_stale
from doppelgram.catalog.store import Catalog
from doppelgram.dataset.read import read_collection
from doppelgram.models.model import Model


def test_photographs_that_are_gone_or_replaced_are_noticed_and_taken_out(
    photos: Path, model: Model, catalog: Catalog, draw_picture
) -> None:
    before = read_collection(photos)
    assert index_collection(before, model, catalog).gone == []
    gone, replaced = before.paths[:2]
    gone.unlink()
    draw_picture(replaced, 77)
    after = read_collection(photos)
    report = index_collection(after, model, catalog)
    assert (report.gone, report.replaced, report.removed) == ([str(gone)], [str(replaced)], 0)
    assert "--prune" in report.summary()
    assert len(catalog) == 13
    report = index_collection(after, model, catalog, prune=True)
    assert (report.gone, report.replaced, report.removed) == ([str(gone)], [str(replaced)], 2)
    assert sorted(entry.path for entry in catalog.entries()) == sorted(map(str, after.paths))
    assert index_collection(after, model, catalog, prune=True).removed == 0


def entry(path: Path, id_: str) -> Entry:
    return Entry(id_, str(path), path.name, "")


def test_every_face_of_an_unchanged_photograph_stays(tmp_path: Path) -> None:
    here = tmp_path / "group.jpg"
    here.write_bytes(b"a photograph")
    old, new = "a" * 64, "b" * 64
    rows = [entry(here, old), entry(here, f"{old}#2"), entry(tmp_path / "deleted.jpg", "c" * 64)]
    found = find_stale(rows, {str(here): old})
    assert (found.replaced, [one.id for one in found.gone]) == ((), ["c" * 64])
    found = find_stale(rows, {str(here): new})
    assert [one.id for one in found.replaced] == [old, f"{old}#2"]
