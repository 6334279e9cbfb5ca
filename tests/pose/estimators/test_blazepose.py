from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from doppelgram.errors import DoppelgramError
from doppelgram.pose.estimators.blazepose import (
    DETECTOR,
    LANDMARKS,
    BlazePose,
    anchors,
    circle,
    decode_detections,
    distinct_squares,
    find_blazepose,
    logistic,
)
from doppelgram.pose.skeleton import L_ANKLE, NOSE, R_WRIST
from doppelgram.pose.squares import Square
from helpers.tiny_networks import draw_people, red_square, save

# Where MediaPipe's joints stand in the square round a person, as shares of its side, y downwards.
_UPRIGHT = {0: (0.5, 0.2), 11: (0.6, 0.35), 12: (0.4, 0.35), 16: (0.25, 0.5), 27: (0.6, 0.9)}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A detector that takes a red square for a person lying with the head to the right, and landmarks of the above."""
    from openvino import opset13 as ops

    folder = tmp_path_factory.mktemp("blazepose")
    entry, (x, y), side, sure = red_square(224, np.float32)
    starts = anchors().astype(np.float32)
    zero = ops.multiply(x, np.float32(0))
    # Four numbers of a box that nobody reads, then points: the hips' middle, the circle round the body, two more.
    values = [zero, zero, side, side, x, y, ops.add(x, ops.multiply(side, np.float32(0.8))), y, x, y, x, y]
    row = ops.multiply(ops.concat([ops.unsqueeze(value, np.array(0)) for value in values], 0), np.float32(224))
    offsets = np.concatenate([np.zeros((len(starts), 4), np.float32), np.tile(starts * 224, (1, 4))], axis=1)
    boxes = ops.subtract(ops.unsqueeze(row, np.array([0, 1])), offsets[None])
    logits = np.full((1, len(starts), 1), -20, np.float32)
    logits[0, 700] = 10
    scores = ops.add(logits, ops.multiply(ops.subtract(sure, np.float32(1)), np.float32(40)))
    save([boxes, scores], [entry], folder / DETECTOR.replace(".tflite", ".xml"))

    entry = ops.parameter([1, 256, 256, 3], np.float32)
    rows = np.zeros((39, 5), np.float32)
    rows[:, 3:] = 8  # logits
    rows[:, :2] = 128
    for number, place in _UPRIGHT.items():
        rows[number, :2] = np.array(place) * 256
    rows[34, :2] = 128, 128 - 128 / 1.25  # the circle that gives this very square again
    nothing = ops.multiply(ops.reduce_sum(entry, np.array([0, 1, 2, 3])), np.float32(0))
    red = ops.reduce_max(entry, np.array([0, 1, 2, 3]))
    save(
        [ops.add(rows.reshape(1, 195), nothing), ops.reshape(red, np.array([1, 1]), False)],
        [entry],
        folder / LANDMARKS.replace(".tflite", ".xml"),
    )
    return folder


@pytest.fixture(scope="module")
def blazepose(files: Path) -> BlazePose:
    return BlazePose(files / "pose_detection.xml", files / "pose_landmark_full.xml", workers=1)


def test_a_lying_person_is_turned_upright_and_back(blazepose: BlazePose) -> None:
    (people,) = blazepose.estimate([draw_people(300, 240, [(150, 120, 60)])])
    assert len(people) == 1
    side = 2 * 0.8 * 60 * 1.25
    joints = people.keypoints[0]
    for joint, number in ((NOSE, 0), (R_WRIST, 16), (L_ANKLE, 27)):
        right, down = np.array(_UPRIGHT[number]) - 0.5
        # The person's up is the photograph's right, and the person's right is its bottom.
        np.testing.assert_allclose(joints[joint, :2], (150 - down * side, 120 + right * side), atol=2)
    assert joints[NOSE, 2] > 0.99


def test_people_in_tiles_and_nobody(blazepose: BlazePose) -> None:
    images = [draw_people(400, 400, [(90, 90, 60), (310, 310, 60)]), np.zeros((60, 80, 3), np.uint8)]
    several, none = blazepose.estimate(images)
    assert len(several) == 2
    assert (len(none), none.width, none.height) == (0, 80, 60)


def test_anchors_by_hand() -> None:
    starts = anchors()
    assert starts.shape == (2254, 2)
    np.testing.assert_allclose(starts[0], starts[1])
    np.testing.assert_allclose(
        starts[[0, 2, 56, 1568, 1960, 2253]],
        [(0.5 / 28,) * 2, (1.5 / 28, 0.5 / 28), (0.5 / 28, 1.5 / 28), (0.5 / 14,) * 2, (0.5 / 7,) * 2, (6.5 / 7,) * 2],
    )


def test_a_detection_by_hand() -> None:
    boxes = np.zeros((2, 12))
    boxes[1, 4:8] = (22.4, -44.8, 0, -112)
    points, sure = decode_detections(boxes, np.array([0.0, 2.0]), np.array([(0.1, 0.1), (0.5, 0.6)]), 224)
    np.testing.assert_allclose(points[1, :2], [(0.6, 0.4), (0.5, 0.1)])
    np.testing.assert_allclose(sure, (0.5, 1 / (1 + np.exp(-2))))
    assert logistic(np.array([-2000.0, 2000.0])).tolist() == [0, 1]


@pytest.mark.parametrize(("reach", "turn"), [((50, 10), 0), ((90, 50), 90), ((50, 90), 180), ((10, 50), -90)])
def test_the_circle_is_turned_to_where_the_head_is(reach: tuple[int, int], turn: float) -> None:
    square = circle(np.array([50.0, 50.0]), np.array(reach, dtype=float))
    assert (square.x, square.y, square.side) == (50, 50, pytest.approx(100))
    assert (square.turn - turn) % 360 == pytest.approx(0)
    # The top of the square's middle line is where the reach points.
    top = square.to_photograph(np.array([0.5, 0.1]))
    np.testing.assert_allclose(top, reach, atol=1e-9)


def test_near_squares_are_of_one_person() -> None:
    squares = [Square(50, 50, 40), Square(52, 50, 40), Square(80, 50, 40), Square(51, 49, 400)]
    assert distinct_squares(squares) == [squares[0], squares[2]]


def test_other_networks_and_absent_ones(files: Path, movenet_file: Path, tmp_path: Path) -> None:
    with pytest.raises(DoppelgramError, match="is not BlazePose's detector"):
        BlazePose(movenet_file, files / "pose_landmark_full.xml")
    with pytest.raises(DoppelgramError, match="is not BlazePose's landmarks"):
        BlazePose(files / "pose_detection.xml", movenet_file)
    with pytest.raises(DoppelgramError, match=r"doppelgram\[mediapipe\]"):
        find_blazepose([tmp_path])
    for name in (DETECTOR, LANDMARKS):
        (tmp_path / name).write_bytes(b"x")
    assert find_blazepose([tmp_path / "none", tmp_path]) == (tmp_path / DETECTOR, tmp_path / LANDMARKS)
