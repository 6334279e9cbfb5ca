"""A table of images as a Collection: the one way in which labels and posts are read from tables."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from doppelgram.dataset.collection import BARE, Collection
from doppelgram.dataset.columns import AUTHOR_IDS, author_column, folded, is_empty
from doppelgram.dataset.left import LeftAside, left_notes
from doppelgram.dataset.records.authors import join_authors
from doppelgram.dataset.tables import Table, read_table
from doppelgram.dataset.times import Clock, is_time, time_column
from doppelgram.errors import DoppelgramError

_SEVERAL = re.compile(r"[;|,](?=\s*\S)|\n")
_IMAGE = re.compile(r"\.[A-Za-z]{3,4}$")
_ELSEWHERE = re.compile(r"/|\\|[A-Za-z]:|[a-z]+://|~")  # a path from another machine, or an address


class ImageRows(NamedTuple):
    """The rows of a table of images.

    Attributes:
        collection: them, with ``path`` first and without a label.
        left: rows that were left aside, and why.
        origins: what the table calls each column.
    """

    collection: Collection
    left: tuple[LeftAside, ...]
    origins: Mapping[str, str]


def read_image_table(file: Path, clock: Clock, **settings: Any) -> Collection:
    """The rows of a table; see `read_image_rows`, whose settings these are. What was left aside is in the notes."""
    found = read_image_rows(file, clock, **settings)
    return replace(found.collection, notes=(*found.collection.notes, *left_notes(found.left)))


def read_image_rows(
    file: Path,
    clock: Clock,
    *,
    root: Path | None = None,
    needed: Sequence[str] = ("path",),
    what: str = "this table",
    columns: Mapping[str, str] | None = None,
    posts: bool = False,
) -> ImageRows:
    """The rows of a table in its order, with ``path`` first and without a label.

    A column ``author`` is empty, and a column ``timestamp`` missing, where the table says nothing; the pose of a bare
    place is empty. A path with backslashes, with letters composed in another way, or from another machine, that leads
    to no file counts as the file to which it leads otherwise. A row with a list of paths is one row a picture. A row
    that says the same as an earlier one is left out; rows that say different things of one picture are two posts, and
    otherwise left aside.

    Args:
        file: CSV, TSV, Excel or Parquet.
        clock: reads the times.
        root: where relative paths start, when not in the table's own folder.
        needed: columns that it must have, ``path`` among them; they come first.
        what: what to call the table where one of these is missing.
        columns: what the table calls a column that is known here by another name.
        posts: whether its rows are posts.

    Raises:
        DoppelgramError: it has no rows or lacks a column; or half of the rows hold no path, one that was there before,
            or something that is no time: the first is named.
    """
    table = read_table(file, ("path",), what, columns)
    return image_rows(table, clock, Path(root) if root else file.parent, needed=needed, what=what, posts=posts)


def image_rows(
    table: Table,
    clock: Clock,
    base: Path,
    *,
    needed: Sequence[str] = ("path",),
    what: str = "this table",
    posts: bool = False,
) -> ImageRows:
    """What `read_image_rows` makes of a table that is read, with relative paths below ``base``."""
    file = table.file
    table = _with_times_only(table)
    table.require(needed, what)
    if table.rows.empty:
        raise DoppelgramError(f"{file}: the table has no rows")
    table = _one_picture_a_row(table, base)
    table = table.leave(table.rows["path"] == "", "the path is empty", "rows without a path")
    found = _Tails(base)
    table = replace(table, rows=table.rows.assign(path=[found(path) for path in table.rows["path"]]))
    table, shared = _each_path_once(table, posts)
    rows, notes = table.rows.copy(), [*table.notes, *shared]
    if "author" in rows:
        rows["author"], of_authors = author_column(rows["author"])
        ids = next((rows[name] for name in AUTHOR_IDS if name in rows), pd.Series([""] * len(rows)))
        rows["author"], joined = join_authors(rows["author"].tolist(), ids.tolist())
        notes += [f"{file.name}: {note}" for note in [*of_authors, *joined]]
    if "timestamp" in rows:
        rows["timestamp"] = _times(table, clock)
    for name in ("place", "likes", "caption") if posts else ():
        if name in rows:
            rows[name] = rows[name].where(
                ~rows[name].isin([text for text in rows[name].unique() if is_empty(text)]), ""
            )
    if posts and "place" not in rows and (places := places_of(rows)) is not None:
        rows["place"] = places
    if {"place", "pose"} <= set(rows.columns):
        rows["pose"] = rows["pose"].replace(BARE, "")
    rows = rows[[*needed, *[name for name in rows if name not in needed]]]
    origins = {name: f"column {spelled!r}" for name, spelled in table.spelled.items()}
    return ImageRows(Collection(base, rows, "", tuple(notes)), table.left, origins)


def places_of(rows: pd.DataFrame) -> list[str] | None:
    """Places from columns of coordinates, to a thousandth of a degree, or from a column ``location``; else None."""
    for name in ("location", "location_name"):
        if name in rows and (rows[name] != "").any():
            return [str(text) for text in rows[name]]
    for north, east in (("lat", "lng"), ("lat", "lon"), ("latitude", "longitude")):
        if north in rows and east in rows:
            return [_coordinates(*pair) for pair in zip(rows[north], rows[east], strict=True)]
    return None


def _coordinates(north: str, east: str) -> str:
    try:
        pair = float(north), float(east)
    except ValueError:
        return ""
    return f"{pair[0]:.3f}, {pair[1]:.3f}" if any(pair) else ""


def _times(table: Table, clock: Clock) -> pd.Series:
    """The times; what is none counts as not known, unless it is half of them."""
    texts = table.rows["timestamp"].tolist()
    clock.learn(texts)
    before = len(clock.unread)
    moments = [clock.try_read(text, table.where(at)) for at, text in enumerate(texts)]
    if 2 * (len(clock.unread) - before) >= sum(not is_empty(text) for text in texts) > 0:
        raise DoppelgramError(clock.unread[before])
    return time_column(moments)


def _one_picture_a_row(table: Table, base: Path) -> Table:
    """The table with a row for each picture of a list: ``["a.jpg", "b.jpg"]`` or ``a.jpg;b.jpg``."""
    lists = [_paths_in(text, base) for text in table.rows["path"]]
    if all(len(paths) == 1 for paths in lists):
        return replace(table, rows=table.rows.assign(path=[paths[0] for paths in lists]))
    at = np.repeat(np.arange(len(lists)), [len(paths) for paths in lists])
    rows = table.rows.iloc[at].reset_index(drop=True).assign(path=[path for paths in lists for path in paths])
    several = sum(len(paths) > 1 for paths in lists)
    note = f"{table.file.name}: {several:,} row{'s name' if several > 1 else ' names'} several pictures; each is a row"
    return replace(table, rows=rows, numbers=table.numbers[at], notes=(*table.notes, note))


def _paths_in(text: str, base: Path) -> list[str]:
    if text.startswith("[") and text.endswith("]") and not (base / text).is_file():
        quoted = re.findall(r"""(["'])(.*?)\1""", text)
        return [path for _, path in quoted if path] or [""]
    if _SEVERAL.search(text) and not (base / text).is_file():
        parts = [part.strip() for part in _SEVERAL.split(text) if part.strip()]
        if len(parts) > 1 and all(_IMAGE.search(part) for part in parts):
            return parts
    return [text]


def _each_path_once(table: Table, posts: bool) -> tuple[Table, list[str]]:
    """The table without rows that repeat an earlier one; and notes of pictures that several posts show."""
    again = table.rows["path"].duplicated()
    if not again.any():
        return table, []
    same = table.rows.duplicated() & again
    table = table.leave(same, "the path {} stands in an earlier row too", "rows that repeat an earlier row", "path")
    again = table.rows["path"].duplicated()
    if not again.any():
        return table, []
    if not posts:
        every = table.rows["path"].duplicated(keep=False)
        if 2 * int(every.sum()) >= len(table.rows):
            table.refuse(again, "the path {} stands in an earlier row too", "path")
        return table.leave(every, "", "rows that say different things of the same picture"), []
    seen: set[str] = set()
    paths = [own_path(path, seen) for path in table.rows["path"]]
    count, first = int(again.sum()), table.rows["path"][again.to_numpy().argmax()]
    shows = "1 row shows" if count == 1 else f"{count:,} rows show"
    note = f"{table.file.name}: {shows} a picture of an earlier row, such as {first!r}; each counts as a post"
    return replace(table, rows=table.rows.assign(path=paths)), [note]


def own_path(path: str, seen: set[str]) -> str:
    """A spelling of a path that was not seen yet: ``./`` and the path leads to the same picture."""
    while path in seen:
        start = path.index("/") + 1 if Path(path).is_absolute() and "/" in path else 0
        path = f"{path[:start]}./{path[start:]}"
    seen.add(path)
    return path


class _Tails:
    """Finds the file that a path means below a folder: see `found_path`."""

    def __init__(self, base: Path) -> None:
        self.base = base

    def __call__(self, path: str) -> str:
        found = found_path(self.base, path)
        if not _ELSEWHERE.match(path) or Path(found).is_file():
            return found
        parts = [part for part in found.split("/") if part]
        ends = ("/".join(parts[at:]) for at in range(1, len(parts)))
        return next((end for end in ends if (self.base / end).is_file()), found)


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
