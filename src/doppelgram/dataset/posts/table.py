"""A table of posts: path, author, timestamp and any other columns."""

from __future__ import annotations

from pathlib import Path

from doppelgram.dataset.image_table import read_image_rows
from doppelgram.dataset.left import LeftAside, left_notes
from doppelgram.dataset.listing import Listing
from doppelgram.dataset.posts.posts import Posts, ReadOptions
from doppelgram.dataset.posts.source import Source
from doppelgram.dataset.tables import POSTS, TABLE_ENDINGS, read_table, table_in
from doppelgram.errors import DoppelgramError

name = "table"
reads = "a table (CSV, TSV, Excel, Parquet) with the columns path, author and timestamp, in a folder called posts.csv"


def claims(source: Source) -> bool:
    """Whether it is a table with pictures' paths, or a folder with one called ``posts``, or with no other table."""
    if not source.is_folder:
        return source.path.suffix.lower() in TABLE_ENDINGS and not any(one.dialect for one in source.documents)
    return _file(source) is not None


def _file(source: Source) -> Path | None:
    if not source.is_folder:
        return source.path
    if (named := table_in(source.path, "posts")) is not None and _fits(named, ("path",)):
        return named
    tables = [file for file in source.listing.tables if _fits(file, ("path", "timestamp"))]
    return tables[0] if len(tables) == 1 else None


def _fits(file: Path, columns: tuple[str, ...]) -> bool:
    try:
        found = read_table(file)
    except DoppelgramError:
        # A table of posts that cannot be read is to be said, and is no reason to look for other posts.
        return file.stem.casefold() == "posts"
    # Addresses are no paths; another reader looks for the pictures that they lead to.
    return set(columns) <= set(found.rows) and not found.rows["path"].head(20).str.contains("://").any()


def read(source: Source, options: ReadOptions) -> Posts:
    """Read the table, in its order.

    Raises:
        DoppelgramError: it cannot be read, a column ``path`` or ``timestamp`` is missing, or half its rows are wrong.
    """
    file = _file(source) or source.path
    found = read_image_rows(
        file,
        options.clock,
        root=options.root,
        needed=("path", "timestamp"),
        what=POSTS,
        columns=options.columns,
        posts=True,
    )
    table, notes = found.collection.table, found.collection.notes
    left = list(found.left)
    if source.is_folder:
        left += _others(source.listing, file, set(table["path"]), options.root)
    if "author" not in table:
        table, notes = table.assign(author=""), (*notes, "the table has no column 'author'")
    first = ["path", "author", "timestamp"]
    table = table[[*first, *[column for column in table if column not in first]]]
    return Posts(found.collection.root, table, "", (*notes, *left_notes(left)), name, tuple(left), found.origins)


def _others(listing: Listing, table: Path, named: set[str], root: Path | None) -> list[LeftAside]:
    """What lies beside the table and is not read: pictures that it does not name, JSON, and further tables."""
    left = [
        LeftAside(listing.name(one), f"not read, since {table.name} is") for one in (*listing.json, *listing.tables)
    ]
    left = [one for one in left if one.what != listing.name(table)]
    if root is None and table.parent == listing.folder:
        named = {path.removeprefix("./") for path in named}
        images = ("/".join(parts) for parts in listing.images)
        left += [
            LeftAside(image, f"pictures that {table.name} does not name") for image in images if image not in named
        ]
    return [*left, *listing.left, *listing.leave_others()]
