"""The space of arrangements: the same pose before the same place, by two distances and what they say together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from doppelgram.space.calibration import sigmoid
from doppelgram.space.exact import (
    Bools,
    Float32,
    Float64,
    Ids,
    Int64,
    listed,
    nearest_columns,
    self_matches,
    vectors,
)
from doppelgram.space.joint import JointCalibration
from doppelgram.space.space import JOINT, Found, PairResult, Part, checked_part

PLACE, POSE = "place", "pose"

# Numbers of one block of comparisons; several arrays of that size are in memory at once, on every core.
_BLOCK_ELEMENTS = 500_000
# How far off a distance by way of a float64 matrix product may be, for vectors of length one: the square root of the
# rounding of its square, about d * 2^-53 (Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1).
_ROUNDING = 2e-6
# Stands for the distance of a pose that cannot be compared: farther than any two vectors of length one.
_UNKNOWN = 4.0


@dataclass(frozen=True)
class ArrangementSpace:
    """How the one vector of a photograph is made up, and how two of them are compared.

    A vector is ``place_dim`` numbers of the place and then, for each of ``people`` people, the most prominent first,
    ``pose_dim`` numbers of the pose. The place and every pose have length one; a pose of zeros means that there is no
    such person. The distance of two photographs is the probability that their arrangements differ. No mean of a class
    is a point of such a space: where nobody is found there is no pose to take the mean of.

    Attributes:
        place_dim: size of the place embedding.
        pose_dim: size of the pose embedding of one person.
        people: how many people are kept, 1 or 2.
        calibration: what distances mean.
    """

    parts: ClassVar[tuple[str, ...]] = (PLACE, POSE)
    has_means: ClassVar[bool] = False
    calibrated: ClassVar[bool] = True

    place_dim: int
    pose_dim: int
    people: int
    calibration: JointCalibration

    @property
    def dim(self) -> int:
        """Size of the whole vector."""
        return self.place_dim + self.people * self.pose_dim

    @property
    def threshold(self) -> float:
        """The distance up to which two photographs count as the same arrangement."""
        return 1 - self.calibration.threshold

    @property
    def even(self) -> float:
        """The same as `threshold`, which was chosen on hard pairs."""
        return self.threshold

    @property
    def fitted_on(self) -> str:
        """Which photographs the calibration was fitted to."""
        return self.calibration.place.fitted_on

    def split(self, vectors: NDArray[Any]) -> tuple[Float32, Float32]:
        """Vectors (n, dim) as place embeddings (n, place_dim) and poses (n, people, pose_dim)."""
        vectors = np.asarray(vectors, dtype=np.float32)
        return vectors[:, : self.place_dim], vectors[:, self.place_dim :].reshape(-1, self.people, self.pose_dim)

    def people_shown(self, vectors: NDArray[Any]) -> NDArray[np.int64]:
        """Of how many people each vector (n, dim) holds a pose, int64 (n,)."""
        return np.asarray((np.abs(self.split(vectors)[1]).sum(2) > 0).sum(1), dtype=np.int64)

    def part_distances(self, a: NDArray[Any], b: NDArray[Any]) -> tuple[Float64, Float64]:
        """Place and pose distances of the pairs (a[i], b[i]), float64 (m,) each; NaN where there is no pose.

        People are matched to people so that the mean distance is least, as many as both photographs show.
        """
        place_a, poses_a = self.split(a)
        place_b, poses_b = self.split(b)
        place = np.linalg.norm(place_a.astype(np.float64) - place_b, axis=1)
        known_a, known_b = (np.abs(poses).sum(2) > 0 for poses in (poses_a, poses_b))
        each = np.linalg.norm(poses_a[:, :, None].astype(np.float64) - poses_b[:, None], axis=3)
        each[~(known_a[:, :, None] & known_b[:, None])] = np.nan
        if self.people == 1:
            return place, each[:, 0, 0]
        both = known_a.all(1) & known_b.all(1)
        matched = np.minimum(each[:, 0, 0] + each[:, 1, 1], each[:, 0, 1] + each[:, 1, 0]) / 2
        least = np.where(np.isnan(each), np.inf, each).min((1, 2))
        return place, np.where(both, matched, np.where(np.isinf(least), np.nan, least))

    def distance(self, a: NDArray[Any], b: NDArray[Any]) -> Float64:
        """Probability (m,) that the arrangements of the pairs (a[i], b[i]) differ."""
        return sigmoid(-self.calibration.log_odds(*self.part_distances(a, b)))

    def probability(self, distance: Any) -> Float64:
        """Probability of the same arrangement at a distance."""
        return 1 - np.asarray(distance, dtype=np.float64)

    def compare(self, a: NDArray[Any], b: NDArray[Any]) -> PairResult:
        """Compare the pairs (a[i], b[i]) of vectors (m, dim), by place, by pose and by both."""
        place, pose = self.part_distances(a, b)
        odds = self.calibration.log_odds(place, pose)
        place_shown, pose_shown = self.calibration.part_probabilities(place, pose)
        parts = {PLACE: Part(place, place_shown), POSE: Part(pose, pose_shown)}
        return PairResult(sigmoid(-odds), sigmoid(odds), parts)

    def found(self, a: NDArray[Any], b: NDArray[Any], by: str = "") -> PairResult:
        """As `compare`, of queries a and what a search ranked by ``by`` found for them."""
        compared = self.compare(a, b)
        search = self.calibration.search.get(by or JOINT)
        if search is None:
            return compared
        distances = compared.parts[PLACE].distance, compared.parts[POSE].distance
        both, *shown = search.probabilities(compared.distance, *distances)
        parts = {
            name: Part(*each) for name, each in zip((PLACE, POSE), zip(distances, shown, strict=True), strict=True)
        }
        return PairResult(compared.distance, both, parts)

    def index(self, gallery: Any, ids: Ids | None = None) -> ArrangementIndex:
        """Prepare a gallery (n, dim) for search."""
        return ArrangementIndex(self, gallery, ids)

    def coordinates(self, vectors: NDArray[Any], by: str = "") -> Float32:
        """The whole vectors (n, dim), their places (n, place_dim), or their most prominent people's poses."""
        place, poses = self.split(vectors)
        wanted = {PLACE: place, POSE: poses[:, 0]}.get(checked_part(self, by), np.asarray(vectors, dtype=np.float32))
        return np.ascontiguousarray(wanted)

    def unknown(self, vectors: NDArray[Any]) -> Mapping[str, Bools]:
        """The pose is missing where nobody was found."""
        return {POSE: self.people_shown(vectors) == 0}


