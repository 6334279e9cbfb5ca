"""The space of one embedding: Euclidean distance, and what it means if it was calibrated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from doppelgram.errors import DoppelgramError
from doppelgram.space.calibration import Calibration
from doppelgram.space.exact import (
    Bools,
    Float32,
    Float64,
    Ids,
    Int64,
    Named,
    block_rows,
    named,
    nearest_columns,
    pair_distances,
    self_matches,
    vectors,
)
from doppelgram.space.parallel import in_blocks
from doppelgram.space.space import Found, PairResult, checked_part, without_mix

_CENTRED_ON = 4096
_BLOCK_ROWS = 4096


@dataclass(frozen=True)
class EuclideanSpace:
    """Vectors whose Euclidean distance says how unlike two images are.

    Attributes:
        dim: size of a vector.
        calibration: from a distance to a probability; None where none was fitted.
    """

    parts: ClassVar[tuple[str, ...]] = ()
    has_means: ClassVar[bool] = True

    dim: int
    calibration: Calibration | None = None

    @property
    def calibrated(self) -> bool:
        """Whether distances have probabilities and a threshold."""
        return self.calibration is not None

    @property
    def threshold(self) -> float | None:
        """The distance up to which two images count as the same; None without calibration."""
        return self.calibration.threshold if self.calibration else None

    @property
    def even(self) -> float | None:
        """The distance up to which two given images count as the same; None without calibration."""
        return self.calibration.even if self.calibration else None

    @property
    def fitted_on(self) -> str:
        """Which images the threshold was chosen on; empty without calibration."""
        return self.calibration.fitted_on if self.calibration else ""

    def distance(self, a: NDArray[Any], b: NDArray[Any]) -> Float64:
        """Euclidean distances (m,) of the pairs (a[i], b[i]), by direct difference in float64."""
        rows = np.arange(len(a))
        return pair_distances(np.asarray(a, dtype=np.float32), np.asarray(b, dtype=np.float32), rows, rows)

    def probability(self, distance: Any) -> Float64:
        """Probability of the same at a distance.

        Raises:
            DoppelgramError: the space was not calibrated.
        """
        if self.calibration is None:
            raise DoppelgramError(
                "this model is not calibrated: it was trained without a validation part that has pairs"
            )
        return self.calibration.probability(distance)

    def compare(self, a: NDArray[Any], b: NDArray[Any]) -> PairResult:
        """Distance and, if calibrated, probability of the pairs (a[i], b[i])."""
        distance = self.distance(a, b)
        return PairResult(distance, self.probability(distance) if self.calibrated else None)

    def index(self, gallery: Any, ids: Ids | Named | None = None) -> EuclideanIndex:
        """Prepare a gallery (n, dim) for search."""
        return EuclideanIndex(self, gallery, ids)

    def adapted(self, gallery: NDArray[Any]) -> EuclideanSpace:
        """The space itself, whatever the gallery."""
        return self

    def coordinates(self, vectors: NDArray[Any], by: str = "") -> Float32:
        """The vectors themselves."""
        checked_part(self, by)
        return np.asarray(vectors, dtype=np.float32)

    def only_person(self, vectors: NDArray[Any], person: int) -> Float32:
        """There are no people in this space."""
        raise DoppelgramError("a model of places and poses tells people apart; this one compares whole images")

    def unknown(self, vectors: NDArray[Any]) -> Mapping[str, Bools]:
        """Nothing can be missing."""
        return {}


class EuclideanIndex:
    """A gallery prepared for exact searches by Euclidean distance; see `doppelgram.space.space.Index`.

    Raises:
        DoppelgramError: as :func:`doppelgram.space.exact.vectors`, or there is not one id a row.
    """

    def __init__(self, space: EuclideanSpace, gallery: Any, ids: Ids | Named | None = None) -> None:
        self.gallery = vectors(gallery, "gallery")
        self._space = space
        self._ids = named(ids, len(self.gallery))
        self._ranker = EuclideanRanker(self.gallery)

    def nearest(
        self,
        queries: Any,
        k: int,
        *,
        query_ids: Ids | None = None,
        by: str = "",
        mix: float | None = None,
        left_out: Sequence[int] | Int64 = (),
    ) -> Found:
        """The k nearest gallery images of each query; distances are float32, duplicates at exactly 0."""
        ranker = self.ranker(by, mix)
        queries = vectors(queries, "queries", self.gallery.shape[1])
        own = self_matches(query_ids, self._ids, len(queries))
        positions, distances = nearest_columns(ranker, queries, k, own, left_out)
        calibration = self._space.calibration
        return Found(positions, distances, calibration.search_probability(distances) if calibration else None, {})

    def ranker(self, by: str = "", mix: float | None = None) -> EuclideanRanker:
        """What orders the gallery for a query."""
        checked_part(self._space, by)
        without_mix(mix)
        return self._ranker


class EuclideanRanker:
    """Keys |b|^2 - 2ab of centred vectors in float32; the exact measure is the distance by direct difference."""

    dtype = np.float32

    def __init__(self, gallery: Float32) -> None:
        self.size, self._width = gallery.shape
        self._gallery = gallery
        # Centring is for rounding alone, so that the mean of some rows does.
        some = gallery[:: max(1, self.size // _CENTRED_ON)]
        self._centre = some.mean(axis=0, dtype=np.float64).astype(np.float32) if self.size else np.zeros(self._width)
        # |b|^2 rides along as one more column, so that a single product gives |b|^2 - 2ab.
        self._extended = np.empty((self._width + 1, self.size), dtype=np.float32)

        def extend(start: int) -> None:
            part = slice(start, start + _BLOCK_ROWS)
            centred = gallery[part] - self._centre
            self._extended[:-1, part] = centred.T
            self._extended[-1, part] = np.einsum("ij,ij->i", centred, centred)

        in_blocks(extend, range(0, self.size, _BLOCK_ROWS))

    @property
    def rows(self) -> int:
        """Queries at a time that keep a block of keys near 64 MB."""
        return block_rows(self.size)

    def keys(self, queries: Float32, out: NDArray[Any] | None = None) -> tuple[Float32, Float32]:
        """Keys (b, n) and the squared norms of the centred queries (b,)."""
        query = (queries - self._centre).astype(np.float32)
        own = np.einsum("ij,ij->i", query, query)
        weights = np.hstack([-2 * query, np.ones((len(query), 1), dtype=np.float32)])
        return np.matmul(weights, self._extended, out=out), own

    def rounding(self, keys: NDArray[Any], scale: NDArray[Any]) -> Float32:
        """How far off the key of an image as near as this one may be; above 0 even for zero vectors.

        The probabilistic bound ``sqrt(d) eps`` of Higham and Mary (SIAM Journal on Scientific Computing 41, 2019) with
        a factor to spare, times ``|a|^2 + (|a| + distance)^2``, which no vector at that distance exceeds.
        """
        eps = np.finfo(np.float32)
        reach = np.sqrt(scale) + np.sqrt(np.maximum(keys + scale, 0))
        return np.asarray(
            2 * (np.sqrt(self._width) + 4) * eps.eps * (scale + reach * reach) + eps.tiny, dtype=np.float32
        )

    def limit(self, reach: Float64, scale: NDArray[Any]) -> Float64:
        """The largest key that an image at distance ``reach`` may have.

        Rounding of a dot product of length d is at most d * eps / 2 of the norms (Higham, Accuracy and Stability of
        Numerical Algorithms, 2002, section 3.1), once for 2ab and once for |b|^2, and centring adds an eps of them; an
        image at that distance has a norm of at most |a| + distance.
        """
        own = scale.astype(np.float64)
        slack = 2 * (self._width + 3) * np.finfo(np.float32).eps * (own + (np.sqrt(own) + reach) ** 2)
        return np.asarray(reach * reach * (1 + 1e-6) - own + slack)

    def exact(self, queries: Float32, rows: Int64, columns: Int64) -> Float64:
        """Distances (p,) of query rows and gallery columns."""
        return pair_distances(queries, self._gallery, rows, columns)
