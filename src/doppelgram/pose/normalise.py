"""Where somebody stands in a photograph and how large is taken out of a pose; what is left is the pose alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from doppelgram.pose.skeleton import L_HIP, L_SHOULDER, R_HIP, R_SHOULDER, Keypoints, cleaned, extent, present

# A trunk that points at the camera is short in the picture, and dividing by it would blow up arms and legs: the unit is
# never shorter than this share of the diagonal of the box round all joints. Where the trunk is not known at all, it is
# taken to be this long.
SHORTEST_TRUNK = 0.2


def normalised(keypoints: NDArray[Any]) -> Keypoints:
    """Poses (..., 18, 3) without place and size: the middle of the hips is the origin and the trunk one long.

    A pose is not turned, and y goes downwards. The middle of a pair of joints is weighted by their confidences, and is
    the one that is known where the other is missing. Without hips the origin is the mean of all joints by confidence,
    and the unit, as without shoulders, is a share of the diagonal of the box round all joints (`SHORTEST_TRUNK`), which
    is also the shortest unit otherwise. Somebody of whom nothing is known stays so; a single joint has the unit 1.

    Args:
        keypoints: (..., 18, 3).
    """
    points = cleaned(keypoints).astype(np.float64)
    known = present(points)
    weights = points[..., 2] * known
    xy = np.where(known[..., None], points[..., :2], 0.0)
    hips, shoulders = (_middle(xy, weights, pair) for pair in ((R_HIP, L_HIP), (R_SHOULDER, L_SHOULDER)))
    everything = _middle(xy, weights, tuple(range(points.shape[-2])))
    without_hips = np.isnan(hips[..., :1])
    origin = np.where(without_hips, everything, hips)
    low, high = extent(points, known)
    shortest = SHORTEST_TRUNK * np.linalg.norm(np.where(np.isfinite(low), high - low, 0.0), axis=-1)
    trunk = np.linalg.norm(shoulders - hips, axis=-1)
    unit = np.fmax(np.nan_to_num(trunk, nan=0.0), shortest)
    unit = np.where(unit > 0, unit, 1.0)
    points[..., :2] = (points[..., :2] - origin[..., None, :]) / unit[..., None, None]
    return points.astype(np.float32)


def _middle(xy: NDArray[np.float64], weights: NDArray[np.float64], joints: tuple[int, ...]) -> NDArray[np.float64]:
    """Mean (..., 2) of some joints by confidence; NaN where all are missing."""
    weight = weights[..., list(joints)]
    total = weight.sum(-1)
    mean = (xy[..., list(joints), :] * weight[..., None]).sum(-2) / np.where(total > 0, total, 1.0)[..., None]
    return np.where(total[..., None] > 0, mean, np.nan)
