"""Log-odds that two posts match, for blocks of posts and for single pairs."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from doppelgram.space.arrangement import ArrangementSpace
from doppelgram.space.parallel import in_parallel

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

# Pairs measured at a time: 64-bit differences of some hundred numbers each.
_PAIRS = 16_384


class Scorer(Protocol):
    """What the search for pairs and the clustering need.

    Attributes:
        place: float32 (n, place_dim), the place embeddings.
        reach: place distance beyond which no pair has log-odds of the ``floor`` given to the constructor.
    """

    place: Float32
    reach: float

    def block(self, rows: Int64, columns: Int64, *, bounded: bool = False) -> Float32:
        """Log-odds of all pairs of rows and columns, float32 (r, c), up to float32's rounding.

        With ``bounded``, pairs beyond `reach` may be given as -inf, which saves work.
        """
        ...

    def pairs(self, left: Int64, right: Int64) -> Float64:
        """Log-odds of the pairs (left[i], right[i]), float64 (m,)."""
        ...


class PlaceScorer:
    """The same place, whatever the pose; see `Scorer`."""

    def __init__(self, vectors: Float32, space: ArrangementSpace, floor: float) -> None:
        self.place = np.ascontiguousarray(space.split(vectors)[0])
        self._norms = np.einsum("ij,ij->i", self.place, self.place)
        self._calibration = space.calibration.place
        self.reach = max(0.0, (self._calibration.intercept - floor) / self._calibration.slope)

    def distances(self, rows: Int64, columns: Int64) -> Float32:
        """Place distances of all pairs of rows and columns, float32 (r, c)."""
        squares = self.place[rows] @ self.place[columns].T
        squares *= -2
        squares += self._norms[rows, None]
        squares += self._norms[columns]
        return np.asarray(np.sqrt(np.maximum(squares, 0, out=squares), out=squares))

    def block(self, rows: Int64, columns: Int64, *, bounded: bool = False) -> Float32:
        """As `Scorer.block`."""
        odds = self.distances(rows, columns)
        odds *= np.float32(-self._calibration.slope)
        odds += np.float32(self._calibration.intercept)
        return odds

    def pairs(self, left: Int64, right: Int64) -> Float64:
        """As `Scorer.pairs`."""
        distances = np.empty(len(left))
        for start in range(0, len(left), _PAIRS):
            part = slice(start, start + _PAIRS)
            difference = self.place[left[part]].astype(np.float64) - self.place[right[part]]
            distances[part] = np.linalg.norm(difference, axis=1)
        return self._calibration.log_odds(distances)


class JointScorer:
    """The same pose before the same place, by a model's `ArrangementSpace`; see `Scorer`."""

    def __init__(self, vectors: Float32, space: ArrangementSpace, floor: float) -> None:
        self.vectors, self.space = vectors, space
        self._places = PlaceScorer(vectors, space, 0.0)
        self.place = self._places.place
        self._poses = space.poses(vectors, np.float32)
        joint = space.calibration
        best = joint.pose_weight * max(joint.pose.intercept, joint.pose_prior) + joint.bias
        if joint.place_weight > 0:
            needed = (floor - best) / joint.place_weight
            self.reach = max(0.0, (joint.place.intercept - needed) / joint.place.slope)
        else:
            self.reach = np.inf

    def block(self, rows: Int64, columns: Int64, *, bounded: bool = False) -> Float32:
        """As `Scorer.block`."""
        place = self._places.distances(rows, columns)
        if not bounded:
            return self._odds(rows, columns, place)
        odds = np.full(place.shape, -np.inf, dtype=np.float32)
        near = np.flatnonzero(place.min(axis=0) <= self.reach + 1e-3)
        if len(near):
            odds[:, near] = self._odds(rows, columns[near], place[:, near])
        return odds

    def _odds(self, rows: Int64, columns: Int64, place: Float32) -> Float32:
        joint = self.space.calibration
        pose = self.space.pose_table(self._poses.take(rows), self._poses.take(columns))
        of_pose = np.float32(joint.pose.intercept) - np.float32(joint.pose.slope) * pose
        of_pose = np.where(np.isnan(pose), np.float32(joint.pose_prior), of_pose)
        of_place = np.float32(joint.place.intercept) - np.float32(joint.place.slope) * place
        return joint.combined(of_place, of_pose)

    def pairs(self, left: Int64, right: Int64) -> Float64:
        """As `Scorer.pairs`."""
        return self.compare(left, right)[0]

    def compare(self, left: Int64, right: Int64) -> tuple[Float64, Float64, Float64]:
        """Joint log-odds, probability of the same place and of the same pose of pairs, float64 (m,) each."""
        joint = self.space.calibration
        result = np.empty((3, len(left)))

        def measure(start: int) -> None:
            part = slice(start, start + _PAIRS)
            place, pose = self.space.part_distances(self.vectors[left[part]], self.vectors[right[part]])
            result[0, part] = joint.log_odds(place, pose)
            result[1, part], result[2, part] = joint.part_probabilities(place, pose)

        in_parallel(measure, range(0, len(left), _PAIRS))
        return result[0], result[1], result[2]


def logit(probability: float) -> float:
    """Log-odds of a probability between 0 and 1."""
    return float(np.log(probability) - np.log1p(-probability))


def sigmoid(odds: NDArray[np.floating]) -> Float64:
    """Probability of log-odds, stable at both ends."""
    return np.asarray(np.exp(-np.logaddexp(0.0, -np.asarray(odds, dtype=np.float64))))
