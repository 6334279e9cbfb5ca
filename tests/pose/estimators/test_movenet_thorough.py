from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from doppelgram.pose.estimators.movenet_thorough import ThoroughMoveNet
from doppelgram.pose.estimators.registry import make_estimator
from doppelgram.pose.skeleton import L_ANKLE, NOSE
from helpers.tiny_networks import draw_people, expected


@pytest.fixture(scope="module")
def thorough(movenet_file: Path) -> ThoroughMoveNet:
    return ThoroughMoveNet(movenet_file, workers=1)


@pytest.mark.parametrize(("width", "height"), [(200, 200), (300, 120), (90, 260)])
def test_one_person_stands_where_the_photograph_shows_it(thorough: ThoroughMoveNet, width: int, height: int) -> None:
    x, y, side = width * 0.45, height * 0.55, 60
    (people,) = thorough.estimate([draw_people(width, height, [(x, y, side)])])
    assert (len(people), people.width, people.height) == (1, width, height)
    joints = expected(x, y, side)
    for joint, coco in ((NOSE, 0), (L_ANKLE, 15)):
        np.testing.assert_allclose(people.keypoints[0, joint, :2], joints[coco], atol=2)


def test_two_people_and_nobody(thorough: ThoroughMoveNet) -> None:
    two, none = thorough.estimate(
        [draw_people(400, 400, [(80, 90, 70), (320, 310, 70)]), np.zeros((50, 70, 3), np.uint8)]
    )
    assert len(two) == 2
    assert (len(none), none.width, none.height) == (0, 70, 50)


def test_it_has_a_name_and_a_key_of_its_own(movenet_file: Path, thorough: ThoroughMoveNet) -> None:
    made = make_estimator("movenet-thorough", pose_weights=movenet_file)
    assert isinstance(made, ThoroughMoveNet)
    assert made.key == thorough.key != make_estimator("movenet", pose_weights=movenet_file).key
