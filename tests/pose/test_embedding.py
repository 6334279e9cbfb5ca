"""Pose vectors that nobody trained: distances mean what they say, mirroring keeps them, nothing explodes."""

import numpy as np
import pytest

from doppelgram.pose.embedding import CAP, CONFIDENCE_POWER, DIM, LIMB_WEIGHT, pose_vectors
from doppelgram.pose.normalise import normalised
from doppelgram.pose.skeleton import KEYPOINT_NAMES, L_WRIST, LIMBS, R_WRIST, mirrored

RADIUS = 2 * np.sqrt(len(KEYPOINT_NAMES) * CAP**2 + len(LIMBS) * LIMB_WEIGHT**2)


def drawn(n: int, seed: int = 0) -> np.ndarray:
    """Normalised random skeletons, some with joints that are missing or far away."""
    rng = np.random.default_rng(seed)
    poses = np.concatenate([rng.normal(scale=80, size=(n, 18, 2)), rng.uniform(0.1, 1, (n, 18, 1))], axis=2)
    poses[rng.random((n, 18)) < 0.1] = np.nan
    return normalised(poses)


def naive(a: np.ndarray, b: np.ndarray) -> float:
    """The distance by its definition, joint by joint and limb by limb."""

    def parts(pose: np.ndarray) -> list[np.ndarray]:
        sure = [0.0 if np.isnan(x) else float(c) ** CONFIDENCE_POWER for x, _, c in pose]
        places = np.nan_to_num(pose[:, :2]).astype(float)
        found = [sure[j] * p * min(1.0, CAP / max(float(np.hypot(*p)), 1e-9)) for j, p in enumerate(places)]
        for start, end in LIMBS:
            limb = places[end] - places[start]
            found.append(LIMB_WEIGHT * min(sure[start], sure[end]) * limb / max(float(np.hypot(*limb)), 1e-9))
        return found

    return float(np.sqrt(sum(((p - q) ** 2).sum() for p, q in zip(parts(a), parts(b), strict=True))))


def test_distances_are_those_of_joints_and_limbs() -> None:
    """By their definition, up to the common factor and a twentieth, and vectors have length one."""
    poses = drawn(30)
    vectors = pose_vectors(poses)
    assert (vectors.shape, vectors.dtype) == ((30, DIM), np.float32)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-6)
    for i in range(0, 30, 2):
        expected = naive(poses[i], poses[i + 1])
        assert RADIUS * np.linalg.norm(vectors[i] - vectors[i + 1]) == pytest.approx(expected, rel=0.05)


def test_mirroring_keeps_distances() -> None:
    """Two mirrored poses are as far apart as the two, and one mirrored against one not, whichever it is."""
    a, b = drawn(20), drawn(20, seed=1)
    plain, other = pose_vectors(a), pose_vectors(b)
    turned, other_turned = pose_vectors(mirrored(a)), pose_vectors(mirrored(b))
    distance = np.linalg.norm(plain - other, axis=1)
    assert np.linalg.norm(turned - other_turned, axis=1) == pytest.approx(distance, abs=1e-6)
    crossed = np.linalg.norm(plain - other_turned, axis=1)
    assert np.linalg.norm(turned - other, axis=1) == pytest.approx(crossed, abs=1e-6)
    assert (abs(crossed - distance) > 0.01).any()


def test_a_wrong_joint_cannot_outweigh_the_rest() -> None:
    """However far away it is; and nothing known is a vector of zeros."""
    poses = drawn(3)
    poses[:, R_WRIST] = (0.5, -0.5, 1.0)
    wrong = poses.copy()
    wrong[:, R_WRIST, :2] = 1e6
    assert (RADIUS * np.linalg.norm(pose_vectors(poses) - pose_vectors(wrong), axis=1) < 2 * CAP + 2).all()
    poses[1] = (np.nan, np.nan, 0)
    assert pose_vectors(poses).any(axis=1).tolist() == [True, False, True]
    assert pose_vectors(poses[:0]).shape == (0, DIM)


def test_doubtful_joints_count_less() -> None:
    """A joint that differs matters the less, the less sure it is."""
    pose = drawn(1)
    pose[:, L_WRIST] = (1, 1, 1)
    apart = []
    for confidence in (1.0, 0.5, 0.1):
        both = np.repeat(pose, 2, axis=0)
        both[:, L_WRIST, 2] = confidence
        both[1, L_WRIST, :2] = (-1, -1)
        apart.append(float(np.linalg.norm(np.subtract(*pose_vectors(both)))))
    assert apart[0] > apart[1] > apart[2] > 0
