"""How near any two images of a folder are: what tells a chance likeness apart where nobody has labelled anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from doppelgram.errors import DoppelgramError
from doppelgram.space.exact import Float32, Float64
from doppelgram.space.space import Space

PAIRS = 50_000
_AT_ONCE = 5_000


@dataclass(frozen=True)
class Background:
    """Distances of random pairs of a folder's images, float64 (m,) in rising order."""

    distances: Float64

    def rate(self, distance: ArrayLike) -> Float64:
        """Share of the pairs that are as near as this, at least one in m + 1; of the distance's shape.

        Hardly any random pair shows the same, so that this is about the share of different pairs that would be
        accepted here: the false positive rate.
        """
        nearer = np.searchsorted(self.distances, np.asarray(distance, dtype=np.float64), side="right")
        return np.asarray((nearer + 1) / (len(self.distances) + 1))

    def distance(self, rate: float) -> float | None:
        """The distance up to which this share of the pairs lies; None where there are too few pairs to tell."""
        few = int(rate * len(self.distances))
        return float(self.distances[few - 1]) if few >= 1 else None


def background(space: Space, vectors: NDArray[Any], *, seed: int = 0, pairs: int = PAIRS) -> Background:
    """Measure pairs of a folder's images drawn at random, two different images each.

    Args:
        space: of the vectors.
        vectors: (n, dim).
        seed: of the draw.
        pairs: to draw, at most; of few images, all there are.

    Raises:
        DoppelgramError: there are fewer than two images.
    """
    table: Float32 = np.asarray(vectors, dtype=np.float32)
    n = len(table)
    if n < 2:
        raise DoppelgramError("two images or more are needed to say how near any two of them are")
    if n * (n - 1) // 2 <= pairs:
        a, b = np.triu_indices(n, 1)
    else:
        rng = np.random.default_rng(seed)
        a, b = rng.integers(0, n, pairs), rng.integers(0, n - 1, pairs)
        b = b + (b >= a)
    parts = [space.distance(table[a[s : s + _AT_ONCE]], table[b[s : s + _AT_ONCE]]) for s in range(0, len(a), _AT_ONCE)]
    return Background(np.sort(np.concatenate(parts)))
