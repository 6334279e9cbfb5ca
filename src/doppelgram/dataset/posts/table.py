"""A table of posts: path, author, timestamp and any other columns."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from doppelgram.dataset.collection import Collection
from doppelgram.dataset.posts.times import Clock, time_column
from doppelgram.dataset.readers import open_table
from doppelgram.errors import DoppelgramError


def read_post_table(file: Path, clock: Clock, *, root: Path | None = None) -> Collection:
    """Read a CSV, TSV or Parquet file of posts; the header is row 1.

    Raises:
        DoppelgramError: it cannot be read, a column ``path`` or ``timestamp`` is wanting, or a row holds an empty or
            repeated path or something that is no time; the row is named.
    """
    table = open_table(file)
    for column in ("path", "timestamp"):
        if column not in table.columns:
            known = ", ".join(table.columns)
            raise DoppelgramError(
                f"{file}: a table of posts needs the columns path, author and timestamp; "
                f"there is no '{column}' among {known}"
            )
    if table.empty:
        raise DoppelgramError(f"{file}: the table has no rows")
    notes = []
    if "author" not in table.columns:
        notes.append("the table has no column 'author'")
        table["author"] = ""
    # Parquet holds numbers and times; both as text here, so that one reader understands every table.
    texts = {
        column: table[column].astype(object).where(table[column].notna(), "").map(str).str.strip()
        for column in table.columns
    }
    path = texts["path"]
    for wrong, why in ((path == "", "the path is empty"), (path.duplicated(), "the path stands in an earlier row too")):
        if wrong.any():
            row = int(wrong.to_numpy().argmax())
            raise DoppelgramError(f"{file}: row {row + 2}: {why}{f' ({path.iloc[row]!r})' if path.iloc[row] else ''}")
    moments = [clock.read(text, f"{file}: row {row + 2}") for row, text in enumerate(texts["timestamp"])]
    found = pd.DataFrame({**texts, "timestamp": time_column(moments)})
    order = ["path", "author", "timestamp"]
    found = found[[*order, *[column for column in found.columns if column not in order]]]
    return Collection(root or file.parent, found, "", tuple(notes))
