"""A table of posts: path, author, timestamp and any other columns."""

from __future__ import annotations

from pathlib import Path

from doppelgram.dataset.image_table import read_image_table
from doppelgram.dataset.posts.posts import Posts, ReadOptions
from doppelgram.dataset.tables import TABLE_ENDINGS, table_in

name = "table"
reads = "a table (CSV, TSV, Parquet) with the columns path, author and timestamp, in a folder called posts.csv"


def claims(data: Path) -> bool:
    """Whether it is a table, or a folder with one called ``posts``."""
    return table_in(data, "posts") is not None if data.is_dir() else data.suffix.lower() in TABLE_ENDINGS


def read(data: Path, options: ReadOptions) -> Posts:
    """Read the table, in its order.

    Raises:
        DoppelgramError: it cannot be read, a column ``path`` or ``timestamp`` is missing, or a row cannot be used.
    """
    file = (table_in(data, "posts") or data) if data.is_dir() else data
    found = read_image_table(
        file, options.clock, root=options.root, needed=("path", "timestamp"), what="a table of posts"
    )
    table, notes = found.table, found.notes
    if "author" not in table:
        table, notes = table.assign(author=""), (*notes, "the table has no column 'author'")
    first = ["path", "author", "timestamp"]
    table = table[[*first, *[column for column in table if column not in first]]]
    return Posts(found.root, table, "", notes, name)
