"""Rows of a catalog whose photograph was deleted, or replaced by another under the same name."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from doppelgram.catalog.rows import Entry, file_of


@dataclass(frozen=True)
class Stale:
    """Rows that answer for photographs that are not there any more.

    Attributes:
        gone: entries whose file does not exist.
        replaced: entries whose file has other content now.
    """

    gone: tuple[Entry, ...] = ()
    replaced: tuple[Entry, ...] = ()

    @property
    def ids(self) -> list[str]:
        """Their ids."""
        return [entry.id for entry in (*self.gone, *self.replaced)]


def find_stale(entries: Iterable[Entry], now: Mapping[str, str]) -> Stale:
    """The stale ones among a catalog's entries.

    Args:
        entries: of the whole catalog, brought up to date with files that were moved.
        now: id of each file that was just looked at, by its absolute path.
    """
    gone, replaced = [], []
    for entry in entries:
        found = now.get(entry.path)
        if found is not None and found != file_of(entry.id):
            replaced.append(entry)
        elif found is None and not os.path.exists(entry.path):
            gone.append(entry)
    return Stale(tuple(gone), tuple(replaced))
