from __future__ import annotations

import numpy as np
import pytest

from doppelgram.errors import DoppelgramError
from doppelgram.pose.people import PASSER_BY, People, boxes, prominence
from helpers.tiny_networks import standing


def crowd(*people: tuple[float, float, float, float], size: tuple[int, int] = (400, 300)) -> People:
    """People (x, y, height, confidence) in a photograph."""
    keypoints = np.stack([standing(x, y, height, confidence) for x, y, height, confidence in people])
    return People(keypoints, keypoints[..., 2].mean(1), *size)


def middles(people: People) -> list[float]:
    corners = boxes(people.keypoints)
    return [round(float(x)) for x in (corners[:, 0] + corners[:, 2]) / 2]


def test_larger_people_come_first() -> None:
    assert middles(crowd((100, 150, 60, 0.9), (300, 150, 140, 0.9), (200, 150, 90, 0.9))) == [300, 200, 100]


def test_of_equals_the_more_central_and_the_surer() -> None:
    assert middles(crowd((60, 150, 100, 0.8), (200, 150, 100, 0.8))) == [200, 60]
    assert middles(crowd((190, 150, 100, 0.5), (210, 150, 100, 0.8))) == [210, 190]


def test_the_formula() -> None:
    keypoints = standing(300, 150, 120, 0.8)
    corners = boxes(keypoints[None])[0]
    size = np.hypot(corners[2] - corners[0], corners[3] - corners[1]) / 500
    off = np.hypot((corners[0] + corners[2]) / 2 - 200, (corners[1] + corners[3]) / 2 - 150) / 250
    assert prominence(keypoints[None], 400, 300)[0] == pytest.approx(size * (1 - off / 2) * 0.8, rel=1e-6)


def test_two_of_a_crowd_and_no_passers_by() -> None:
    """Two pose in the middle, eighteen walk by further away."""
    walking = [(20.0 + 20 * n, 100.0, 45.0, 0.8) for n in range(18)]
    people = crowd((170, 150, 200, 0.9), *walking, (250, 150, 180, 0.9))
    assert len(people) == 20
    assert middles(people.most_prominent(2)) == [170, 250]
    assert people.passers_by.sum() == 18
    assert middles(people.most_prominent(1)) == [170]
    assert len(people.most_prominent(20)) == 2


def test_a_second_person_of_half_the_prominence_stays_and_of_less_goes() -> None:
    people = crowd((200, 150, 200, 0.9), (200, 150, 104, 0.9), (200, 150, 96, 0.9))
    ratio = people.prominence / people.prominence[0]
    assert ratio[1] > PASSER_BY > ratio[2]
    assert len(people.most_prominent(3)) == 2


def test_a_group_of_three_alike_has_no_passers_by() -> None:
    people = crowd((120, 150, 150, 0.9), (200, 150, 150, 0.9), (280, 150, 150, 0.9))
    assert not people.passers_by.any()
    assert len(people.most_prominent(2)) == 2


def test_nobody() -> None:
    people = People.nobody(30, 40)
    assert len(people) == len(people.most_prominent(2)) == 0
    assert people.keypoints.shape == (0, 18, 3)
    assert people.prominence.shape == (0,)
    assert len(people.scaled(60, 80)) == 0


def test_who_has_no_joint_is_left_out() -> None:
    nothing = np.full((18, 3), np.nan)
    keypoints = np.stack([nothing, standing(20, 20, 30, 0.5)])
    people = People(keypoints, np.array([0.9, 0.4]), 40, 40)
    assert len(people) == 1
    assert people.score.tolist() == [pytest.approx(0.4)]


def test_scaling_keeps_order_and_prominence() -> None:
    people = crowd((60, 150, 100, 0.8), (200, 150, 140, 0.8))
    larger = people.scaled(800, 600)
    np.testing.assert_allclose(larger.keypoints[..., :2], 2 * people.keypoints[..., :2])
    np.testing.assert_allclose(larger.prominence, people.prominence)


def test_a_box_leaves_out_what_is_doubted() -> None:
    keypoints = standing(100, 100, 80, 0.9)
    keypoints[4] = (900, 900, 0.05)
    assert boxes(keypoints[None])[0, 2] < 200
    keypoints[:, 2] = 0.05  # of whom everything is doubted, everything counts
    assert boxes(keypoints[None])[0, 2] == 900


def test_wrong_input_is_refused() -> None:
    with pytest.raises(DoppelgramError, match="2 scores for keypoints of shape"):
        People(np.zeros((1, 18, 3)), np.zeros(2), 10, 10)
    with pytest.raises(DoppelgramError, match="cannot have 0 x 10 pixels"):
        People.nobody(0, 10)
