"""Posts: a Collection whose rows have an author and a time, and what every reader of posts makes one from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from doppelgram.dataset.collection import Collection
from doppelgram.dataset.times import Clock, time_column
from doppelgram.errors import DoppelgramError


@dataclass(frozen=True)
class Posts(Collection):
    """A collection of posts, one row a picture.

    Attributes:
        source: name of the reader that made them, such as ``table`` or ``export``; notes say what it left out.
    """

    source: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        for column in ("author", "timestamp"):
            if column not in self.table.columns:
                raise DoppelgramError(f"{self.root}: posts need a column '{column}'")

    @property
    def authors(self) -> np.ndarray[Any, np.dtype[np.str_]]:
        """Who posted each picture, text (n,); empty where it is not known."""
        return self.column("author")

    @property
    def seconds(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """When each was posted, in seconds since 1970 (UTC), float64 (n,); NaN where it is not known."""
        return seconds_of(self.table["timestamp"])


def seconds_of(times: pd.Series) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Seconds since 1970, float64 (n,), of a column of UTC times; NaN where one is missing."""
    return np.asarray((times - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(seconds=1), dtype=np.float64)


@dataclass(frozen=True)
class ReadOptions:
    """Settings of a reader of posts.

    Attributes:
        clock: reads the times.
        root: where a table's relative paths start, when not in the table's own folder.
        progress: called with numbers of photographs as these are opened.
    """

    clock: Clock
    root: Path | None = None
    progress: Callable[[int], None] | None = None


@dataclass(frozen=True)
class PostRow:
    """One picture of a post.

    Attributes:
        path: relative to the collection's root, with slashes.
        author: empty where it is not known.
        timestamp: in UTC, None where it is not known.
        where: what to call the row in an error.
        more: further columns as text.
    """

    path: str
    author: str
    timestamp: datetime | None
    where: str
    more: dict[str, str] = field(default_factory=dict)


def collect(root: Path, rows: Sequence[PostRow], notes: Sequence[str], source: str) -> Posts:
    """The rows as posts, sorted by path, without a label; further columns only where one row has something.

    Raises:
        DoppelgramError: there are no rows, or a picture stands in two of them; both are named.
    """
    if not rows:
        raise DoppelgramError(f"{root}: there are no pictures among the media of these posts")
    first: dict[str, PostRow] = {}
    for row in map(_encodable, rows):
        if row.path in first:
            raise DoppelgramError(
                f"{row.where}: the picture {row.path!r} belongs to an earlier post too ({first[row.path].where})"
            )
        first[row.path] = row
    ordered = [first[path] for path in sorted(first)]
    columns: dict[str, object] = {
        "path": [row.path for row in ordered],
        "author": [row.author for row in ordered],
        "timestamp": time_column([row.timestamp for row in ordered]),
    }
    for name in dict.fromkeys(name for row in ordered for name in row.more):
        values = [row.more.get(name, "") for row in ordered]
        if any(values):
            columns[name] = values
    return Posts(root, pd.DataFrame(columns), "", tuple(note for note in notes if note), source)


def _encodable(row: PostRow) -> PostRow:
    """The row with what is no text, halves of letters that JSON can hold, replaced by question marks."""
    path, author = (text.encode("utf-8", "replace").decode("utf-8") for text in (row.path, row.author))
    more = {name: text.encode("utf-8", "replace").decode("utf-8") for name, text in row.more.items()}
    return replace(row, path=path, author=author, more=more)


def inside(path: str, where: str) -> str:
    """A media path of an export, relative and within it, with slashes.

    Raises:
        DoppelgramError: it is empty or leads out of the export's folder.
    """
    parts = [part for part in path.replace("\\", "/").split("/") if part not in ("", ".")]
    if not parts or ".." in parts or path.startswith(("/", "\\")) or ":" in parts[0]:
        raise DoppelgramError(f"{where}: the media path {path[:80]!r} does not lie in the folder of the export")
    return "/".join(parts)


def no_pictures_note(count: int) -> str:
    """A note on media that are no pictures; empty if there are none."""
    if not count:
        return ""
    return f"{'1 medium that is' if count == 1 else f'{count:,} media that are'} no picture (videos) left aside"
