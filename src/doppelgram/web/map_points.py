"""What is known of the points of a map, as one array of bytes and in numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from doppelgram.dataset.image_table import match_paths
from doppelgram.web.listing import Listing
from doppelgram.web.mapped.kept import KeptMap

JUDGED, WRONG, GONE = 1, 2, 4
PART, PARTS = 8, ("train", "val", "test", "extra")
"""Flags of the first part, and the parts of a split: their numbers from 1 on stand in three bits of the flags."""

BYTES = 13
"""Of a point."""


@dataclass(frozen=True)
class Points:
    """A map together with what the catalog says now.

    Attributes:
        kept: the map.
        rows: (n,) where each point stands in the catalog's listing; -1 if it is not there any more.
        labels: names of labels, the most frequent first; at most 500.
        authors: names of authors, likewise.
        label: uint16 (n,) 0 for none, 1 for the first name; past the last name for one that is not listed.
        author: uint16 (n,) likewise.
        time: uint32 (n,) seconds since 1970; 0 where it is not known.
        part: uint8 (n,) of the training of the catalog's model, a number in `PARTS` from 1; 0 where it is not known.
        added: how many of the catalog's photographs are not on the map.
    """

    kept: KeptMap
    rows: NDArray[np.int64]
    labels: list[str]
    authors: list[str]
    label: NDArray[np.uint16]
    author: NDArray[np.uint16]
    time: NDArray[np.uint32]
    part: NDArray[np.uint8]
    added: int

    @property
    def flags(self) -> NDArray[np.uint8]:
        """uint8 (n,): 1 was judged by its nearest neighbour, 2 that has another label, 4 is gone; times 8 the part."""
        kept = self.kept
        bits = kept.judged * JUDGED + kept.wrong * WRONG + (self.rows < 0) * GONE + self.part * PART
        found: NDArray[np.uint8] = bits.astype(np.uint8)
        return found

    def packed(self) -> bytes:
        """All points, 13 bytes each, little-endian, column after column.

        ``time`` uint32 (n), ``x``, ``y``, ``label`` and ``author`` uint16 (n) each, ``flags`` uint8 (n): in this order
        every column begins at a multiple of its size.
        """
        x, y = self.kept.places.T
        columns = ((self.time, "<u4"), (x, "<u2"), (y, "<u2"), (self.label, "<u2"), (self.author, "<u2"))
        return b"".join(column.astype(kind).tobytes() for column, kind in columns) + self.flags.tobytes()


def points_of(kept: KeptMap, listing: Listing, split: Mapping[str, str] | None = None) -> Points:
    """Put a map and a catalog's listing together, and the parts of a split by names of photographs."""
    facts = listing.facts
    known = facts["id"].to_numpy().astype(np.bytes_) if len(facts) else np.empty(0, np.bytes_)
    # The listing is in the order of its ids.
    rows = np.minimum(np.searchsorted(known, kept.ids), max(len(known) - 1, 0))
    rows = np.where(known[rows] == kept.ids, rows, -1) if len(known) else np.full(len(kept.ids), -1)
    here = rows >= 0

    def numbered(column: str) -> tuple[list[str], NDArray[np.uint16]]:
        names = listing.most_frequent(column)
        numbers = {"": 0} | {name: number for number, name in enumerate(names, 1)}
        coded = facts[column].map(numbers).fillna(len(names) + 1).to_numpy().astype(np.uint16)
        return names, np.where(here, coded[rows] if len(coded) else 0, 0).astype(np.uint16)

    times = facts["timestamp"].dt.tz_localize(None).to_numpy("datetime64[s]")
    seconds = np.where(np.isnat(times), 0, np.clip(times.astype(np.int64), 1, 2**32 - 1))
    time = np.where(here, seconds[rows] if len(seconds) else 0, 0).astype(np.uint32)
    parts = np.array([PARTS.index(part) + 1 if part in PARTS else 0 for part in (split or {}).values()] + [0], np.uint8)
    of_row = parts[match_paths(facts["name"].tolist(), split or {})] if len(facts) else np.zeros(1, np.uint8)
    part = np.where(here, of_row[rows], 0).astype(np.uint8)
    labels, label = numbered("label")
    authors, author = numbered("author")
    return Points(kept, rows, labels, authors, label, author, time, part, len(facts) - int(here.sum()))
