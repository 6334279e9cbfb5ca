"""What a search shows for each query: its nearest images, and which of them are right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from doppelgram.evaluation.task import RetrievalTask
from doppelgram.space.exact import Float64, Int64
from doppelgram.space.space import Space

# Answers a query: as many as people look through.
ANSWERS = 10


@dataclass(frozen=True)
class Answers:
    """The nearest images of all queries, one after the other; every array has one entry an answer.

    Attributes:
        query: row of the query.
        column: row of the answer in the gallery.
        distance: between both.
        right: whether both are of one class.
        probability: what the search says, None without calibration.
    """

    query: Int64
    column: Int64
    distance: Float64
    right: NDArray[np.bool_]
    probability: Float64 | None


def nearest_answers(space: Space, task: RetrievalTask, k: int = ANSWERS, *, by: str = "") -> Answers:
    """The k nearest images of each query, by everything or by one part; never the query's own image."""
    index = space.index(task.gallery, task.gallery_images)
    found = index.nearest(task.query, min(k, len(task.gallery)), query_ids=task.query_images, by=by)
    there = found.positions >= 0
    query, column = np.nonzero(there)[0], found.positions[there]
    return Answers(
        query,
        column,
        np.asarray(found.distances[there], dtype=np.float64),
        task.query_codes[query] == task.gallery_codes[column],
        None if found.probabilities is None else found.probabilities[there],
    )
