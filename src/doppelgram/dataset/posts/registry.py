"""The readers of posts, each a module of this folder, and the question which of them reads what somebody has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from doppelgram.dataset.collection import Collection
from doppelgram.dataset.posts import exif, export, records, sidecars, table
from doppelgram.dataset.posts.posts import Posts, ReadOptions
from doppelgram.dataset.times import Clock, time_column
from doppelgram.errors import DoppelgramError


class PostReader(Protocol):
    """One way in which posts are kept.

    Attributes:
        name: what posts call it as their ``source``.
        reads: what it reads, for a person who gave something else.
    """

    name: str
    reads: str

    def claims(self, data: Path) -> bool:
        """Whether an existing file or folder is of this kind, without reading more of it than that takes."""
        ...

    def read(self, data: Path, options: ReadOptions) -> Posts:
        """The posts in it; raises DoppelgramError where a row cannot be used, and names file and row."""
        ...


# The first that claims it reads it: those that know most of a post stand first. A new format is one more line here.
READERS: tuple[PostReader, ...] = (
    table,
    export,
    sidecars,
    records,
    exif,
)


def read_posts(
    data: Path | str,
    *,
    timezone: str = "UTC",
    root: Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> Posts:
    """Read posts: a row a picture, with ``path``, ``author`` (empty if not known) and ``timestamp`` (UTC, or missing).

    What is understood, in this order:

    - a **table** (CSV, TSV, Parquet) with the columns ``path``, ``author`` and ``timestamp`` and any others, or a
      folder in which it is called ``posts``;
    - an Instagram **data export** (its folder, several such folders in one, or its ``posts_1.json``): one author each;
    - the JSON that **downloaders** leave beside each picture or post (instaloader, gallery-dl, yt-dlp and those that
      write alike), packed or not, or one JSON file that lists posts;
    - a folder of **photographs**: the times are those of their EXIF data, and authors are not known.

    No picture is decoded here: whether a file is missing or broken is found out, and reported, when it is embedded.

    Args:
        data: the table, the JSON file or the folder.
        timezone: of times that name none, by its IANA name.
        root: where a table's relative paths start, when not in the table's own folder.
        progress: called with numbers of photographs as their EXIF data are read.

    Returns:
        The posts, sorted by path unless they come from a table, without a label; notes say what was left aside.

    Raises:
        DoppelgramError: nothing there, or a row that cannot be used; file and row are named.
    """
    data = Path(data).expanduser()
    options = ReadOptions(Clock(timezone), root, progress)
    if not data.exists():
        raise DoppelgramError(f"{data}: there is no such folder, table or JSON file of posts")
    reader = next((reader for reader in READERS if reader.claims(data)), None)
    if reader is None:
        known = "; ".join(reader.reads for reader in READERS)
        raise DoppelgramError(f"{data}: there are no posts in this {'folder' if data.is_dir() else 'file'}; {known}")
    found = reader.read(data, options)
    note = options.clock.note()
    return replace(found, notes=(*found.notes, f"{note} (--timezone)")) if note else found


def as_posts(data: Collection | Path | str, *, timezone: str = "UTC") -> Posts:
    """Posts as they are, read from their path by `read_posts`, or made of a collection.

    Where a collection has no authors or no times, none is known.
    """
    if isinstance(data, Posts):
        return data
    if not isinstance(data, Collection):
        return read_posts(data, timezone=timezone)
    table = data.table.copy()
    for name in {"author", "timestamp"} - set(table):
        table[name] = "" if name == "author" else time_column([None] * len(table))
    return Posts(data.root, table, data.label, data.notes, "collection")
