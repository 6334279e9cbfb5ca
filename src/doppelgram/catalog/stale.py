"""Rows of a catalog whose photograph was deleted, or replaced by another under the same name."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from doppelgram.catalog.rows import Entry, file_of


@dataclass(frozen=True)
class Stale:
    """Rows that answer for photographs that are not there any more.

    Attributes:
        gone: entries whose file was deleted.
        replaced: entries whose file has other content now.
        away: entries whose file is not there, perhaps because its whole folder or disk is not there at present.
    """

    gone: tuple[Entry, ...] = ()
    replaced: tuple[Entry, ...] = ()
    away: tuple[Entry, ...] = ()

    @property
    def ids(self) -> list[str]:
        """Ids of those that are certain: gone or replaced."""
        return [entry.id for entry in (*self.gone, *self.replaced)]


def find_stale(entries: Iterable[Entry], now: Mapping[str, str], root: Path) -> Stale:
    """The stale ones among a catalog's entries.

    Args:
        entries: of the whole catalog, brought up to date with files that were moved.
        now: id of each file that was just looked at, by its absolute path.
        root: folder that was just read; a folder missing in it was deleted, one missing elsewhere may be on a disk that
            is not connected.
    """
    gone: list[Entry] = []
    replaced: list[Entry] = []
    away: list[Entry] = []
    top = Path(os.path.abspath(root))

    @cache
    def deleted_from(folder: Path) -> bool:
        there = next(place for place in (folder, *folder.parents) if place.is_dir() or place == place.parent)
        if there != folder and there != top and top not in there.parents:
            return False
        try:
            return any(there.iterdir())  # where a disk is not connected, its folder is empty
        except OSError:
            return False

    for entry in entries:
        found = now.get(entry.path)
        if found is not None and found != file_of(entry.id):
            replaced.append(entry)
        elif found is None and not os.path.exists(entry.path):
            (gone if deleted_from(Path(entry.path).parent) else away).append(entry)
    return Stale(tuple(gone), tuple(replaced), tuple(away))
