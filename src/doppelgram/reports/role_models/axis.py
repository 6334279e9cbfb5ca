"""Time axes: which moments to mark between two posts, and what to call them.

Matplotlib's date locators are not used: they do not name the year at the first mark, which a reader needs.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime

from doppelgram.numbers import DAY, MINUTE, MONTHS, moment

Ticks = list[tuple[float, str]]


def ticks(start: float, end: float, *, most: int = 8) -> Ticks:
    """Round moments from ``start`` to ``end``, UTC seconds, at most ``most``, each with its name."""
    span = max(end - start, 1.0)
    for step in _STEPS:
        found = step(start, end, span / most)
        if 0 < len(found) <= most:
            return found
    return []


def _fixed(size: float, form: Callable[[datetime], str]) -> Callable[[float, float, float], Ticks]:
    def make(start: float, end: float, smallest: float) -> Ticks:
        if size < smallest:
            return []
        first = math.ceil(start / size)
        return [(k * size, form(moment(k * size))) for k in range(first, math.floor(end / size) + 1)]

    return make


def _monthly(months: int) -> Callable[[float, float, float], Ticks]:
    def make(start: float, end: float, smallest: float) -> Ticks:
        if months * 27 * DAY < smallest:
            return []
        first, last = (at.year * 12 + at.month - 1 for at in (moment(start), moment(end)))
        found: Ticks = []
        for number in range(first - first % months, last + 1, months):
            year, month = divmod(number, 12)
            second = datetime(year, month + 1, 1, tzinfo=UTC).timestamp()
            if second >= start:
                # The year once, with its first mark: the others need not repeat it.
                name = MONTHS[month]
                if months >= 12 or (month == 0 and found):
                    name = str(year)
                elif month < months or not found:
                    name = f"{name} {year}"
                found.append((second, name))
        return found

    return make


_STEPS = (
    *(_fixed(MINUTE * n, lambda at: f"{at.hour:02}:{at.minute:02}") for n in (1, 5, 15, 60, 180, 360)),
    *(_fixed(DAY * n, lambda at: f"{at.day} {MONTHS[at.month - 1]}") for n in (1, 2, 7)),
    *(_monthly(n) for n in (1, 2, 3, 6, 12, 24, 60, 120, 240, 600)),
)
