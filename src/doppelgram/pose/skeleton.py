"""The 18-keypoint skeleton of a body, and how other skeletons are turned into it.

Keypoints are float arrays (..., 18, 3): x and y in pixels of the upright photograph, 0 being the outer edge of its
first pixel, and a confidence from 0 to 1. A joint that is missing has NaN for x and y, and confidence 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from doppelgram.errors import DoppelgramError

Keypoints: TypeAlias = NDArray[np.float32]

# OpenPose's order of its COCO model.
KEYPOINT_NAMES = (
    "nose",
    "neck",
    "r_shoulder",
    "r_elbow",
    "r_wrist",
    "l_shoulder",
    "l_elbow",
    "l_wrist",
    "r_hip",
    "r_knee",
    "r_ankle",
    "l_hip",
    "l_knee",
    "l_ankle",
    "r_eye",
    "l_eye",
    "r_ear",
    "l_ear",
)
NOSE, NECK = 0, 1
R_SHOULDER, R_ELBOW, R_WRIST, L_SHOULDER, L_ELBOW, L_WRIST = range(2, 8)
R_HIP, R_KNEE, R_ANKLE, L_HIP, L_KNEE, L_ANKLE = range(8, 14)
R_EYE, L_EYE, R_EAR, L_EAR = range(14, 18)

# The bones that are drawn, from the trunk outwards.
LIMBS = (
    (NECK, R_SHOULDER),
    (R_SHOULDER, R_ELBOW),
    (R_ELBOW, R_WRIST),
    (NECK, L_SHOULDER),
    (L_SHOULDER, L_ELBOW),
    (L_ELBOW, L_WRIST),
    (NECK, R_HIP),
    (R_HIP, R_KNEE),
    (R_KNEE, R_ANKLE),
    (NECK, L_HIP),
    (L_HIP, L_KNEE),
    (L_KNEE, L_ANKLE),
    (NECK, NOSE),
    (NOSE, R_EYE),
    (R_EYE, R_EAR),
    (NOSE, L_EYE),
    (L_EYE, L_EAR),
)

# The joint that each one turns into in a mirror.
MIRROR = np.array(
    [
        KEYPOINT_NAMES.index({"r": "l", "l": "r"}[name[0]] + name[1:] if name[1] == "_" else name)
        for name in KEYPOINT_NAMES
    ]
)

# How far annotators of COCO differ about a joint, as a share of the square root of the person's area
# (pycocotools, `cocoeval.Params.kpt_oks_sigmas`); the neck, which COCO has not, is between the shoulders.
_SIGMA_OF = {
    "nose": 0.026,
    "neck": 0.079,
    "shoulder": 0.079,
    "elbow": 0.072,
    "wrist": 0.062,
    "hip": 0.107,
    "knee": 0.087,
    "ankle": 0.089,
    "eye": 0.025,
    "ear": 0.035,
}
SIGMAS = np.array([_SIGMA_OF[name.split("_")[-1]] for name in KEYPOINT_NAMES])

# Where each of our joints stands in another skeleton; -1 where it has none (the neck, made from the shoulders).
_COCO_17 = (0, -1, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3)
_OPENPOSE_18 = tuple(range(18))
_OPENPOSE_25 = (0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18)
_MEDIAPIPE_33 = (0, -1, 12, 14, 16, 11, 13, 15, 24, 26, 28, 23, 25, 27, 5, 2, 8, 7)


def from_coco_17(keypoints: ArrayLike) -> Keypoints:
    """COCO's 17 keypoints (..., 17, 3) as ours (..., 18, 3); also MoveNet's and ViTPose's."""
    return _converted(keypoints, _COCO_17, 17)


def from_mediapipe_33(keypoints: ArrayLike) -> Keypoints:
    """MediaPipe's 33 landmarks (..., 33, 3) with x, y in pixels and a confidence as ours (..., 18, 3)."""
    return _converted(keypoints, _MEDIAPIPE_33, 33)


# By the number of joints, which tells these skeletons apart: COCO's, OpenPose's two (18 are ours, its zeros becoming
# missing joints, 25 those of BODY_25), and MediaPipe's.
CONVERTERS: dict[int, Callable[[ArrayLike], Keypoints]] = {
    17: from_coco_17,
    18: lambda keypoints: _converted(keypoints, _OPENPOSE_18, 18),
    25: lambda keypoints: _converted(keypoints, _OPENPOSE_25, 25),
    33: from_mediapipe_33,
}


def present(keypoints: NDArray[Any]) -> NDArray[np.bool_]:
    """Which joints of keypoints (..., 18, 3) are known, bool (..., 18)."""
    return np.asarray(np.isfinite(keypoints[..., :2]).all(-1) & (keypoints[..., 2] > 0))


def extent(keypoints: NDArray[Any], counted: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The least and the greatest x and y, float64 (..., 2) each, of the joints that are counted, bool (..., joints).

    Infinite and minus infinite where none is.
    """
    points = np.asarray(keypoints, dtype=np.float64)[..., :2]
    low = np.where(counted[..., None], points, np.inf).min(-2, initial=np.inf)
    return low, np.where(counted[..., None], points, -np.inf).max(-2, initial=-np.inf)


def cleaned(keypoints: ArrayLike) -> Keypoints:
    """Keypoints (..., 18, 3) with confidences from 0 to 1 and every joint either known or missing altogether."""
    points: Keypoints = np.array(keypoints, dtype=np.float32)
    if points.shape[-2:] != (len(KEYPOINT_NAMES), 3):
        raise DoppelgramError(f"keypoints have shape {points.shape}; it must be (..., {len(KEYPOINT_NAMES)}, 3)")
    points[..., 2] = np.clip(np.nan_to_num(points[..., 2], nan=0.0), 0.0, 1.0)
    missing = ~present(points)
    points[missing] = (np.nan, np.nan, 0.0)
    return points


def mirrored(keypoints: ArrayLike, width: float = 0.0) -> Keypoints:
    """Keypoints (..., 18, 3) as in the mirrored photograph of that width: x reversed, left and right renamed."""
    points: Keypoints = np.array(keypoints, dtype=np.float32)[..., MIRROR, :]
    points[..., 0] = width - points[..., 0]
    return points


def _converted(keypoints: ArrayLike, where: Sequence[int], count: int) -> Keypoints:
    source = np.asarray(keypoints, dtype=np.float32)
    if source.shape[-2:] != (count, 3):
        raise DoppelgramError(f"keypoints have shape {source.shape}; it must be (..., {count}, 3)")
    points = source[..., np.maximum(where, 0), :]
    points = cleaned(points)
    if where[NECK] < 0:
        points[..., NECK, :] = middle(points[..., R_SHOULDER, :], points[..., L_SHOULDER, :])
    return points


def middle(first: NDArray[Any], second: NDArray[Any]) -> Keypoints:
    """The point between two joints (..., 3), as sure as the less sure one; missing where one of them is."""
    between: Keypoints = ((first + second) / 2).astype(np.float32)
    between[..., 2] = np.minimum(first[..., 2], second[..., 2])
    missing = ~np.isfinite(between[..., 0])
    between[missing] = (np.nan, np.nan, 0.0)
    return between