class ArrangementIndex:
    """A gallery of arrangement vectors prepared for exact searches; see `doppelgram.space.space.Index`.

    Images with no pose to compare come last where the pose ranks.

    Raises:
        DoppelgramError: vectors that are no numbers or of another size, or there is not one id a row.
    """

    def __init__(self, space: ArrangementSpace, gallery: Any, ids: Ids | None = None) -> None:
        self._space = space
        self.gallery = vectors(gallery, "gallery", space.dim)
        self._ids = None if ids is None else listed(ids, len(self.gallery), "gallery")

    def nearest(self, queries: Any, k: int, *, query_ids: Ids | None = None, by: str = "") -> Found:
        """The k nearest gallery images of each query; distances are probabilities that the arrangements differ."""
        ranker = self.ranker(by)
        queries = vectors(queries, "queries", self._space.dim)
        left_out = self_matches(query_ids, self._ids, len(queries))
        positions, _ = nearest_columns(ranker, queries, k, left_out)
        there = positions >= 0
        by = checked_part(self._space, by)
        compared = self._space.found(queries[np.nonzero(there)[0]], self.gallery[positions[there]], by)
        assert compared.probability is not None

        def laid_out(values: Float64, missing: float) -> Float64:
            table = np.full(positions.shape, missing)
            table[there] = values
            return table

        parts = {
            name: Part(laid_out(part.distance, np.nan), laid_out(part.probability, 0.0))
            for name, part in compared.parts.items()
        }
        return Found(positions, laid_out(compared.distance, np.inf), laid_out(compared.probability, 0.0), parts)

    def ranker(self, by: str = "") -> ArrangementRanker:
        """What orders the gallery for a query: by everything, or by one part."""
        return ArrangementRanker(self._space, self.gallery, checked_part(self._space, by))


