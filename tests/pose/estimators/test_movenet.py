from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from doppelgram.errors import DoppelgramError
from doppelgram.pose.estimators.movenet import MoveNet
from doppelgram.pose.estimators.registry import make_estimator
from doppelgram.pose.estimators.searches import merged
from doppelgram.pose.people import boxes
from doppelgram.pose.skeleton import KEYPOINT_NAMES, L_ANKLE, NOSE, R_WRIST
from helpers.tiny_networks import SHAPE, draw_people, expected


@pytest.fixture(scope="module")
def movenet(movenet_file: Path) -> MoveNet:
    return MoveNet(movenet_file, workers=1)


@pytest.mark.parametrize(("width", "height"), [(200, 200), (300, 120), (90, 260)])
def test_one_person_stands_where_the_photograph_shows_it(movenet: MoveNet, width: int, height: int) -> None:
    x, y, side = width * 0.45, height * 0.55, 60
    (people,) = movenet.estimate([draw_people(width, height, [(x, y, side)])])
    assert (len(people), people.width, people.height) == (1, width, height)
    joints = expected(x, y, side)
    for joint, coco in ((NOSE, 0), (L_ANKLE, 15), (R_WRIST, 10)):
        np.testing.assert_allclose(people.keypoints[0, joint, :2], joints[coco], atol=1.5)


def test_a_small_person_is_seen_in_a_tile_and_close_by(movenet: MoveNet) -> None:
    (people,) = movenet.estimate([draw_people(640, 640, [(560, 90, 24)])])
    np.testing.assert_allclose(people.keypoints[0, L_ANKLE, :2], expected(560, 90, 24)[15], atol=1.5)


def test_two_people_whom_the_whole_photograph_confuses(movenet: MoveNet) -> None:
    (people,) = movenet.estimate([draw_people(400, 400, [(80, 90, 70), (320, 310, 70)])])
    assert len(people) == 2
    found = sorted(boxes(people.keypoints)[:, 0])
    wanted = sorted(expected(x, y, 70)[:, 0].min() for x, y in ((80, 90), (320, 310)))
    np.testing.assert_allclose(found, wanted, atol=2)


def test_large_photographs_are_answered_in_their_own_pixels(movenet: MoveNet) -> None:
    (people,) = movenet.estimate([draw_people(3000, 2000, [(1500, 1000, 800)])])
    np.testing.assert_allclose(people.keypoints[0, NOSE, :2], expected(1500, 1000, 800)[0], atol=12)


def test_nobody(movenet: MoveNet) -> None:
    (people,) = movenet.estimate([np.zeros((50, 70, 3), np.uint8)])
    assert (len(people), people.width, people.height) == (0, 70, 50)


def test_a_person_cut_by_the_frame_and_a_tiny_photograph(movenet: MoveNet) -> None:
    images = [draw_people(120, 200, [(118, 100, 60)]), draw_people(1, 1, []), draw_people(7, 900, [(3, 450, 6)])]
    for people, image in zip(movenet.estimate(images), images, strict=True):
        assert (people.height, people.width) == image.shape[:2]
        assert np.isfinite(people.keypoints).all()


def test_several_at_a_time_are_answered_as_one_by_one(movenet_file: Path) -> None:
    images = [draw_people(150, 150, [(40 + 10 * n, 75, 40)]) for n in range(6)]
    together = MoveNet(movenet_file, workers=3).estimate(images)
    single = MoveNet(movenet_file, workers=1)
    for image, people in zip(images, together, strict=True):
        np.testing.assert_array_equal(people.keypoints, single.estimate([image])[0].keypoints)


def test_looks_are_averaged_by_squared_confidence() -> None:
    first, second = np.zeros((len(KEYPOINT_NAMES), 3), np.float32), np.zeros((len(KEYPOINT_NAMES), 3), np.float32)
    first[:] = (0, 10, 0.2)
    second[:] = (10, 20, 0.4)
    joined = merged([first, second])
    np.testing.assert_allclose(joined[3], (8, 18, 0.3), rtol=1e-6)
    second[3] = (np.nan, np.nan, 0)
    np.testing.assert_allclose(merged([first, second])[3], (0, 10, 0.1), rtol=1e-6)


def test_another_network_is_refused(deeplab_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DoppelgramError, match="is not MoveNet's single-pose network"):
        make_estimator("movenet", pose_weights=deeplab_file)
    for name, content in (("net.onnx", b"nothing of a network"), ("net.tflite", b""), ("net.xml", b"<?xml?><html/>")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DoppelgramError, match="is not a network for MoveNet: its content is neither TFLite"):
            make_estimator("movenet", pose_weights=tmp_path / name)
    said = capfd.readouterr()
    assert (said.out, said.err) == ("", "")
    for name, content in (("net.onnx", b"\x08abc"), ("net.tflite", b"abcdTFL3" + bytes(40)), ("net.xml", b"<net/>")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DoppelgramError, match="is not a network for MoveNet that OpenVINO can run") as problem:
            make_estimator("movenet", pose_weights=tmp_path / name)
        assert "src/" not in str(problem.value)
        assert ".cpp" not in str(problem.value)


def test_what_is_lacking_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOPPELGRAM_CACHE", str(tmp_path))
    with pytest.raises(DoppelgramError, match="weights pull movenet_lightning"):
        make_estimator("movenet")
    with pytest.raises(DoppelgramError, match="there are no such weights"):
        make_estimator("movenet", pose_weights=tmp_path / "none.tflite")
    with pytest.raises(DoppelgramError, match="there is no estimator 'openpose'"):
        make_estimator("openpose")
    with pytest.raises(DoppelgramError, match=r"needs a transformers folder of ViTPose, .*--pose-weights DIR$"):
        make_estimator("vitpose", tmp_path)
    with pytest.raises(DoppelgramError, match="there is no such folder of weights"):
        make_estimator("vitpose", tmp_path / "none")
    with pytest.raises(DoppelgramError, match="needs the file or folder of keypoints"):
        make_estimator("keypoints")


def test_the_key_follows_the_weights(movenet_file: Path) -> None:
    key = make_estimator("movenet", pose_weights=movenet_file).key
    assert key.startswith("movenet-")
    assert key == make_estimator("movenet", pose_weights=movenet_file).key
    assert len(SHAPE) == 17
