"""Posts as arrays, as tracing takes them: who, when and, if known, where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doppelgram.dataset.posts.posts import Posts
from doppelgram.errors import DoppelgramError

DAY = 86_400.0
_ACCOUNTED = ("path", "author", "timestamp", "place")
# Farther from 1970 there is no time for pandas, in seconds.
_FARTHEST = 9.2e9
_YEAR = 365.25 * DAY
# Where a clock that lost its battery starts again: 1970, and the first days of 1980, 2000 and 2001. Such a time is
# believed only if most posts are that old.
_UNSET = ((-DAY, 366 * DAY), *((start * 1.0, start + 7 * DAY) for start in (315_532_800, 946_684_800, 978_307_200)))


@dataclass(frozen=True)
class PostTable:
    """A table of posts, one entry a post in every column.

    Attributes:
        path: (n,) text, the name of each post, each once.
        author: (n,) text; empty where not known. Posts without an author count as by different people.
        timestamp: (n,) UTC seconds since 1970, float64; NaN where not known.
        place: (n,) text, the place as labelled, or None where there are no labels. Empty: not known.
        extra: further columns (likes, ...), carried along to the tables by name.
    """

    path: NDArray[Any]
    author: NDArray[Any]
    timestamp: NDArray[np.float64]
    place: NDArray[Any] | None = None
    extra: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", np.asarray(self.path, dtype=object))
        object.__setattr__(self, "author", np.asarray(self.author, dtype=object))
        try:
            object.__setattr__(self, "timestamp", np.asarray(self.timestamp, dtype=np.float64))
        except (TypeError, ValueError):
            raise DoppelgramError("posts: a timestamp is not a number; give UTC seconds, NaN where not known") from None
        if self.place is not None:
            object.__setattr__(self, "place", np.asarray(self.place, dtype=object))
        columns = {"author": self.author, "timestamp": self.timestamp, "place": self.place, **self.extra}
        for name, column in columns.items():
            if column is not None and len(column) != len(self.path):
                raise DoppelgramError(
                    f"posts: column '{name}' has {len(column)} entries for {len(self.path)} paths; give one for each"
                )
        far = np.abs(self.timestamp) > _FARTHEST
        if far.any():
            row = int(np.argmax(far))
            raise DoppelgramError(
                f"posts: row {row} ({self.path[row]}) has the timestamp {self.timestamp[row]:g}; give UTC seconds of a "
                "time between 1678 and 2261, or leave it empty"
            )
        names, counts = np.unique(self.path.astype(str), return_counts=True)
        if (counts > 1).any():
            raise DoppelgramError(f"posts: '{names[np.argmax(counts)]}' occurs more than once; give every post once")

    @classmethod
    def of(cls, posts: Posts, *, places: bool = True) -> PostTable:
        """The table of posts that were read; a column ``place`` counts if ``places``, and if it is not empty."""
        table = {str(name): posts.table[name].to_numpy(dtype=object) for name in posts.table}
        place = table.pop("place", None)
        if not places or place is None or not (place != "").any():
            place = None
        extra = {name: column for name, column in table.items() if name not in ("path", "author", "timestamp")}
        return cls(table["path"], table["author"], posts.seconds, place, extra)

    def __len__(self) -> int:
        return len(self.path)

    @property
    def author_codes(self) -> NDArray[np.int64]:
        """A number for each author; every post without an author has a number of its own."""
        return author_codes(self.author.astype(str))


def author_codes(author: NDArray[Any]) -> NDArray[np.int64]:
    """A number for each of some authors, text (n,); every empty one has a number of its own."""
    _, codes = np.unique(author, return_inverse=True)
    codes = codes.astype(np.int64)
    unknown = author == ""
    codes[unknown] = (codes.max() if len(codes) else 0) + 1 + np.arange(int(unknown.sum()))
    return codes


def unset_clocks(timestamp: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which times are those of a clock that was never set: where clocks start, years away from the median post."""
    known = timestamp[~np.isnan(timestamp)]
    unset = np.zeros(len(timestamp), dtype=bool)
    for start, end in _UNSET:
        # A time zone moves the first hour by up to half a day.
        if len(known) and abs(float(np.median(known)) - start) >= 5 * _YEAR:
            unset |= (timestamp >= start - DAY / 2) & (timestamp < end)
    return unset
