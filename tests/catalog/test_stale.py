from __future__ import annotations

from pathlib import Path

from doppelgram.catalog.rows import Entry
from doppelgram.catalog.stale import find_stale


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
