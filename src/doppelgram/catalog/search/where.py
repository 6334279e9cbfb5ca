"""Conditions on the rows of a catalog as people write them: ``place = 'Louvre' and timestamp < '2019-06-01'``.

    place = 'Louvre'             != < <= > >= likewise; text is compared letter by letter
    year >= 2019                 a number without quotes is compared as one
    timestamp < '2019-06'        a year, month, day or moment, in UTC; = means within it
    author in ('ada', 'bo')
    path like '%/2019/%'         % is any text, _ any character; like and contains ignore case
    name contains 'louvre'
    author is null               nothing is known
    not (...) and ... or ...     not binds most, then and, then or

A comparison with what is not known is false, so ``place != 'Louvre'`` holds where no place is known. A column's name
with spaces stands in double quotes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from doppelgram.catalog.search.conditions import (
    TIMES,
    All,
    Condition,
    Contains,
    Either,
    Known,
    Not,
    Number,
    Pattern,
    RowTable,
    Text,
    Time,
    stretch_of,
)
from doppelgram.errors import DoppelgramError

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>'(?:[^']|'')*' | "(?:[^"]|"")*")
      | (?P<sign><=|>=|!=|<>|==|=|<|>)
      | (?P<mark>[(),])
      | (?P<number>[+-]?\d[\w.:+-]*)
      | (?P<word>[^\W\d]\w*)
    )""",
    re.VERBOSE,
)
_SIGNS = ("=", "!=", "<", "<=", ">", ">=")
_WORDS = ("in", "like", "contains")
_RESERVED = {"and", "or", "not", "is", "null", *_WORDS}
_AFTER_COLUMN = f"{', '.join(_SIGNS)}, in, like, contains or is null"
# Parentheses in each other, and words "not" in a row: more than anybody writes, less than Python's stack holds.
_DEEPEST = 50


class Stored(Protocol):
    """What `Where.ids` reads of a catalog."""

    def rows(self, columns: Sequence[str]) -> Any:
        """The given columns of all rows."""


@dataclass(frozen=True)
class Where:
    """A condition that was understood.

    Attributes:
        text: as it was written.
        condition: what it says.
    """

    text: str
    condition: Condition

    @property
    def columns(self) -> list[str]:
        """The columns of a catalog that have to be read to answer it."""
        return list(dict.fromkeys(self.condition.columns()))

    @property
    def engine(self) -> str | None:
        """The condition in the words of the engine that stores the rows; None where it cannot be said there.

        It cannot of label columns, which are stored as JSON, of ``like`` and of ``contains``.
        """
        return self.condition.engine()

    def mask(self, table: Any) -> NDArray[np.bool_]:
        """Which rows (n,) of a pandas or Arrow table fulfil it.

        Args:
            table: with the `columns`, as a catalog stores them.

        Raises:
            DoppelgramError: it names a column that no row has.
        """
        try:
            return self.condition.mask(RowTable(table))
        except DoppelgramError as problem:
            raise DoppelgramError(f"--where: {problem}") from None

    def ids(self, catalog: Stored) -> set[str]:
        """Ids of the rows of a catalog that fulfil it.

        Raises:
            DoppelgramError: as `mask`, or there is no such row.
        """
        rows = catalog.rows(list(dict.fromkeys(["id", *self.columns])))
        found = set(rows["id"][self.mask(rows)])
        if not found:
            raise self.unfulfilled()
        return found

    def unfulfilled(self) -> DoppelgramError:
        """What is told where no row fulfils it."""
        return DoppelgramError(f"--where: no image fulfils {self.text}")


def parse_where(text: str) -> Where:
    """Understand a condition.

    Raises:
        DoppelgramError: it is none; where in the text, and what may stand there.
    """
    return Where(text, _Parser(text).whole())


class _Token(NamedTuple):
    kind: str
    text: str
    start: int


def _tokens(text: str) -> list[_Token]:
    found, start, end = [], 0, len(text.rstrip())
    while start < end:
        match = _TOKEN.match(text, start)
        if match is None:
            at = start + len(text[start:]) - len(text[start:].lstrip())
            why = "this quote is not closed" if text[at] in "'\"" else f"{text[at]!r} means nothing here"
            raise DoppelgramError(f"--where: at character {at + 1}: {why}")
        kind = str(match.lastgroup)
        found.append(_Token(kind, match[kind], match.start(kind)))
        start = match.end()
    return [*found, _Token("end", "", end)]


