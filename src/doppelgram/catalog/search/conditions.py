"""What a condition on a catalog's rows is made of: comparisons of one column, and their combinations.

There is no third truth value: a comparison with something that is not known is false, and ``not`` turns it into true.
Empty text counts as not known.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import cached_property
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from doppelgram.catalog.findings import FOUND_COLUMNS
from doppelgram.dataset.times import Clock
from doppelgram.errors import DoppelgramError

Bools: TypeAlias = NDArray[np.bool_]
Stretch: TypeAlias = tuple[datetime, datetime]

TEXTS, TIMES = ("id", "path", "name", "label", "author"), ("timestamp", "added")
_LABELS = "columns"  # where a catalog keeps its label columns, as JSON
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_PERIOD = re.compile(r"(\d{4})(?:-(\d\d))?(?:-(\d\d))?")


class RowTable:
    """The rows that a condition is asked of: a pandas or an Arrow table with the columns that the condition names."""

    def __init__(self, table: Any) -> None:
        self._table = table
        self.size = len(table)

    def texts(self, column: str) -> list[str | None]:
        """A column's texts, or those of a label column; None where nothing is known.

        Raises:
            DoppelgramError: no row has such a column; the ones that there are are named.
        """
        if column in TEXTS:
            return [text or None for text in self._values(column)]
        if self.size and not any(column in labels for labels in self._labels):
            known = list(dict.fromkeys((*TEXTS, *TIMES, *self.label_columns)))
            near = get_close_matches(column, known, 1)
            raise DoppelgramError(
                f"there is no column '{column}'{f', but {near[0]}' if near else ''}; there are {', '.join(known)}"
            )
        return [labels.get(column) or None for labels in self._labels]

    def times(self, column: str) -> NDArray[np.datetime64]:
        """A column of times in UTC, to the microsecond; NaT where none is known."""
        import pandas as pd

        times = pd.to_datetime(pd.Series(self._values(column), dtype=object), utc=True)
        return times.dt.tz_localize(None).to_numpy(dtype="datetime64[us]")

    @property
    def label_columns(self) -> list[str]:
        """The label columns of all rows, without those that hold what was found in the photographs."""
        names = dict.fromkeys(name for labels in self._labels for name in labels)
        return [name for name in names if name not in FOUND_COLUMNS]

    def _values(self, column: str) -> list[Any]:
        values = self._table[column]
        return list(values.to_pylist() if hasattr(values, "to_pylist") else values.tolist())

    @cached_property
    def _labels(self) -> list[dict[str, str]]:
        parsed: dict[str, dict[str, str]] = {}  # many rows have the same labels
        texts = self._values(_LABELS)
        for text in texts:
            if text not in parsed:
                parsed[text] = json.loads(text) if text else {}
        return [parsed[text] for text in texts]


class Condition(Protocol):
    """What a row fulfils or not."""

    def mask(self, rows: RowTable) -> Bools:
        """Which rows fulfil it."""

    def engine(self) -> str | None:
        """The same for the engine that stores the rows; None where it cannot be said there."""

    def columns(self) -> Iterator[str]:
        """The columns that are read, as a catalog stores them."""


@dataclass(frozen=True)
class All:
    """Every part holds."""

    parts: Sequence[Condition]

    def mask(self, rows: RowTable) -> Bools:
        return np.asarray(np.logical_and.reduce([part.mask(rows) for part in self.parts]))

    def engine(self) -> str | None:
        return _joined(self.parts, "AND")

    def columns(self) -> Iterator[str]:
        return (name for part in self.parts for name in part.columns())


@dataclass(frozen=True)
class Either:
    """One part holds, or more."""

    parts: Sequence[Condition]

    def mask(self, rows: RowTable) -> Bools:
        return np.asarray(np.logical_or.reduce([part.mask(rows) for part in self.parts]))

    def engine(self) -> str | None:
        return _joined(self.parts, "OR")

    def columns(self) -> Iterator[str]:
        return (name for part in self.parts for name in part.columns())


@dataclass(frozen=True)
class Not:
    """The part does not hold."""

    part: Condition

    def mask(self, rows: RowTable) -> Bools:
        return ~self.part.mask(rows)

    def engine(self) -> str | None:
        inner = self.part.engine()
        return None if inner is None else f"(NOT {inner})"

    def columns(self) -> Iterator[str]:
        return self.part.columns()


@dataclass(frozen=True)
class Known:
    """Something is known in this column."""

    column: str

    def mask(self, rows: RowTable) -> Bools:
        if self.column in TIMES:
            return ~np.isnat(rows.times(self.column))
        return np.array([text is not None for text in rows.texts(self.column)], dtype=bool)

    def engine(self) -> str | None:
        if self.column in TIMES:
            return f"({self.column} IS NOT NULL)"
        return f"({self.column} IS NOT NULL AND {self.column} != '')" if self.column in TEXTS else None

    def columns(self) -> Iterator[str]:
        return _stored(self.column)


@dataclass(frozen=True)
class Text:
    """A text stands in an order to another, as their characters do."""

    column: str
    sign: str
    value: str

    def mask(self, rows: RowTable) -> Bools:
        compare = _ORDER[self.sign]
        return np.array([text is not None and compare(text, self.value) for text in rows.texts(self.column)], bool)

    def engine(self) -> str | None:
        return _engine(self.column, f"{self.column} {self.sign} {_quoted(self.value)}")

    def columns(self) -> Iterator[str]:
        return _stored(self.column)


@dataclass(frozen=True)
class Number:
    """A text that is a number stands in an order to another number; what is no number does not."""

    column: str
    sign: str
    value: float

    def mask(self, rows: RowTable) -> Bools:
        compare = _ORDER[self.sign]
        texts = (text.strip() if text else "" for text in rows.texts(self.column))
        return np.array([bool(_NUMBER.fullmatch(text)) and compare(float(text), self.value) for text in texts], bool)

    def engine(self) -> str | None:
        return None

    def columns(self) -> Iterator[str]:
        return _stored(self.column)


@dataclass(frozen=True)
class Pattern:
    """A text is like a pattern, upper and lower case being alike: % stands for any text, _ for any character."""

    column: str
    pattern: str

    def mask(self, rows: RowTable) -> Bools:
        first, *rest = ("".join("." if one == "_" else re.escape(one) for one in s) for s in self.pattern.split("%"))
        # Once what stands between two % is found, it is never sought further on: patterns with many take no longer.
        middle = "".join(f"(?>.*?{part})" for part in rest[:-1] if part)
        found = re.compile(first + middle + "".join(f".*{part}" for part in rest[-1:]), re.IGNORECASE | re.DOTALL)
        return np.array([text is not None and bool(found.fullmatch(text)) for text in rows.texts(self.column)], bool)

    def engine(self) -> str | None:
        return None

    def columns(self) -> Iterator[str]:
        return _stored(self.column)


@dataclass(frozen=True)
class Contains:
    """A text holds another, upper and lower case being alike."""

    column: str
    value: str

    def mask(self, rows: RowTable) -> Bools:
        sought = self.value.casefold()
        return np.array([text is not None and sought in text.casefold() for text in rows.texts(self.column)], bool)

    def engine(self) -> str | None:
        return None

    def columns(self) -> Iterator[str]:
        return _stored(self.column)


@dataclass(frozen=True)
class Time:
    """A time lies before, in or after a stretch of time: a moment, a day, a month or a year."""

    column: str
    sign: str
    stretch: Stretch

    def mask(self, rows: RowTable) -> Bools:
        times = rows.times(self.column)
        start, end = (np.datetime64(moment.replace(tzinfo=None), "us") for moment in self.stretch)
        from_start, before_end = times >= start, times < end  # both false where no time is known
        held = {
            "=": from_start & before_end,
            "<": times < start,
            "<=": before_end,
            ">": times >= end,
            ">=": from_start,
        }
        return np.asarray(held[self.sign], dtype=bool)

    def engine(self) -> str | None:
        start, end = (f"timestamp '{moment.isoformat()}'" for moment in self.stretch)
        name = self.column
        held = {
            "=": f"{name} >= {start} AND {name} < {end}",
            "<": f"{name} < {start}",
            "<=": f"{name} < {end}",
            ">": f"{name} >= {end}",
            ">=": f"{name} >= {start}",
        }
        return f"({name} IS NOT NULL AND {held[self.sign]})"

    def columns(self) -> Iterator[str]:
        return _stored(self.column)


def stretch_of(text: str) -> Stretch | None:
    """From when to when, the end not included, what is spelled lasts, in UTC; None where it is no time.

    Understood are a year, a month and a day in ISO 8601, and a moment as `doppelgram.dataset.times.Clock` reads it.
    """
    match = _PERIOD.fullmatch(text.strip())
    try:
        if match is None:
            moment = Clock().read(text, "")
            return None if moment is None else (moment, moment + timedelta(microseconds=1))
        year, month, day = (int(part) if part else 0 for part in match.groups())
        start = datetime(year, month or 1, day or 1, tzinfo=UTC)
        if day:
            return start, start + timedelta(days=1)
        return start, (start.replace(month=month + 1) if 0 < month < 12 else start.replace(year=year + 1, month=1))
    except (DoppelgramError, ValueError, OverflowError):
        return None


def _stored(column: str) -> Iterator[str]:
    return iter((column if column in (*TEXTS, *TIMES) else _LABELS,))


def _joined(parts: Sequence[Condition], word: str) -> str | None:
    said = [part.engine() for part in parts]
    known = [text for text in said if text is not None]
    return f"({f' {word} '.join(known)})" if len(known) == len(said) else None


def _engine(column: str, condition: str) -> str | None:
    return f"({column} IS NOT NULL AND {column} != '' AND {condition})" if column in TEXTS else None


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
