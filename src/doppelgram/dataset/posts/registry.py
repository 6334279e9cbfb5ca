"""The readers of posts, each a module of this folder, and the question which of them reads what somebody has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from doppelgram.dataset.collection import Collection
from doppelgram.dataset.posts import (
    apify,
    crowdtangle,
    exif,
    export,
    fourcat,
    gallery_dl,
    instaloader,
    records,
    sidecars,
    table,
    takeout,
    zeeschuimer,
)
from doppelgram.dataset.posts.capture import RecordsReader
from doppelgram.dataset.posts.posts import Posts, ReadOptions
from doppelgram.dataset.posts.source import Dialect, Source
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

    def claims(self, source: Source) -> bool:
        """Whether an existing file or folder is of this kind."""
        ...

    def read(self, source: Source, options: ReadOptions) -> Posts:
        """The posts in it; raises DoppelgramError where nothing of it can be used, and names file and row."""
        ...


# Ways to write records in JSON and tables; the first that understands a file has it. A new one is one more line here.
DIALECTS: tuple[Dialect, ...] = (
    zeeschuimer,
    instaloader,
    gallery_dl,
    apify,
    takeout,
    export,
    fourcat,
    crowdtangle,
    records,
    sidecars,
)
# The first that claims it reads it: those that know most of a post stand first.
READERS: tuple[PostReader, ...] = (table, *map(RecordsReader, DIALECTS), exif)


def read_posts(
    data: Path | str,
    *,
    timezone: str = "UTC",
    root: Path | None = None,
    columns: Mapping[str, str] | None = None,
    reader: str = "",
    progress: Callable[[int], None] | None = None,
) -> Posts:
    """Read posts: a row a picture, with ``path``, ``author`` (empty if not known) and ``timestamp`` (UTC, or missing).

    What is understood, in this order:

    - a **table** (CSV, TSV, Excel, Parquet) with the columns ``path``, ``author`` and ``timestamp`` and any others, or
      a folder in which it is called ``posts``, or is the only such table;
    - **records** in JSON and tables, beside the pictures that they speak of: captures of Zeeschuimer and 4CAT, what
      instaloader, gallery-dl and others write beside each picture or post, Apify's items, data exports of Instagram
      and Facebook, Google Takeout, tables that name pictures by address (CrowdTangle), and JSON that lists posts;
    - a folder of **photographs**: the times are those of their EXIF data, and authors are not known. A folder with
      JSON or a table that nobody understands is refused.

    No picture is decoded here: whether a file is missing or broken is found out, and reported, when it is embedded.

    Args:
        data: the table, the JSON file, the folder, or a ZIP file of it.
        timezone: of times that name none, by its IANA name.
        root: where a table's relative paths start, when not in the table's own folder.
        columns: what a table calls a column: ``{"path": "File", "author": "User"}``.
        reader: the reader to use, by name, instead of the first that understands it.
        progress: called with numbers of photographs as their EXIF data are read.

    Returns:
        The posts, sorted by path unless they come from a table, without a label; notes say what was left aside.

    Raises:
        DoppelgramError: nothing there, or nothing in it that can be used; file and row are named.
    """
    data = Path(data).expanduser()
    options = ReadOptions(Clock(timezone), root, columns or {}, progress)
    if not data.exists():
        raise DoppelgramError(f"{data}: there is no such folder, table or JSON file of posts")
    source = Source(data, DIALECTS)
    export.finish(source)
    chosen = _chosen(source, options, reader)
    found = chosen.read(source, options)
    return replace(found, notes=(*found.notes, *options.clock.notes()))


def _chosen(source: Source, options: ReadOptions, name: str) -> PostReader:
    if name:
        known = {reader.name: reader for reader in READERS}
        if name not in known:
            raise DoppelgramError(f"there is no reader of posts called '{name}'; there are {', '.join(known)}")
        return known[name]
    if options.columns:
        return table
    found = next((reader for reader in READERS if reader.claims(source)), None)
    if found is None:
        known_forms = "".join(f"\n  - {reader.reads}" for reader in READERS)
        kind = "folder" if source.is_folder else "file"
        problem = next((one for document in source.documents for one in document.left), None)
        why = f" ({problem.what}: {problem.why})" if problem else ""
        raise DoppelgramError(f"{source.given}: there are no posts in this {kind}{why}. What can be read:{known_forms}")
    if found is exif:
        exif.refuse_unread(source)
    return found


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
