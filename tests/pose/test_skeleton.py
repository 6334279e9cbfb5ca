from __future__ import annotations

import numpy as np
import pytest

from doppelgram.errors import DoppelgramError
from doppelgram.pose.skeleton import (
    CONVERTERS,
    KEYPOINT_NAMES,
    LIMBS,
    MIRROR,
    NECK,
    SIGMAS,
    cleaned,
    from_coco_17,
    from_mediapipe_33,
    mirrored,
    present,
)

COCO = (
    "nose",
    "l_eye",
    "r_eye",
    "l_ear",
    "r_ear",
    "l_shoulder",
    "r_shoulder",
    "l_elbow",
    "r_elbow",
    "l_wrist",
    "r_wrist",
    "l_hip",
    "r_hip",
    "l_knee",
    "r_knee",
    "l_ankle",
    "r_ankle",
)
# Position of our joints among MediaPipe's, from its documentation's figure.
MEDIAPIPE = {
    "nose": 0,
    "l_eye": 2,
    "r_eye": 5,
    "l_ear": 7,
    "r_ear": 8,
    "l_shoulder": 11,
    "r_shoulder": 12,
    "l_elbow": 13,
    "r_elbow": 14,
    "l_wrist": 15,
    "r_wrist": 16,
    "l_hip": 23,
    "r_hip": 24,
    "l_knee": 25,
    "r_knee": 26,
    "l_ankle": 27,
    "r_ankle": 28,
}
BODY_25 = (
    "nose",
    "neck",
    "r_shoulder",
    "r_elbow",
    "r_wrist",
    "l_shoulder",
    "l_elbow",
    "l_wrist",
    "mid_hip",
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


def numbered(count: int) -> np.ndarray:
    """Keypoints whose x is their own number, and whose y is a hundred more."""
    number = np.arange(count)
    return np.stack([number, number + 100, np.full(count, 0.5)], axis=1)


def by_name(keypoints: np.ndarray) -> dict[str, float]:
    return {name: float(x) for name, x in zip(KEYPOINT_NAMES, keypoints[:, 0], strict=True)}


def test_coco_by_names_with_the_neck_between_the_shoulders() -> None:
    found = by_name(from_coco_17(numbered(17)))
    assert {name: found[name] for name in COCO} == {name: float(COCO.index(name)) for name in COCO}
    assert found["neck"] == (COCO.index("l_shoulder") + COCO.index("r_shoulder")) / 2


def test_openpose_by_names() -> None:
    assert by_name(CONVERTERS[18](numbered(18))) == {name: float(n) for n, name in enumerate(KEYPOINT_NAMES)}
    found = by_name(CONVERTERS[25](numbered(25)))
    assert found == {name: float(BODY_25.index(name)) for name in KEYPOINT_NAMES}


def test_mediapipe_by_names() -> None:
    found = by_name(from_mediapipe_33(numbered(33)))
    assert {name: found[name] for name in MEDIAPIPE} == {name: float(n) for name, n in MEDIAPIPE.items()}
    assert found["neck"] == 11.5


def test_a_missing_joint_is_nan_with_confidence_zero() -> None:
    raw = numbered(17)
    raw[5, 2] = 0  # left shoulder: OpenPose and COCO write zeros for what is not seen
    raw[9] = (np.nan, 3, 0.9)
    keypoints = from_coco_17(raw)
    for name in ("l_shoulder", "l_wrist", "neck"):
        joint = KEYPOINT_NAMES.index(name)
        assert np.isnan(keypoints[joint, :2]).all()
        assert keypoints[joint, 2] == 0
        assert not present(keypoints)[joint]
    assert present(keypoints).sum() == 15


def test_confidences_are_cut_to_0_and_1() -> None:
    points = np.full((2, 18, 3), 1.7, np.float32)
    points[1, :, 2] = -0.2
    assert (cleaned(points)[0, :, 2] == 1).all()
    assert not present(cleaned(points))[1].any()


@pytest.mark.parametrize("shape", [(18, 2), (17, 3), (3, 18)])
def test_other_shapes_are_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(DoppelgramError, match=r"it must be \(\.\.\., 18, 3\)"):
        cleaned(np.zeros(shape))
    with pytest.raises(DoppelgramError, match="keypoints have shape"):
        from_mediapipe_33(np.zeros(shape))


def test_the_mirror_exchanges_sides_and_undoes_itself() -> None:
    for joint, other in enumerate(MIRROR):
        first, second = KEYPOINT_NAMES[joint], KEYPOINT_NAMES[other]
        assert (
            first == second if "_" not in first else (first[0] + second[0] in ("lr", "rl") and first[2:] == second[2:])
        )
    keypoints = CONVERTERS[18](numbered(18))
    once = mirrored(keypoints, 50)
    assert once[KEYPOINT_NAMES.index("l_wrist"), 0] == 50 - keypoints[KEYPOINT_NAMES.index("r_wrist"), 0]
    np.testing.assert_array_equal(mirrored(once, 50), keypoints)
    np.testing.assert_array_equal(SIGMAS[MIRROR], SIGMAS)


def test_limbs_make_one_tree() -> None:
    reached = {NECK}
    for start, end in LIMBS:
        assert start in reached
        assert end not in reached
        reached.add(end)
    assert len(reached) == len(KEYPOINT_NAMES)
