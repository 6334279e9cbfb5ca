"""Rows of posts on their way into a Collection: what every reader of posts ends with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import pandas as pd

from doppelgram.dataset.collection import Collection
from doppelgram.dataset.posts.times import time_column
from doppelgram.errors import DoppelgramError


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


def collect(root: Path, rows: Sequence[PostRow], notes: Sequence[str]) -> Collection:
    """The rows as a collection, sorted by path, without a label; further columns only where one row has something.

    Raises:
        DoppelgramError: a picture stands in two rows; both are named.
    """
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
    return Collection(root, pd.DataFrame(columns), "", tuple(note for note in notes if note))


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


def counted(count: int, one: str, many: str) -> str:
    """``1 <one>`` or ``<count> <many>``."""
    return f"1 {one}" if count == 1 else f"{count:,} {many}"
