"""Limb by limb: angles, mirrors, and what is missing."""

import numpy as np
import pytest

from doppelgram.pose.reasons import PARTS, compare_limbs
from doppelgram.pose.skeleton import L_ELBOW, L_WRIST, NOSE, mirrored
from doppelgram.samples.skeleton import POSES, Build, body_points, keypoints


def person(pose: str = "point") -> np.ndarray:
    points = keypoints(body_points(POSES[pose], Build()))
    return np.concatenate([points[:, :2] * [100, -100], np.ones((18, 1))], axis=1)


def test_a_turned_forearm_is_found() -> None:
    """By its angle, whatever the size and place of the person."""
    a = person()
    b = a * [3.0, 3.0, 1.0] + [50, 20, 0]
    arm = b[L_WRIST, :2] - b[L_ELBOW, :2]
    turn = np.radians(70)
    b[L_WRIST, :2] = b[L_ELBOW, :2] + [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]] @ arm
    reasons = compare_limbs(a, b)
    assert set(reasons.degrees) == set(PARTS)
    assert reasons.degrees["left forearm"] == pytest.approx(70)
    assert sum(value > 1e-6 for value in reasons.degrees.values()) == 1
    assert reasons.different() == [("left forearm", pytest.approx(70))]
    assert (reasons.keypoints, reasons.mirrored) == (18, False)


def test_a_mirror_image_is_known_as_one() -> None:
    """An asymmetric pose fits its mirror image only when that is turned back."""
    reasons = compare_limbs(person(), mirrored(person(), 200))
    assert reasons.mirrored
    assert reasons.mean == pytest.approx(0, abs=1e-3)
    assert not compare_limbs(person("arms_up"), mirrored(person("arms_up"), 200)).mirrored


def test_missing_joints_leave_parts_out() -> None:
    """What is not seen in both is not compared."""
    b = person()
    b[[L_WRIST, NOSE]] = (np.nan, np.nan, 0)
    reasons = compare_limbs(person(), b)
    assert set(PARTS) - set(reasons.degrees) == {"left forearm", "head"}
    assert reasons.keypoints == 16
    nothing = np.full((18, 3), np.nan)
    nothing[:, 2] = 0
    assert np.isnan(compare_limbs(person(), nothing).mean)


def test_joints_that_the_estimator_doubts_are_not_spoken_of() -> None:
    """Some estimators give every joint a place, whether or not the photograph shows it."""
    b = person()
    b[[L_WRIST, NOSE], 2] = 0.1
    reasons = compare_limbs(person(), b)
    assert set(PARTS) - set(reasons.degrees) == {"left forearm", "head"}
    assert reasons.keypoints == 16
