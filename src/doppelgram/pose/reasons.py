"""Why two poses are alike or not, limb by limb: what a person would point at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doppelgram.pose.people import SURE
from doppelgram.pose.skeleton import (
    L_ANKLE,
    L_ELBOW,
    L_HIP,
    L_KNEE,
    L_SHOULDER,
    L_WRIST,
    NECK,
    NOSE,
    R_ANKLE,
    R_ELBOW,
    R_HIP,
    R_KNEE,
    R_SHOULDER,
    R_WRIST,
    mirrored,
    present,
)

# Body parts by the keypoints they go from and to; several keypoints stand for the point between them.
PARTS: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "head": ((NECK,), (NOSE,)),
    "trunk": ((R_HIP, L_HIP), (NECK,)),
    "right upper arm": ((R_SHOULDER,), (R_ELBOW,)),
    "right forearm": ((R_ELBOW,), (R_WRIST,)),
    "left upper arm": ((L_SHOULDER,), (L_ELBOW,)),
    "left forearm": ((L_ELBOW,), (L_WRIST,)),
    "right thigh": ((R_HIP,), (R_KNEE,)),
    "right lower leg": ((R_KNEE,), (R_ANKLE,)),
    "left thigh": ((L_HIP,), (L_KNEE,)),
    "left lower leg": ((L_KNEE,), (L_ANKLE,)),
}
# Up to this many degrees apart two limbs look alike to most people, from the second on clearly different.
ALIKE, DIFFERENT = 25.0, 45.0
# A mirrored reading is preferred only if it brings the limbs nearer by this many degrees on average, so that a front
# view does not flip for the sake of noise.
_MIRROR_GAIN = 8.0


@dataclass(frozen=True)
class PoseReasons:
    """Two people, limb by limb.

    Attributes:
        degrees: part to the angle between its directions in both photographs, 0 to 180; only of parts visible in both.
        keypoints: how many are visible in both; those that an estimator doubts do not count.
        mirrored: whether the second person was compared as in a mirror, because that fits clearly better.
    """

    degrees: dict[str, float]
    keypoints: int
    mirrored: bool

    @property
    def mean(self) -> float:
        """Mean angle in degrees; NaN where no part is visible in both."""
        return float(np.mean(list(self.degrees.values()))) if self.degrees else float("nan")

    def alike(self, most: int = 3) -> list[tuple[str, float]]:
        """Parts that agree, the nearest first."""
        ordered = sorted(self.degrees.items(), key=lambda item: item[1])
        return [item for item in ordered if item[1] <= ALIKE][:most]

    def different(self, most: int = 3) -> list[tuple[str, float]]:
        """Parts that clearly differ, the farthest first."""
        ordered = sorted(self.degrees.items(), key=lambda item: -item[1])
        return [item for item in ordered if item[1] >= DIFFERENT][:most]


def compare_limbs(a: NDArray[Any], b: NDArray[Any]) -> PoseReasons:
    """Compare two people's keypoints (18, 3) limb by limb, as they stand and mirrored."""
    straight, flipped = _degrees(a, b), _degrees(a, mirrored(b))
    turned = _mean(flipped) + _MIRROR_GAIN < _mean(straight)
    second = mirrored(b) if turned else b
    return PoseReasons(flipped if turned else straight, int((visible(a) & visible(second)).sum()), turned)


def visible(keypoints: NDArray[Any]) -> NDArray[np.bool_]:
    """Which of the keypoints (..., 18, 3) are known and sure enough to speak of, (..., 18).

    Some estimators give every keypoint a position, also those that the photograph does not show.
    """
    return np.asarray(present(keypoints) & (keypoints[..., 2] >= SURE))


def _directions(keypoints: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
    points, known = np.asarray(keypoints, dtype=np.float64), visible(np.asarray(keypoints))
    found = {}
    for name, (start, end) in PARTS.items():
        if known[[*start, *end]].all():
            step = points[list(end), :2].mean(0) - points[list(start), :2].mean(0)
            length = float(np.hypot(*step))
            if length > 0:
                found[name] = step / length
    return found


def _degrees(a: NDArray[Any], b: NDArray[Any]) -> dict[str, float]:
    first, second = _directions(a), _directions(b)
    shared = [name for name in PARTS if name in first and name in second]
    return {name: float(np.degrees(np.arccos(np.clip(first[name] @ second[name], -1, 1)))) for name in shared}


def _mean(degrees: dict[str, float]) -> float:
    return float(np.mean(list(degrees.values()))) if degrees else 360.0
