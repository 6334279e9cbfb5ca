"""Tables as pandas and spreadsheets write them, without the row numbers that these leave in them."""

from __future__ import annotations

import csv
import re
import warnings
from pathlib import Path

import pandas as pd

from doppelgram.errors import DoppelgramError

_UNNAMED = re.compile(r"\s*|Unnamed: \d+(\.\d+)*")  # pandas' name for a column without one, also after a second saving
_LEVEL = re.compile(r"__index_level_\d+__")
_RESET = ("index", "level_0")


def read_csv(file: Path, separator: str = ",") -> pd.DataFrame:
    """A CSV file as text, empty where there is nothing; no column is ever taken for an index.

    Rows may end in separators that the header lacks.

    Raises:
        DoppelgramError: a row holds more values than the header has names; it is named (the header is row 1).
        ValueError: it is no CSV.
        OSError: it cannot be opened.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # pandas leaves out surplus values
            table = pd.read_csv(
                file, sep=separator, dtype=str, keep_default_na=False, encoding="utf-8-sig", index_col=False
            )
    except (pd.errors.ParserWarning, pd.errors.ParserError):
        named = range(_named_columns(file, separator))
        table = pd.read_csv(
            file, sep=separator, dtype=str, keep_default_na=False, encoding="utf-8-sig", index_col=False, usecols=named
        )
    return without_index(table)


def _named_columns(file: Path, separator: str) -> int:
    """Number of columns in the header; refuses a row with values beyond it."""
    width = row = 0
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            for values in csv.reader(stream, delimiter=separator):
                if len(values) < 2 and not "".join(values).strip():
                    continue
                row += 1
                width = width or len(values)
                if any(value.strip() for value in values[width:]):
                    raise DoppelgramError(
                        f"{file}: row {row} has {len(values)} values, the header {width}; "
                        f"put values that hold a {'tab' if separator == chr(9) else 'comma'} in quotation marks"
                    )
    except csv.Error as problem:
        raise ValueError(str(problem)) from None
    return width


def without_index(table: pd.DataFrame) -> pd.DataFrame:
    """A table with its rows in order, and without what is left in it of a frame's index.

    An index that has a name is a column of the file like any other, and comes last. Left out are the others: a first
    column without a name, or of whole numbers under the name that pandas gives an index. Columns with neither a name
    nor a value are left out too.
    """
    levels = {
        name: table.index.get_level_values(level)
        for level, name in enumerate(table.index.names)
        if name is not None and name not in table.columns and not isinstance(table.index, pd.RangeIndex)
    }
    table = table.reset_index(drop=True)
    for name, level_values in levels.items():
        table[name] = pd.Series(level_values).reset_index(drop=True)
    kept, leading = [], True
    for position, name in enumerate(table.columns):
        values = table.iloc[:, position]
        leading = leading and (_unnamed(name) or _is_reset(name, values))
        empty = _unnamed(name) and not (values.notna() & (values.astype(str).str.strip() != "")).any()
        if not (leading or empty or _LEVEL.fullmatch(str(name))):
            kept.append(position)
    return table.iloc[:, kept].copy()


def _unnamed(name: object) -> bool:
    return _UNNAMED.fullmatch(str(name)) is not None


def _is_reset(name: object, values: pd.Series) -> bool:
    return name in _RESET and bool(values.is_unique and values.astype(str).str.fullmatch(r"\d+").all())
