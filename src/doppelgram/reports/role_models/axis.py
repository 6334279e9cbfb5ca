"""Time axes: which moments to mark between two posts, and what to call them."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

DAY = 86_400.0
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def moment(seconds: float) -> datetime:
    """UTC seconds since 1970 as a time."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)


def date_text(seconds: float) -> str:
    """``20 Dec 2019``; empty for NaN."""
    if math.isnan(seconds):
        return ""
    at = moment(seconds)
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}"


def length_text(seconds: float) -> str:
    """A length of time in its most readable unit: ``40 minutes``, ``3 days``, ``8 months``, ``2.5 years``."""
    if math.isnan(seconds):
        return ""
    for size, name in (
        (365.25 * DAY, "year"),
        (30.44 * DAY, "month"),
        (DAY, "day"),
        (3600.0, "hour"),
        (60.0, "minute"),
    ):
        if seconds >= 2 * size or (name == "minute" and seconds >= 60):
            count = seconds / size
            text = f"{count:.1f}" if name == "year" and count < 10 and round(count, 1) % 1 else f"{count:.0f}"
            return f"{text} {name}{'' if text == '1' else 's'}"
    return f"{seconds:.0f} seconds"


def ticks(start: float, end: float, *, most: int = 8) -> list[tuple[float, str]]:
    """Round moments from ``start`` to ``end``, UTC seconds, at most ``most``, each with its name."""
    span = max(end - start, 1.0)
    for step in _STEPS:
        found = step(start, end, span / most)
        if 0 < len(found) <= most:
            return found
    return []


def _fixed(size: float, form: Callable[[datetime], str]) -> Callable[[float, float, float], list[tuple[float, str]]]:
    def make(start: float, end: float, least: float) -> list[tuple[float, str]]:
        if size < least:
            return []
        first = math.ceil(start / size)
        return [(k * size, form(moment(k * size))) for k in range(first, math.floor(end / size) + 1)]

    return make


def _monthly(months: int) -> Callable[[float, float, float], list[tuple[float, str]]]:
    def make(start: float, end: float, least: float) -> list[tuple[float, str]]:
        if months * 27 * DAY < least:
            return []
        at = moment(start)
        number = at.year * 12 + at.month - 1
        number -= number % months
        found: list[tuple[float, str]] = []
        while True:
            year, month = divmod(number, 12)
            if year > 9998:
                return found
            second = (datetime(year, month + 1, 1, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()
            if second > end:
                return found
            if second >= start:
                # The year once, with its first mark: the others need not repeat it.
                named = months >= 12 or month < months or not found
                found.append((second, str(year) if months >= 12 or (month == 0 and found) else
                              f"{_MONTHS[month]} {year}" if named else _MONTHS[month]))  # fmt: skip
            number += months

    return make


_STEPS = (
    *(_fixed(60.0 * n, lambda at: f"{at.hour:02}:{at.minute:02}") for n in (1, 5, 15, 60, 180, 360)),
    *(_fixed(DAY * n, lambda at: f"{at.day} {_MONTHS[at.month - 1]}") for n in (1, 2, 7)),
    *(_monthly(n) for n in (1, 2, 3, 6, 12, 24, 60, 120, 240, 600)),
)
