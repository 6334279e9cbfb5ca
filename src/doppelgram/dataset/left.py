"""What a reader left aside: each thing by its name, with the reason, so that nothing vanishes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

# So many things are named in a sentence; the others are counted.
_NAMED = 2


class LeftAside(NamedTuple):
    """One thing that was left aside: a file, a record or a row by its name, and why."""

    what: str
    why: str


def by_reason(left: Iterable[LeftAside]) -> dict[str, list[str]]:
    """The things left aside by the reason, in order, each once."""
    reasons: dict[str, list[str]] = {}
    for what, why in dict.fromkeys(left):
        reasons.setdefault(why, []).append(what)
    return reasons


def left_notes(left: Iterable[LeftAside]) -> tuple[str, ...]:
    """A sentence for each reason: how many, which for example, and why."""
    notes = []
    for why, things in by_reason(left).items():
        shown = ", ".join(repr(thing) if len(thing) < 160 else repr(thing[:157] + "...") for thing in things[:_NAMED])
        more = "" if len(things) <= _NAMED else f" and {len(things) - _NAMED:,} more"
        notes.append(f"{len(things):,} left aside ({why}): {shown}{more}")
    return tuple(notes)
