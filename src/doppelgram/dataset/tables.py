"""Tables as pandas and spreadsheets write them, text, Excel or Parquet: rows of text under known column names."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from doppelgram.dataset.columns import canonical_names, folded, text_column
from doppelgram.dataset.left import LeftAside
from doppelgram.dataset.table_text import read_text
from doppelgram.errors import DoppelgramError
from doppelgram.numbers import plural

TABLE_ENDINGS = (".csv", ".tsv", ".parquet", ".pq", ".xlsx", ".xlsm")
POSTS = "a table of posts"
_EXCEL = frozenset((".xlsx", ".xlsm"))
_PARQUET = frozenset((".parquet", ".pq"))
_UNNAMED = re.compile(r"\s*|Unnamed: \d+(\.\d+)*")  # pandas' name for a column without one, also after a second saving
_LEVEL = re.compile(r"__index_level_\d+__")
_RESET = ("index", "level_0")


@dataclass(frozen=True)
class Table:
    """The rows of a file.

    Attributes:
        file: where they stand.
        rows: stripped text, empty where there is nothing; known columns by their canonical names.
        numbers: of each row in the file, int (n,); the header is row 1.
        spelled: the file's own name of each column.
        notes: remarks for a person to see.
        left: rows that were left aside.
    """

    file: Path
    rows: pd.DataFrame
    numbers: np.ndarray[Any, np.dtype[np.int64]]
    spelled: Mapping[str, str]
    notes: tuple[str, ...] = ()
    left: tuple[LeftAside, ...] = ()

    def where(self, position: int) -> str:
        """What to call a row in an error."""
        return f"{self.file}: row {self.numbers[position]}"

    def refuse(self, wrong: pd.Series, why: str, column: str = "") -> None:
        """Raise a DoppelgramError for the first row at which ``wrong`` holds; ``{}`` in ``why`` is its value."""
        if wrong.any():
            position = int(wrong.to_numpy().argmax())
            value = repr(self.rows[column].iloc[position][:200]) if column else ""
            raise DoppelgramError(f"{self.where(position)}: {why.format(value)}")

    def leave(self, wrong: pd.Series, why: str, reason: str, column: str = "") -> Table:
        """The table without the rows at which ``wrong`` holds, which are left aside for a ``reason``.

        Raises:
            DoppelgramError: it is half of the rows or more, so that the table is not what it is taken for; the first
                one is named as by `refuse`.
        """
        count = int(wrong.sum())
        if not count:
            return self
        if 2 * count >= len(self.rows):
            self.refuse(wrong, why, column)
        kept = ~wrong.to_numpy(dtype=bool)
        left = [LeftAside(self.where_short(at), reason) for at in np.flatnonzero(~kept).tolist()]
        return replace(
            self, rows=self.rows[kept].reset_index(drop=True), numbers=self.numbers[kept], left=(*self.left, *left)
        )

    def where_short(self, position: int) -> str:
        """What to call a row in a list of what was left aside."""
        return f"{self.file.name}: row {self.numbers[position]}"

    def require(self, columns: Sequence[str], what: str) -> None:
        """Raise a DoppelgramError where one of these columns is missing, which ``what`` needs."""
        for column in columns:
            if column not in self.rows:
                hint = f"; --columns {column}=NAME says which one it is" if what == POSTS else ""
                needed = f"{plural(len(columns), 'column')} {', '.join(columns)}"
                raise DoppelgramError(
                    f"{self.file}: {what} needs the {needed}; there is no '{column}' among "
                    f"{', '.join(self.spelled.values())}{hint}"
                )

    def require_unique(self, column: str = "path") -> None:
        """Raise a DoppelgramError where a value of this column is empty or stands in two rows."""
        self.refuse(self.rows[column] == "", f"the {column} is empty")
        self.refuse(self.rows[column].duplicated(), f"the {column} {{}} stands in an earlier row too", column)


def table_in(folder: Path, stem: str) -> Path | None:
    """The table of this name in a folder, however its name is capitalised; None if there is none."""
    for ending in TABLE_ENDINGS:
        if (folder / f"{stem}{ending}").is_file():
            return folder / f"{stem}{ending}"
    names = {f"{stem}{ending}" for ending in TABLE_ENDINGS}
    return next((file for file in sorted(folder.iterdir()) if file.name.lower() in names and file.is_file()), None)


def read_table(
    file: Path, needed: Sequence[str] = (), what: str = "this table", columns: Mapping[str, str] | None = None
) -> Table:
    """Read a CSV, TSV, Excel or Parquet file.

    The separator is whichever of comma, semicolon, tab and bar the header fits; the text is UTF-8, UTF-16 or, with a
    note, Windows-1252. Of an Excel file the first sheet that has rows is read. A frame's index means nothing: rows keep
    the file's order. Rows without any value are left out and counted; one with more values than the header has names
    is left aside, if most are not.

    Args:
        file: the table.
        needed: columns that it must have.
        what: what to call the table where one of these is missing.
        columns: what the file calls a column that is known here by another name.

    Raises:
        DoppelgramError: it cannot be read, a column stands there twice or is missing, or half of the rows hold more
            values than the header has names.
    """
    left: list[LeftAside] = []
    try:
        if file.suffix.lower() in _PARQUET:
            import pyarrow.parquet

            # Where whole numbers have gaps, pandas would make fractions of them, which hold no id of 17 digits.
            frame = pyarrow.parquet.read_table(file, partitioning=None).to_pandas(integer_object_nulls=True)
            numbers, notes = np.arange(len(frame)) + 2, list[str]()
        elif file.suffix.lower() in _EXCEL:
            frame, notes = _read_excel(file)
            numbers = np.arange(len(frame)) + 2
        else:
            frame, numbers, notes, left = read_text(file)
    except (OSError, ValueError, csv.Error) as problem:  # pyarrow's errors are ValueErrors
        reason = getattr(problem, "strerror", None) or problem
        raise DoppelgramError(f"{file}: cannot be read as a table: {' '.join(str(reason).split())}") from None
    table = table_of(file, frame, numbers, columns)
    table = replace(table, notes=(*notes, *table.notes), left=tuple(left))
    table.require(needed, what)
    return table


def table_of(
    file: Path,
    frame: pd.DataFrame,
    numbers: np.ndarray[Any, np.dtype[np.int64]],
    columns: Mapping[str, str] | None = None,
) -> Table:
    """The rows of a frame as text, its columns by the names that they have here.

    Columns of arrays or bytes, such as vectors and small pictures, are left out, and said in a note.

    Args:
        file: where it stands, for messages.
        frame: as it was read, or as somebody made it.
        numbers: of its rows, (n,).
        columns: what the frame calls a column that is known here by another name.

    Raises:
        DoppelgramError: a column stands there twice or is missing.
    """
    frame = _without_index(with_index_columns(frame))
    told = []
    if no_text := [name for name in frame.columns if _is_no_text(frame[name])]:
        told.append(f"{file.name}: left out, since no text is in them: {', '.join(map(str, no_text))}")
        frame = frame.drop(columns=no_text)
    names = [str(name).strip() for name in frame.columns]
    known = pd.Index(_renamed(file, names, columns or {}))
    if known.duplicated().any():
        raise DoppelgramError(f"{file}: the column '{known[known.duplicated()][0]}' stands in the table twice")
    rows = pd.DataFrame({name: text_column(frame.iloc[:, at]) for at, name in enumerate(known)}, dtype=object)
    empty = (rows == "").all(axis=1).to_numpy(dtype=bool)
    if empty.any() and len(known):
        told.append(f"{file.name}: {int(empty.sum()):,} empty row{'s' * (int(empty.sum()) > 1)} left out")
        rows, numbers = rows[~empty].reset_index(drop=True), numbers[~empty]
    return Table(file, rows, numbers, dict(zip(known, names, strict=True)), tuple(told))


def _is_no_text(values: Any) -> bool:
    """Whether the first value of a column is bytes, a record, or an array of numbers; a list of texts is text."""
    if not isinstance(values, pd.Series) or values.dtype != object:
        return False
    first = next((value for value in values if value is not None and not isinstance(value, float)), None)
    if isinstance(first, (bytes, bytearray, Mapping)):
        return True
    return isinstance(first, (list, tuple, np.ndarray)) and not all(isinstance(part, str) for part in first)


def _renamed(file: Path, names: list[str], columns: Mapping[str, str]) -> list[str]:
    """The columns' names here, those that somebody named for them first.

    Raises:
        DoppelgramError: the file has no column of a name that was given.
    """
    given: dict[int, str] = {}
    for meant, spelled in columns.items():
        fitting = [at for at, name in enumerate(names) if name == spelled.strip()]
        fitting = fitting or [at for at, name in enumerate(names) if folded(name) == folded(spelled)]
        if not fitting:
            raise DoppelgramError(f"{file}: there is no column '{spelled}' in it; it has {', '.join(names)}")
        given[fitting[0]] = meant.strip()
    # A column that happens to have a name which was given away keeps its own, marked.
    others = [name for at, name in enumerate(names) if at not in given]
    found = iter(canonical_names(others))
    result = [given[at] if at in given else next(found) for at in range(len(names))]
    taken = set(given.values())
    return [
        name if at in given or name not in taken else (names[at] if names[at] not in taken else f"{name} (unused)")
        for at, name in enumerate(result)
    ]


def _read_excel(file: Path) -> tuple[pd.DataFrame, list[str]]:
    """The first sheet of an Excel file that has rows, and a note where there are others."""
    import zipfile

    try:
        sheets = pd.read_excel(file, sheet_name=None, dtype=object)
    except (zipfile.BadZipFile, KeyError, TypeError, AttributeError) as problem:
        raise ValueError(f"it is no Excel file ({problem})") from None
    filled = [name for name, sheet in sheets.items() if len(sheet)]
    if not filled:
        raise ValueError("none of its sheets has rows")
    others = [repr(str(name)) for name in filled[1:]]
    note = f"{file.name}: the sheet {str(filled[0])!r} is read, and not {', '.join(others)}"
    return sheets[filled[0]], [note] if others else []


def with_index_columns(table: pd.DataFrame) -> pd.DataFrame:
    """A table with its rows numbered from 0; an index that has a name is a column like any other, and comes last."""
    levels = {
        name: table.index.get_level_values(level)
        for level, name in enumerate(table.index.names)
        if name is not None and name not in table.columns and not isinstance(table.index, pd.RangeIndex)
    }
    table = table.reset_index(drop=True)
    for name, level_values in levels.items():
        table[name] = pd.Series(level_values).reset_index(drop=True)
    return table


def _without_index(table: pd.DataFrame) -> pd.DataFrame:
    """A table without what is left in it of a frame's index that has no name.

    That is a first column without a name, or of whole numbers under the name that pandas gives an index. Columns with
    neither a name nor a value are left out too.
    """
    kept, leading = [], True
    for position, name in enumerate(table.columns):
        values = table.iloc[:, position]
        leading = leading and (_unnamed(name) or _is_reset(name, values))
        empty = _unnamed(name) and not (values.notna() & (values.astype(str).str.strip() != "")).any()
        if not (leading or empty or _LEVEL.fullmatch(str(name))):
            kept.append(position)
    return table.iloc[:, kept]


def _unnamed(name: object) -> bool:
    return _UNNAMED.fullmatch(str(name)) is not None


def _is_reset(name: object, values: pd.Series) -> bool:
    return name in _RESET and bool(values.is_unique and values.astype(str).str.fullmatch(r"\d+").all())
