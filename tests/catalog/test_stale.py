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
    found = find_stale(rows, {str(here): old}, tmp_path)
    assert (found.replaced, [one.id for one in found.gone]) == ((), ["c" * 64])
    found = find_stale(rows, {str(here): new}, tmp_path)
    assert [one.id for one in found.replaced] == [old, f"{old}#2"]


def test_photographs_of_a_folder_that_is_not_there_are_not_given_up(tmp_path: Path) -> None:
    read, disk = tmp_path / "read", tmp_path / "disk"
    for folder in (read, disk):
        folder.mkdir()
        (folder / "kept.jpg").write_bytes(b"a photograph")
    rows = [
        entry(place, f"{number:064x}")
        for number, place in enumerate(
            (read / "a.jpg", read / "2019" / "b.jpg", disk / "c.jpg", disk / "2019" / "d.jpg")
        )
    ]

    def away() -> list[str]:
        found = find_stale(rows, {}, read)
        assert len(found.gone) + len(found.away) == 4
        return [Path(one.path).name for one in found.away]

    assert away() == ["d.jpg"]  # "disk" was not read, so a folder missing in it may be a disk of its own
    (disk / "kept.jpg").unlink()
    assert away() == ["c.jpg", "d.jpg"]  # nothing is where a disk was connected
    disk.rmdir()
    assert away() == ["c.jpg", "d.jpg"]
    (read / "2019").mkdir()
    assert away() == ["b.jpg", "c.jpg", "d.jpg"]


def test_prune_keeps_what_lay_on_a_disk_that_is_not_connected(
    photos: Path, model: Model, catalog: Catalog, draw_picture, tmp_path: Path
) -> None:
    index_collection(read_collection(photos), model, catalog)
    photos.rename(tmp_path / "not connected")
    other = tmp_path / "other"
    other.mkdir()
    draw_picture(other / "new.png", 99)
    report = index_collection(read_collection(other), model, catalog, prune=True)
    assert (report.gone, len(report.away), report.removed, len(catalog)) == ([], 12, 0, 13)
    assert "12 files of the catalog" in report.summary()