class _Parser:
    """Reads from left to right; each method reads one kind of part and leaves the rest."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._next = 0
        self._depth = 0

    def whole(self) -> Condition:
        condition = self._any()
        if self._token.kind != "end":
            raise self._wrong("and, or, or the end")
        return condition

    @property
    def _token(self) -> _Token:
        return self._tokens[self._next]

    def _take(self, *words: str) -> str:
        """The next token if it is one of these marks or words in any case; empty, and nothing is read, if not."""
        token = self._token
        if token.kind in ("word", "mark", "sign") and token.text.lower() in words:
            self._next += 1
            return token.text.lower()
        return ""

    def _wrong(self, allowed: str) -> DoppelgramError:
        token = self._token
        there = f"not {token.text[:40]}" if token.text else "but it ends there"
        return DoppelgramError(f"--where: at character {token.start + 1}: expected {allowed}, {there}")

    def _any(self) -> Condition:
        parts = [self._all()]
        while self._take("or"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Either(parts)

    def _all(self) -> Condition:
        parts = [self._one()]
        while self._take("and"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else All(parts)

    def _one(self) -> Condition:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise DoppelgramError(f"--where: more than {_DEEPEST} parentheses or words 'not' within each other")
        if self._take("not"):
            found: Condition = Not(self._one())
        elif self._take("("):
            found = self._any()
            if not self._take(")"):
                raise self._wrong("and, or, or )")
        else:
            found = self._comparison()
        self._depth -= 1
        return found

    def _comparison(self) -> Condition:
        token = self._token
        if token.kind not in ("word", "text") or (token.kind == "word" and token.text.lower() in _RESERVED):
            raise self._wrong("the name of a column, not or (")
        self._next += 1
        column = _unquoted(token)
        if self._take("is"):
            unknown = not self._take("not")
            if not self._take("null"):
                raise self._wrong("null" if not unknown else "null or not null")
            return Not(Known(column)) if unknown else Known(column)
        if sign := self._take(*_SIGNS, "==", "<>"):
            sign = {"==": "=", "<>": "!="}.get(sign, sign)
            return Not(self._value(column, "=")) if sign == "!=" else self._value(column, sign)
        refused = self._take("not")
        word = self._take(*_WORDS)
        if not word:
            raise self._wrong("in, like or contains" if refused else _AFTER_COLUMN)
        if word != "in" and column in TIMES:
            self._next -= 1
            raise self._wrong(f"{', '.join(_SIGNS)}, in or is null after a time")
        found = self._listed(column) if word == "in" else self._pattern(column, word)
        return Not(found) if refused else found

    def _listed(self, column: str) -> Condition:
        if not self._take("("):
            raise self._wrong("( and values, commas between them")
        parts = [self._value(column, "=")]
        while self._take(","):
            parts.append(self._value(column, "="))
        if not self._take(")"):
            raise self._wrong("a comma or )")
        return Either(parts)

    def _pattern(self, column: str, word: str) -> Condition:
        if self._token.kind != "text":
            raise self._wrong("text in quotes")
        text = _unquoted(self._token)
        self._next += 1
        return Contains(column, text) if word == "contains" else Pattern(column, text)

    def _value(self, column: str, sign: str) -> Condition:
        token = self._token
        if token.kind not in ("text", "number"):
            raise self._wrong("a text in quotes or a number")
        text = _unquoted(token)
        if column in TIMES:
            stretch = stretch_of(text)
            if stretch is None:
                raise self._wrong("a time such as '2019', '2019-06-01' or '2019-06-01T12:00:00Z'")
            self._next += 1
            return Time(column, sign, stretch)
        self._next += 1
        try:
            return Number(column, sign, float(text)) if token.kind == "number" else Text(column, sign, text)
        except ValueError:
            return Text(column, sign, text)  # such as 2019-06-01, which sorts as text does


def _unquoted(token: _Token) -> str:
    quote = token.text[0]
    return token.text[1:-1].replace(quote * 2, quote) if token.kind == "text" else token.text
