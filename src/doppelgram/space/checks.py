"""What is read from a file of settings: checked, and refused by its name."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from doppelgram.errors import DoppelgramError


def finite_number(value: Any, what: str) -> float:
    """A number that is finite; raises DoppelgramError that begins with ``what``."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise DoppelgramError(f"{what} is {value!r}; it must be a finite number")
    return float(value)


def exact_keys(values: Any, known: Iterable[str], what: str) -> dict[str, Any]:
    """A table with just these keys; raises DoppelgramError that names a key which is missing or not known."""
    if not isinstance(values, dict):
        raise DoppelgramError(f"{what}: a table of values is needed, not {type(values).__name__}")
    wanted = set(known)
    for key in sorted(wanted - values.keys()):
        raise DoppelgramError(f"{what}: '{key}' is missing")
    for key in sorted(values.keys() - wanted, key=str):
        raise DoppelgramError(f"{what}: '{key}' is not a known key; known are {', '.join(sorted(wanted))}")
    return values
