"""The people that were found in one photograph, and which of them it is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doppelgram.errors import DoppelgramError
from doppelgram.pose.skeleton import KEYPOINT_NAMES, Keypoints, cleaned, extent, present

# Who is less prominent than this share of the most prominent person is a passer-by. The formula is of the size's first
# power: a person of half the height, elsewhere alike, is half as prominent.
PASSER_BY = 0.5
# A joint that is less sure than this does not count when a person's size is taken.
SURE = 0.2


@dataclass(frozen=True)
class People:
    """The people of one photograph, the most prominent first.

    Attributes:
        keypoints: float32 (p, 18, 3), see `doppelgram.pose.skeleton`.
        score: float32 (p,), how sure the estimator is of each person, 0 to 1.
        width: of the upright photograph in pixels.
        height: of it.
    """

    keypoints: Keypoints
    score: NDArray[np.float32]
    width: int
    height: int

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise DoppelgramError(f"people: a photograph cannot have {self.width} x {self.height} pixels")
        keypoints = np.asarray(self.keypoints, dtype=np.float32)
        keypoints = cleaned(keypoints.reshape(0, len(KEYPOINT_NAMES), 3) if keypoints.size == 0 else keypoints)
        score = np.asarray(self.score, dtype=np.float32).reshape(-1)
        if keypoints.ndim != 3 or len(score) != len(keypoints):
            raise DoppelgramError(f"people: there are {len(score)} scores for keypoints of shape {keypoints.shape}")
        seen = present(keypoints).any(1)
        keypoints, score = keypoints[seen], score[seen]
        order = np.argsort(-prominence(keypoints, self.width, self.height), kind="stable")
        object.__setattr__(self, "keypoints", keypoints[order])
        object.__setattr__(self, "score", score[order])

    def __len__(self) -> int:
        return len(self.keypoints)

    @cached_property
    def prominence(self) -> NDArray[np.float64]:
        """How much the photograph is about each person, float64 (p,), descending; see the function `prominence`."""
        return prominence(self.keypoints, self.width, self.height)

    @property
    def passers_by(self) -> NDArray[np.bool_]:
        """Who is less than half as prominent as the most prominent person, bool (p,)."""
        return np.asarray(self.prominence < PASSER_BY * self.prominence[:1].sum())

    def most_prominent(self, count: int = 2) -> People:
        """At most ``count`` people whom the photograph is about.

        Passers-by are left out: whoever is less than half as prominent as the most prominent person (`PASSER_BY`).
        """
        return self.take(np.flatnonzero(~self.passers_by)[:count])

    def take(self, which: Sequence[int] | NDArray[Any]) -> People:
        """Only the people at these positions."""
        index = np.asarray(which, dtype=np.int64)
        return People(self.keypoints[index], self.score[index], self.width, self.height)

    def scaled(self, width: int, height: int) -> People:
        """The same people in the same photograph of another size."""
        factors = np.array([width / self.width, height / self.height, 1.0], dtype=np.float32)
        return People(self.keypoints * factors, self.score, width, height)

    @classmethod
    def nobody(cls, width: int, height: int) -> People:
        """A photograph in which no one was found."""
        return cls(np.zeros((0, len(KEYPOINT_NAMES), 3), np.float32), np.zeros(0, np.float32), width, height)


def boxes(keypoints: NDArray[Any], *, sure: float = SURE) -> NDArray[np.float64]:
    """The box (left, top, right, bottom) round the joints of each person, float64 (p, 4).

    Args:
        keypoints: (p, 18, 3).
        sure: joints of less confidence are left out, unless a person has no others.
    """
    known = present(keypoints)
    counted = known & (keypoints[..., 2] >= sure)
    counted = np.where(counted.sum(1, keepdims=True) >= 2, counted, known)
    return np.concatenate(extent(keypoints, counted), axis=1)


def prominence(keypoints: NDArray[Any], width: int, height: int) -> NDArray[np.float64]:
    """How much a photograph is about each of its people, float64 (p,) from 0 to 1.

    ``size * (1 - distance / 2) * confidence``, where ``size`` is the diagonal of the box round the sure joints as a
    share of the photograph's own, ``distance`` goes from the box's middle to the photograph's as a share of half the
    photograph's diagonal, and ``confidence`` is the mean over all 18 joints, a missing one counting 0. Both lengths
    are cut at 1.

    Args:
        keypoints: (p, 18, 3).
        width: of the photograph in pixels.
        height: of it.
    """
    if not len(keypoints):
        return np.zeros(0)
    corners = boxes(keypoints)
    diagonal = float(np.hypot(width, height))
    size = np.minimum(np.hypot(*(corners[:, 2:] - corners[:, :2]).T) / diagonal, 1.0)
    off = (corners[:, :2] + corners[:, 2:]) / 2 - np.array([width, height]) / 2
    distance = np.minimum(np.hypot(*off.T) / (diagonal / 2), 1.0)
    confidence = np.nan_to_num(keypoints[..., 2].astype(np.float64)).mean(1)
    return np.asarray(size * (1 - distance / 2) * confidence)
