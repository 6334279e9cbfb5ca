"""A table of images as a Collection: the one way in which labels and posts are read from CSV, TSV and Parquet."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from doppelgram.dataset.collection import BARE, Collection
from doppelgram.dataset.columns import author_column, folded
from doppelgram.dataset.tables import Table, read_table
from doppelgram.dataset.times import Clock, is_time, time_column
from doppelgram.errors import DoppelgramError


def read_image_table(
    file: Path, clock: Clock, *, root: Path | None = None, needed: Sequence[str] = ("path",), what: str = "this table"
) -> Collection:
    """The rows of a table in its order, with ``path`` first and without a label.

    A column ``author`` is empty, and a column ``timestamp`` missing, where the table says nothing; the pose of a bare
    place is empty. A path with backslashes, or with letters composed in another way, that leads to no file counts as
    the file to which it leads otherwise.

    Args:
        file: CSV, TSV or Parquet.
        clock: reads the times.
        root: where relative paths start, when not in the table's own folder.
        needed: columns that it must have, ``path`` among them; they come first.
        what: what to call the table where one of these is missing.

    Raises:
        DoppelgramError: it has no rows or lacks a column, or a row holds an empty or repeated path or something that is
            no time; the row is named.
    """
    table = _with_times_only(read_table(file, ("path",), what))
    table.require(needed, what)
    if table.rows.empty:
        raise DoppelgramError(f"{file}: the table has no rows")
    base = Path(root) if root else file.parent
    rows, notes = table.rows.copy(), list(table.notes)
    rows["path"] = [found_path(base, path) if path else "" for path in rows["path"]]
    table = replace(table, rows=rows)
    table.require_unique()
    if "author" in rows:
        rows["author"], of_authors = author_column(rows["author"])
        notes += [f"{file.name}: {note}" for note in of_authors]
    if "timestamp" in rows:
        rows["timestamp"] = time_column([clock.read(text, table.where(n)) for n, text in enumerate(rows["timestamp"])])
    if {"place", "pose"} <= set(rows.columns):
        rows["pose"] = rows["pose"].replace(BARE, "")
    rows = rows[[*needed, *[name for name in rows if name not in needed]]]
    return Collection(base, rows, "", tuple(notes))


def _with_times_only(table: Table) -> Table:
    """The table, in which a column that is only like a time by its name (``date: spring``) keeps that name."""
    spelled = table.spelled.get("timestamp", "timestamp")
    if folded(spelled) == "timestamp" or any(is_time(text) for text in table.rows["timestamp"]):
        return table
    return replace(table, rows=table.rows.rename(columns={"timestamp": spelled}))


def found_path(root: Path, path: str) -> str:
    """The spelling of a path under which it leads to a file: as it is, with slashes, or with its letters recomposed.

    Windows writes backslashes, and macOS letters apart from their accents. Where nothing is found backslashes become
    slashes, so that what is missing is named alike everywhere.
    """
    if path.isascii() and "\\" not in path:
        return path
    plain = path.replace("\\", "/")
    forms = (path, plain, unicodedata.normalize("NFC", plain), unicodedata.normalize("NFD", plain))
    return next((form for form in dict.fromkeys(forms) if (root / form).is_file()), plain)


def path_key(path: str) -> str:
    """What two spellings of a path have in common: slashes and composed letters."""
    return path if path.isascii() and "\\" not in path else unicodedata.normalize("NFC", path.replace("\\", "/"))


def match_paths(paths: Iterable[str], others: Iterable[str]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """For each of ``paths`` the position in ``others`` of the same path, however spelled; int64 (n,), -1 for none."""
    known = list(others)
    exact = {path: position for position, path in enumerate(known)}
    alike = {path_key(path): position for position, path in enumerate(known)}
    return np.array([exact.get(path, alike.get(path_key(path), -1)) for path in paths], dtype=np.int64)


def columns_by_path(paths: Iterable[str], table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Columns of a table in the order of ``paths``, empty (or no time) in rows whose path it does not hold."""
    at = match_paths(paths, table["path"])
    found = table[list(names)].iloc[at].reset_index(drop=True)
    for name in names:
        found[name] = found[name].where(at >= 0, pd.NaT if name == "timestamp" else "")
    return found
