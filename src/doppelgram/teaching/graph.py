"""The nearest neighbours of every photograph with the log-odds that two are the same: what grouping works on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from doppelgram.errors import DoppelgramError
from doppelgram.space.arrangement import ArrangementSpace
from doppelgram.space.euclidean import EuclideanSpace
from doppelgram.space.exact import Float32, Float64, Int64
from doppelgram.space.space import Space

NEIGHBOURS = 32
"""Of each photograph so many are kept; what lies farther is taken to be as far as the last of them."""


@dataclass(frozen=True)
class Graph:
    """Nearest neighbours of n photographs, each pair once, and what their distances say.

    Attributes:
        n: photographs.
        left: int64 (m,), the lower row of each pair.
        right: int64 (m,), the higher one.
        distance: float64 (m,), as the space measures it.
        odds: float64 (m,), raw log-odds of the same; see `raw_odds`.
        base: float64 (n,), those of the farthest neighbour that was kept, so that no pair left out is above them.
    """

    n: int
    left: Int64
    right: Int64
    distance: Float64
    odds: Float64
    base: Float64


def neighbour_graph(space: Space, vectors: Float32, images: Sequence[str], k: int = NEIGHBOURS) -> Graph:
    """Search the k nearest of each photograph among all others, exactly.

    Args:
        space: of the vectors.
        vectors: (n, dim).
        images: n names; those of one name, such as the faces of one photograph, are no neighbours.
        k: neighbours of each.

    Raises:
        DoppelgramError: the space is not calibrated.
    """
    n = len(vectors)
    found = space.index(vectors, images).nearest(vectors, max(1, min(k, n - 1)), query_ids=images)
    there = found.positions >= 0
    a, b = np.nonzero(there)[0], found.positions[there]
    _, first = np.unique(np.minimum(a, b) * n + np.maximum(a, b), return_index=True)
    left, right = np.minimum(a, b)[first], np.maximum(a, b)[first]
    # Of a pair that each finds for the other both distances are equal, or differ by rounding.
    distance = np.asarray(found.distances[there], dtype=np.float64)[first]
    odds = raw_odds(space, distance)
    base = np.full(n, odds.min(initial=0.0))
    rows = np.flatnonzero(there.any(axis=1))
    last = there[rows].sum(axis=1) - 1
    base[rows] = raw_odds(space, found.distances[rows, last])
    return Graph(n, left, right, distance, odds, base)


def raw_odds(space: Space, distance: ArrayLike) -> Float64:
    """Log-odds of the same as the space was first fitted, which fall evenly with distance; of its shape.

    They tell near from far; how likely it is that a neighbour is the same is told by `found_probability`.

    Raises:
        DoppelgramError: the space is not calibrated.
    """
    d = np.asarray(distance, dtype=np.float64)
    if isinstance(space, ArrangementSpace):
        p = np.clip(1 - d, 1e-12, 1 - 1e-12)
        return np.asarray(np.log(p) - np.log1p(-p))
    if isinstance(space, EuclideanSpace) and space.calibration is not None:
        return space.calibration.log_odds(d)
    raise DoppelgramError(
        "this model says no probabilities, and teaching needs them; calibrate it first: doppelgram calibrate"
    )
