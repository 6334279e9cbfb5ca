"""Tables as text: how it is encoded, what separates its values, and its rows."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from doppelgram.dataset.columns import is_known
from doppelgram.dataset.left import LeftAside
from doppelgram.errors import DoppelgramError

_SEPARATORS = (",", ";", "\t", "|")
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_SEPARATOR_LINE = re.compile(r'"?sep=([,;|\t])"?\s*')  # with which Excel lets a file name its separator
_BINARY = re.compile(rb"[\x01-\x08\x0e-\x1f]")  # which no text holds
_END = "\0"  # cannot stand in a file's text: a quotation mark that is never closed swallows it


def read_text(
    file: Path,
) -> tuple[pd.DataFrame, np.ndarray[Any, np.dtype[np.int64]], list[str], list[LeftAside]]:
    """Rows of a CSV or TSV file, their numbers in it, notes, and rows with too many values."""
    text, notes = _decoded(file)
    first, _, rest = text.partition("\n")
    given = _SEPARATOR_LINE.fullmatch(first)
    separator = given[1] if given else _separator(text, "\t" if file.suffix.lower() == ".tsv" else ",")
    header: list[str] = []
    values, numbers = [], []
    wrong: list[tuple[int, int]] = []
    for number, row in enumerate(_records(file, rest if given else text, separator), start=2 if given else 1):
        if len(row) < 2 and not "".join(row).strip():
            continue
        if not header:
            header = row
            continue
        if len(row) > len(header) and any(value.strip() for value in row[len(header) :]):
            wrong.append((number, len(row)))
            continue
        values.append(row if len(row) == len(header) else [*row, *[""] * len(header)][: len(header)])
        numbers.append(number)
    if not header:
        raise ValueError("it is empty")
    mark = "tab" if separator == chr(9) else repr(separator)
    if 2 * len(wrong) >= len(values) + len(wrong) > 0:
        number, count = wrong[0]
        raise DoppelgramError(
            f"{file}: row {number} has {count} values, the header {len(header)}; put values that hold a {mark} in "
            "quotation marks"
        )
    why = f"rows of more values than the header has names; put values that hold a {mark} in quotation marks"
    left = [LeftAside(f"{file.name}: row {number}", why) for number, _ in wrong]
    names = [name.strip() or f"Unnamed: {position}" for position, name in enumerate(header)]
    frame = pd.DataFrame(values, columns=pd.Index(names), dtype=object)
    return frame, np.array(numbers, dtype=np.int64), notes, left


def _records(file: Path, text: str, separator: str) -> Iterator[list[str]]:
    number = 1
    try:
        for row in csv.reader(chain(io.StringIO(text, newline=""), [_END]), delimiter=separator):
            if row == [_END]:
                return
            if row and row[-1].endswith(_END):
                break
            yield row
            number += 1
    except csv.Error as problem:
        raise DoppelgramError(f"{file}: row {number}: {problem}; is a quotation mark missing?") from None
    raise DoppelgramError(f"{file}: row {number}: a quotation mark is opened and never closed")


def _decoded(file: Path) -> tuple[str, list[str]]:
    """The text of a file, and a note where zero bytes were left out of it, as a full disk leaves them."""
    data = file.read_bytes()
    encoding = next((name for mark, name in _MARKS.items() if data.startswith(mark)), "utf-8")
    if encoding == "utf-8" and len(data) > 1 and (data[0] == 0) != (data[1] == 0):
        encoding = "utf-16-be" if data[0] == 0 else "utf-16-le"
    notes = []
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as problem:
        line = data[: problem.start].count(b"\n") + 1
        try:
            text = data.decode("cp1252") if encoding == "utf-8" and not _BINARY.search(data) else ""
        except UnicodeDecodeError:
            text = ""
        if not text:
            raise ValueError(f"line {line} is not text in {encoding}; save the table as UTF-8") from None
        notes.append(f"{file.name}: line {line} is not UTF-8; the table is read as Windows-1252 (Western European)")
    zeros = text.count("\0")
    return text.replace("\0", ""), notes + [f"{file.name}: {zeros:,} zero bytes left out; is it damaged?"] * (zeros > 0)


def _separator(text: str, usual: str) -> str:
    """The separator under which most columns of the header have a known name, or else most columns."""

    def fits(separator: str) -> tuple[int, bool, int]:
        header = next((row for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator) if any(row)), [])
        known = sum(map(is_known, header))
        return known, known > 0 and separator == usual, len(header)

    return max((usual, *_SEPARATORS), key=fits)
