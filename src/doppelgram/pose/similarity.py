"""How alike two body poses are, without any training: OKS, PCK and the angles of limbs.

All functions compare (..., 18, 3) with (..., 18, 3) joint by joint, by numpy's rules of broadcasting, over the joints
that both have; where there is none, the answer is NaN.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from doppelgram.pose.skeleton import LIMBS, SIGMAS, extent, present

Float64 = NDArray[np.float64]

# What a person's outline covers of the box round the joints, on average over COCO's annotations.
_FILLED = 0.53
# A person who lies straight has a box without height, though not a body without size: no side counts as shorter than
# this share of the other.
_SLIMMEST = 0.3


def areas(keypoints: NDArray[Any]) -> Float64:
    """About how many square units each person (..., 18, 3) covers, float64 (...): 0.53 of the box round the joints."""
    sides = _sides(keypoints)
    longer, shorter = sides.max(-1), sides.min(-1)
    area = _FILLED * longer * np.maximum(shorter, _SLIMMEST * longer)
    return np.asarray(np.where(np.isfinite(area), area, np.nan))


def oks(a: NDArray[Any], b: NDArray[Any], area: NDArray[Any] | float | None = None) -> Float64:
    """Object keypoint similarity, 0 to 1: the mean over common joints of ``exp(-d^2 / (2 s^2 (2 sigma)^2))``.

    Args:
        a: people (..., 18, 3).
        b: others.
        area: ``s^2`` in square units of the coordinates; by default the geometric mean of both people's `areas`.
    """
    squared, common = _squared(a, b)
    if area is None:
        area = np.sqrt(areas(a) * areas(b))
    scale = np.maximum(np.asarray(area, dtype=np.float64), 1e-12)[..., None]
    each = np.exp(-squared / (2 * scale * (2 * SIGMAS) ** 2))
    return _mean(each, common)


def pck(a: NDArray[Any], b: NDArray[Any], alpha: float = 0.2, size: NDArray[Any] | float | None = None) -> Float64:
    """Share of correct keypoints, 0 to 1: of common joints, those no further apart than ``alpha * max(h, w)``.

    Args:
        a: people (..., 18, 3).
        b: others, who are the measure.
        alpha: how far apart still counts.
        size: ``max(h, w)``; by default the longer side of the box round the joints of ``b``.
    """
    squared, common = _squared(a, b)
    if size is None:
        size = _sides(b).max(-1)
    reach = alpha * np.asarray(size, dtype=np.float64)[..., None]
    return _mean((np.sqrt(squared) <= reach).astype(np.float64), common)


def limb_cosine(a: NDArray[Any], b: NDArray[Any]) -> Float64:
    """Mean cosine of the angles between the same limbs (`LIMBS`) of two people, -1 to 1; sizes do not matter."""
    first, known_first = _directions(a)
    second, known_second = _directions(b)
    return _mean((first * second).sum(-1), known_first & known_second)


def coverage(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.int64]:
    """How many joints two people have in common, int64 (...), 0 to 18."""
    return np.asarray((present(np.asarray(a)) & present(np.asarray(b))).sum(-1), dtype=np.int64)


def _sides(keypoints: NDArray[Any]) -> Float64:
    """Width and height (..., 2) of the box round the joints; not finite where there is none."""
    low, high = extent(keypoints, present(np.asarray(keypoints)))
    with np.errstate(invalid="ignore"):
        return high - low


def _squared(a: NDArray[Any], b: NDArray[Any]) -> tuple[Float64, NDArray[np.bool_]]:
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    common = present(first) & present(second)
    difference = np.where(common[..., None], first[..., :2] - second[..., :2], 0.0)
    return (difference**2).sum(-1), common


def _mean(values: Float64, counted: NDArray[np.bool_]) -> Float64:
    count = counted.sum(-1)
    total = np.where(counted, values, 0.0).sum(-1)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))


def _directions(keypoints: NDArray[Any]) -> tuple[Float64, NDArray[np.bool_]]:
    points = np.asarray(keypoints, dtype=np.float64)
    starts, ends = (list(column) for column in zip(*LIMBS, strict=True))
    known = present(points)
    both = known[..., starts] & known[..., ends]
    vectors = np.where(both[..., None], points[..., ends, :2] - points[..., starts, :2], 0.0)
    lengths = np.linalg.norm(vectors, axis=-1)
    both &= lengths > 0
    return vectors / np.where(lengths > 0, lengths, 1.0)[..., None], both
