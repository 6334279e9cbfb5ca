"""Poses as vectors without any training: Euclidean distance of two of them says how differently two bodies are held."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from doppelgram.pose.skeleton import KEYPOINT_NAMES, LIMBS, present

# Chosen on every second pose of the posts; `benchmarks/ready_made.py` reports on the others.
CAP = 1.25
LIMB_WEIGHT = 1.0
CONFIDENCE_POWER = 0.5

_START, _END = (np.array([limb[end] for limb in LIMBS]) for end in (0, 1))
DIM = 2 * len(KEYPOINT_NAMES) + 2 * len(LIMBS) + 1


def pose_vectors(
    poses: NDArray[Any],
    *,
    cap: float = CAP,
    limb_weight: float = LIMB_WEIGHT,
    confidence_power: float = CONFIDENCE_POWER,
) -> NDArray[np.float32]:
    """Unit vectors (n, `DIM`) of normalised poses (n, 18, 3); zeros where no joint is known.

    The parts of a vector, before it is scaled: where each joint is, drawn in to ``cap`` trunk lengths from the middle
    of the hips, so that one wrong joint cannot outweigh all others; and which way each limb points, a unit vector times
    ``limb_weight``, so that the squared distance of two limbs is ``2 (1 - cos)`` of their angle times the squared
    weight. Both are multiplied by the confidence, of a limb the lesser of its ends', to the power ``confidence_power``:
    what is doubtful or missing draws towards "nothing known", which lies between all poses.

    The vector is then lifted onto a sphere by one more number. The sphere is so large that Euclidean distances stay
    what they were, up to a common factor and some hundredths, while all vectors have length one.

    A mirrored pose has the same numbers with left and right exchanged and x negated: mirroring keeps distances.
    """
    poses = np.asarray(poses, dtype=np.float64)
    known = present(poses)
    sure = np.where(known, poses[..., 2], 0.0) ** confidence_power * known
    places = np.where(known[..., None], poses[..., :2], 0.0)
    limbs = places[:, _END] - places[:, _START]
    limbs /= np.maximum(np.linalg.norm(limbs, axis=-1, keepdims=True), 1e-9)
    limbs *= limb_weight * np.minimum(sure[:, _START], sure[:, _END])[..., None]
    away = np.linalg.norm(places, axis=-1, keepdims=True)
    places = places * np.minimum(1.0, cap / np.maximum(away, 1e-9)) * sure[..., None]
    # Twice as long as any vector can be.
    radius = 2 * np.sqrt(places.shape[1] * cap**2 + limbs.shape[1] * limb_weight**2)
    flat = np.concatenate([places, limbs], axis=1).reshape(len(poses), DIM - 1) / radius
    lifted = np.sqrt(1 - (flat**2).sum(1, keepdims=True))
    return np.where(known.any(1, keepdims=True), np.hstack([flat, lifted]), 0.0).astype(np.float32)
