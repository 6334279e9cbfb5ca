"""Evidence of the same view beside the first answers of a search."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from doppelgram.catalog.search.searcher import Neighbours
from doppelgram.view.finder import ViewFinder

MOST_ANSWERS = 5
"""So many answers to each photograph are looked at."""


def with_views(
    found: Sequence[Neighbours], views: ViewFinder, progress: Callable[[int], None] | None = None
) -> list[Neighbours]:
    """Answers with the matched points of the first of them; of a photograph that is gone nothing is said.

    Args:
        found: answers of a search.
        views: compares photographs.
        progress: called with 1 after each photograph.
    """
    first = [(answer, match) for answer in found for match in answer.matches[:MOST_ANSWERS]]
    pairs = [(Path(answer.query).expanduser(), Path(match.path)) for answer, match in first]
    seen = iter([None if view is None else view.shown for view in views.compare(pairs, progress)])
    return [
        replace(
            answer,
            matches=[
                *(replace(match, view_points=next(seen)) for match in answer.matches[:MOST_ANSWERS]),
                *answer.matches[MOST_ANSWERS:],
            ],
        )
        for answer in found
    ]
