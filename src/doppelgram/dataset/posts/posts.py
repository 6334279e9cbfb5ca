"""Posts: a Collection whose rows have an author and a time, and what every reader of posts makes one from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from doppelgram.dataset.archives import located
from doppelgram.dataset.collection import Collection
from doppelgram.dataset.image_table import own_path
from doppelgram.dataset.left import LeftAside, left_notes
from doppelgram.dataset.records.authors import join_authors
from doppelgram.dataset.times import Clock, time_column
from doppelgram.errors import DoppelgramError


@dataclass(frozen=True)
class Posts(Collection):
    """A collection of posts, one row a picture.

    Attributes:
        source: name of the reader that made them, such as ``table`` or ``export``.
        left: what was left aside, and why; notes tell it in sentences.
        origins: of ``author``, ``timestamp`` and further columns: the fields that they came from.
    """

    source: str = ""
    left: tuple[LeftAside, ...] = ()
    origins: Mapping[str, str] = field(default_factory=dict)

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
        columns: what a table calls a column that has another name here.
        progress: called with numbers of photographs as these are opened.
    """

    clock: Clock
    root: Path | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    progress: Callable[[int], None] | None = None


@dataclass(frozen=True)
class PostRow:
    """One picture of a post.

    Attributes:
        path: relative to the collection's root, with slashes.
        author: empty where it is not known.
        timestamp: in UTC, None where it is not known.
        where: what to call the row in a sentence.
        more: further columns as text.
        author_id: number of the author, empty where it is not known.
        key: by which the same picture of the same post, found again, has the same value; empty where it is not known.
        origins: name of the field that each column came from.
    """

    path: str
    author: str
    timestamp: datetime | None
    where: str
    more: dict[str, str] = field(default_factory=dict)
    author_id: str = ""
    key: str = ""
    origins: Mapping[str, str] = field(default_factory=dict)


def collect(
    root: Path, rows: Sequence[PostRow], notes: Iterable[str], source: str, left: Iterable[LeftAside] = ()
) -> Posts:
    """The rows as posts, sorted by path, without a label; further columns only where one row has something.

    The same post found twice counts once. One picture of several posts has a row for each.

    Raises:
        DoppelgramError: there are no rows.
    """
    left = tuple(left)
    if not rows:
        why = "; ".join(left_notes(left)[:3])
        raise DoppelgramError(f"{root}: there are no pictures among the media of these posts{why and f' ({why})'}")
    rows = [_encodable(row) for row in rows]
    authors, of_authors = join_authors([row.author for row in rows], [row.author_id for row in rows])
    rows = [replace(row, author=author) for row, author in zip(rows, authors, strict=True)]
    rows, twice = _once(root, rows)
    rows, shared = with_own_paths(rows)
    ordered = sorted(rows, key=lambda row: row.path.removeprefix("./"))
    columns: dict[str, object] = {
        "path": [row.path for row in ordered],
        "author": [row.author for row in ordered],
        "timestamp": time_column([row.timestamp for row in ordered]),
    }
    for name in dict.fromkeys(name for row in ordered for name in row.more):
        values = [row.more.get(name, "") for row in ordered]
        if any(values):
            columns[name] = values
    every = [*notes, *of_authors, *twice, *shared, *left_notes(left)]
    return Posts(root, pd.DataFrame(columns), "", tuple(filter(None, every)), source, left, _origins(ordered))


def _origins(rows: Sequence[PostRow]) -> dict[str, str]:
    """Of each column the fields that it came from, the most frequent first, with how many rows where they differ."""
    counts: dict[str, Counter[str]] = {}
    for row in rows:
        for column, key in row.origins.items():
            counts.setdefault(column, Counter())[key] += 1
    return {
        column: next(iter(found))
        if len(found) == 1
        else ", ".join(f"{key} ({count:,})" for key, count in found.most_common(3))
        for column, found in counts.items()
    }


def _once(root: Path, rows: Sequence[PostRow]) -> tuple[list[PostRow], list[str]]:
    """The rows without those of a post that was found before, and a note; the first one gets what it lacks."""
    kept: dict[object, PostRow] = {}
    twice: list[tuple[str, str]] = []
    for position, row in enumerate(rows):
        same = (row.key, row.timestamp, row.author) if row.key else position
        for key in (same, ("path", row.path, row.timestamp, row.author)):
            if key in kept:
                break
        earlier = kept.get(key)
        if earlier is None:
            kept[same] = kept["path", row.path, row.timestamp, row.author] = row
            continue
        twice.append((earlier.path, row.path))
        more = earlier.more | {name: text for name, text in row.more.items() if text and not earlier.more.get(name)}
        there, here = (located(root, path).is_file() for path in (earlier.path, row.path))
        better = row.path if not there and here else earlier.path
        joined = replace(earlier, more=more, path=better)
        for name in [name for name, one in kept.items() if one is earlier]:
            kept[name] = joined
    found = list({id(row): row for row in kept.values()}.values())
    if not twice:
        return found, []
    first, again = twice[0]
    shown = f"{first!r} and {again!r}" if first != again else repr(first)
    count = "1 picture was" if len(twice) == 1 else f"{len(twice):,} pictures were"
    return found, [f"{count} found twice in the same post, such as {shown}, and count{'s' * (len(twice) == 1)} once"]


def with_own_paths(rows: Sequence[PostRow]) -> tuple[list[PostRow], list[str]]:
    """The rows with a path of its own for each, and a note: the picture of a second post is ``./`` and its path."""
    seen: set[str] = set()
    result, again = [], []
    for row in rows:
        path = own_path(row.path, seen)
        if path != row.path:
            again.append(row.path)
        result.append(replace(row, path=path))
    if not again:
        return result, []
    count = "1 post shows a picture" if len(again) == 1 else f"{len(again):,} posts show a picture"
    return result, [f"{count} of another post too, such as {again[0]!r}; each counts as a post"]


def _encodable(row: PostRow) -> PostRow:
    """The row with what is no text, halves of letters that JSON can hold, replaced by question marks."""
    path, author = (text.encode("utf-8", "replace").decode("utf-8") for text in (row.path, row.author))
    more = {name: text.encode("utf-8", "replace").decode("utf-8") for name, text in row.more.items()}
    return replace(row, path=path, author=author, more=more)
