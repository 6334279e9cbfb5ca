"""Tables written so that no spreadsheet takes a cell for a formula, and read again."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from doppelgram.dataset.tables import Table, read_table
from doppelgram.errors import DoppelgramError
from doppelgram.files import written_whole

_FORMULA = ("=", "+", "-", "@")


def write_table(file: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> int:
    """Write a table; how many rows it has below the header."""
    with written_whole(file) as aside, aside.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.writer(opened)
        writer.writerow(header)
        writer.writerows([[_harmless(cell) for cell in row] for row in rows])
    return len(rows)


def _harmless(cell: object) -> object:
    """A cell that no spreadsheet takes for a formula: an apostrophe stands before what could begin one."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def plain(text: str) -> str:
    """The text of a cell, without the apostrophe of `_harmless`."""
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA) else text


def opened_table(file: Path) -> Table:
    """A table that somebody filled in.

    Raises:
        DoppelgramError: the file is missing or cannot be read.
    """
    if not file.is_file():
        raise DoppelgramError(f"{file}: there is no such file")
    return read_table(file)
