"""The parts of a map's images by name, and what is said of each."""

from __future__ import annotations

import numpy as np

from doppelgram.maps.atlas import Map
from doppelgram.maps.neighbours import TRAINING, Text
from doppelgram.numbers import percent

_NAMES = {"": "images", TRAINING: "training", "val": "validation", "test": "test", "new": "new"}


def named(part: str) -> str:
    """A part as people call it."""
    return _NAMES.get(part, part)


def ordered(parts: Text) -> list[str]:
    """The parts that occur, training first."""
    known = list(_NAMES)
    present = [str(part) for part in np.unique(parts)]
    return sorted(present, key=lambda part: (known.index(part) if part in known else len(known), part))


def wrong_lines(found: Map) -> str:
    """One line a part: how many of its images lie nearest to another class."""
    lines = []
    for part, figures in found.misclassified().items():
        which = f"{named(part)} images" if part else "images"
        lines.append(
            f"{figures['wrong']:,.0f} of {figures['n']:,.0f} {which} misclassified ({percent(figures['rate'])})"
        )
    return "\n".join(lines) or "No labels, so nothing is right or wrong."