class ArrangementRanker:
    """Keys are distances of one part, or log-odds of the same arrangement with the sign turned; all in float64."""

    dtype = np.float64

    def __init__(self, space: ArrangementSpace, gallery: Float32, by: str) -> None:
        self.size = len(gallery)
        self._space, self._gallery, self._by = space, gallery, by
        self._place, self._poses, self._known = _parts(space, gallery)
        joint = space.calibration
        slopes = joint.place_weight * joint.place.slope + joint.pose_weight * joint.pose.slope
        self._slack = _ROUNDING * (1.0 if by else slopes)

    @property
    def rows(self) -> int:
        """Queries at a time that keep a block of keys small."""
        return max(1, _BLOCK_ELEMENTS // max(self.size, 1))

    def keys(self, queries: Float32, out: NDArray[Any] | None = None) -> tuple[Float64, Float64]:
        """Keys (b, n), and zeros (b,)."""
        place, poses, known = _parts(self._space, queries)
        scale = np.zeros(len(queries))
        if self._by == PLACE:
            return _distances(place, self._place), scale
        pose = self._pose_distances(poses, known)
        if self._by == POSE:
            return np.nan_to_num(pose, copy=False, nan=_UNKNOWN), scale
        return -self._space.calibration.log_odds(_distances(place, self._place), pose), scale

    def rounding(self, keys: NDArray[Any], scale: NDArray[Any]) -> Float64:
        """How far off a key may be."""
        return np.full(np.broadcast_shapes(keys.shape, scale.shape), self._slack)

    def limit(self, reach: Float64, scale: NDArray[Any]) -> Float64:
        """The largest key that an image as near as ``reach`` may have."""
        return reach + 2 * self._slack

    def exact(self, queries: Float32, rows: Int64, columns: Int64) -> Float64:
        """The measure (p,) of query rows and gallery columns, from direct differences."""
        place, pose = self._space.part_distances(queries[rows], self._gallery[columns])
        if self._by == PLACE:
            return place
        if self._by == POSE:
            return np.nan_to_num(pose, nan=_UNKNOWN)
        return -self._space.calibration.log_odds(place, pose)

    def _pose_distances(self, poses: Float64, known: NDArray[np.bool_]) -> Float64:
        """Distances of poses (b, n), people matched to people; NaN where there is none."""
        people = range(self._space.people)
        each = [[_distances(poses[:, i], self._poses[:, j]) for j in people] for i in people]
        for i in people:
            for j in people:
                each[i][j][~(known[:, i, None] & self._known[None, :, j])] = np.nan
        if len(people) == 1:
            return each[0][0]
        matched = np.minimum(each[0][0] + each[1][1], each[0][1] + each[1][0]) / 2  # NaN unless both show two people
        least = np.fmin(np.fmin(each[0][0], each[0][1]), np.fmin(each[1][0], each[1][1]))
        return np.where(np.isnan(matched), least, matched)


def _parts(space: ArrangementSpace, array: Float32) -> tuple[Float64, Float64, NDArray[np.bool_]]:
    """Places (n, d), poses (n, people, d), and which of the people there are (n, people)."""
    place, poses = space.split(array)
    return place.astype(np.float64), poses.astype(np.float64), np.abs(poses).sum(2) > 0


def _distances(a: Float64, b: Float64) -> Float64:
    """Euclidean distances (q, n) between rows, by a matrix product."""
    squares = -2.0 * (a @ b.T)
    squares += np.einsum("ij,ij->i", a, a)[:, None]
    squares += np.einsum("ij,ij->i", b, b)
    return np.asarray(np.sqrt(np.maximum(squares, 0.0, out=squares), out=squares))
