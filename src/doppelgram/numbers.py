"""How numbers are written for people: shares, intervals, probabilities, p-values, counts, lists, times and sizes.

Every sentence, table, page and figure takes its spelling from here. Spaces are plain ones; a page makes those between a
number and its unit unbreakable (see `doppelgram.reports.pages`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
MONTH, YEAR = 30.4375 * DAY, 365.25 * DAY
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
NONE = "–"
"""What stands where there is no number."""


def number(value: float | None, digits: int = 1) -> str:
    """``1,234.5``, with a real minus sign; a dash for None and NaN."""
    if value is None or math.isnan(value):
        return NONE
    return f"{round(value, digits) + 0.0:,.{digits}f}".replace("-", "−")


def percent(share: float | None, digits: int = 1) -> str:
    """A share from 0 to 1 as ``95.4 %``; a dash for None and NaN."""
    return NONE if share is None or math.isnan(share) else f"{number(100 * share, digits)} %"


def percent_tick(share: float, _: object = None) -> str:
    """A share as an axis names it: ``5 %``, ``0.1 %``; nothing outside 0 to 1."""
    return f"{100 * share:.4g} %" if -1e-9 <= share <= 1 + 1e-9 else ""


def probability(share: float | None) -> str:
    """A probability in whole percent; ``< 1 %`` and ``> 99 %`` where rounding would make it certain."""
    if share is None or math.isnan(share):
        return NONE
    if 0 < share < 0.01:
        return "< 1 %"
    return "> 99 %" if 0.99 < share < 1 else f"{100 * share:.0f} %"


def interval(low: float, high: float, digits: int = 1) -> str:
    """Ends of an interval of shares: ``94.1 to 96.2 %``."""
    return f"{number(100 * low, digits)} to {number(100 * high, digits)} %"


def estimate(value: float, low: float, high: float, digits: int = 1) -> str:
    """A share and its interval: ``95.4 % (94.1 to 96.2)``."""
    return f"{percent(value, digits)} ({number(100 * low, digits)} to {number(100 * high, digits)})"


def points(value: float, low: float, high: float) -> str:
    """A difference of shares in percentage points and its interval: ``3.2 points (−0.1 to 6.5)``."""
    return f"{number(100 * value)} points ({number(100 * low)} to {number(100 * high)})"


def p_value(value: float | None, name: str = "") -> str:
    """``0.005``, ``0.31``, ``< 0.001``, named ``p = 0.005``, ``p < 0.001``; a dash for None and NaN."""
    if value is None or math.isnan(value):
        sign, text = "=", NONE
    elif value < 0.0005:  # would be written as zero, which no test by shuffling can find
        sign, text = "<", "0.001"
    else:
        sign, text = "=", f"{value:.3f}" if value < 0.1 else f"{value:.2f}"
    if name:
        return f"{name} {sign} {text}"
    return f"< {text}" if sign == "<" else text


def count(n: int, one: str, many: str = "") -> str:
    """``1 post``, ``1,200 posts``, ``2 queries`` if the plural is given."""
    return f"{n:,} {plural(n, one, many)}"


def plural(n: int, one: str, many: str = "") -> str:
    """The word alone as it stands after a number: ``plural(2, "is", "are")``."""
    return one if n == 1 else many or f"{one}s"


def listing(names: Sequence[object], most: int = 0) -> str:
    """``a``, ``a and b``, ``a, b and c``; of more than ``most`` (if it is not 0) ``a, b and 7 more``."""
    words = [str(name) for name in names]
    if most and len(words) > most:
        words = [*words[:most], f"{len(words) - most:,} more"]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def duration(seconds: float | None) -> str:
    """How long something took: ``0.4 s``, ``75 s``, ``12 min``, ``2.5 h``; a dash for None and NaN."""
    if seconds is None or math.isnan(seconds):
        return NONE
    if seconds < 10 * MINUTE:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / MINUTE:.0f} min" if seconds < 2 * HOUR else f"{seconds / HOUR:.1f} h"


def span(seconds: float) -> str:
    """A time between two events in its most readable unit: ``40 minutes``, ``3 days``, ``2.5 years``; '' for NaN."""
    if math.isnan(seconds):
        return ""
    units = ((YEAR, "year"), (MONTH, "month"), (DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"))
    for size, name in units:
        if seconds >= 2 * size or (name == "minute" and seconds >= size):
            n = seconds / size
            text = f"{n:.1f}" if name == "year" and n < 10 and round(n, 1) % 1 else f"{n:.0f}"
            return f"{text} {name if text == '1' else name + 's'}"
    return f"{seconds:.0f} seconds"


def moment(seconds: float) -> datetime:
    """UTC seconds since 1970 as a time."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)


def date(seconds: float) -> str:
    """The day of a moment given in UTC seconds since 1970: ``20 Dec 2019``; '' for NaN."""
    return "" if math.isnan(seconds) else day(moment(seconds))


def day(when: datetime) -> str:
    """``20 Dec 2019``, in English whatever the machine's language."""
    return f"{when.day} {MONTHS[when.month - 1]} {when.year}"


def size(n: int) -> str:
    """So many bytes: ``512 bytes``, ``3.4 MB``, ``12 GB``, in powers of 1000."""
    if n < 1000:
        return count(n, "byte")
    power = min(int(math.log10(n * 1.0005) // 3), 4)
    value = n / 1000**power
    return f"{value:.{int(value < 9.95)}f} {('kB', 'MB', 'GB', 'TB')[power - 1]}"


def shortened(text: str, most: int) -> str:
    """A name of at most so many characters; what is cut off ends in an ellipsis."""
    return text if len(text) <= most else text[: most - 1] + "…"
