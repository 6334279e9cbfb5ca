from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from doppelgram.pose.estimators.movenet import MoveNet
from doppelgram.pose.estimators.registry import make_estimator
from doppelgram.pose.estimators.searches import SEARCHES
from doppelgram.pose.skeleton import L_ANKLE, NOSE
from helpers.tiny_networks import draw_people, expected


@pytest.fixture(scope="module")
def thorough(movenet_file: Path) -> MoveNet:
    return MoveNet(movenet_file, name="movenet-thorough", workers=1)


@pytest.mark.parametrize("name", SEARCHES)
@pytest.mark.parametrize(("width", "height"), [(200, 200), (300, 120), (90, 260)])
def test_one_person_stands_where_the_photograph_shows_it(
    movenet_file: Path, width: int, height: int, name: str
) -> None:
    x, y, side = width * 0.45, height * 0.55, 60
    movenet = MoveNet(movenet_file, name=name, workers=1)
    (people,) = movenet.estimate([draw_people(width, height, [(x, y, side)])])
    assert (len(people), people.width, people.height) == (1, width, height)
    joints = expected(x, y, side)
    for joint, coco in ((NOSE, 0), (L_ANKLE, 15)):
        np.testing.assert_allclose(people.keypoints[0, joint, :2], joints[coco], atol=2)


def test_two_people_and_nobody(thorough: MoveNet) -> None:
    two, none = thorough.estimate(
        [draw_people(400, 400, [(80, 90, 70), (320, 310, 70)]), np.zeros((50, 70, 3), np.uint8)]
    )
    assert len(two) == 2
    assert (len(none), none.width, none.height) == (0, 70, 50)


def test_two_looks_find_one_person_or_nobody(movenet_file: Path) -> None:
    movenet = MoveNet(movenet_file, name="movenet-thunder", workers=1)
    small, none = movenet.estimate([draw_people(640, 640, [(420, 190, 50)]), np.zeros((50, 70, 3), np.uint8)])
    # the second look, close by, is the sharper one
    np.testing.assert_allclose(small.keypoints[0, L_ANKLE, :2], expected(420, 190, 50)[15], atol=2)
    assert (len(small), len(none), none.width, none.height) == (1, 0, 70, 50)


def test_each_has_a_name_and_a_key_of_its_own(movenet_file: Path) -> None:
    made = {name: make_estimator(name, pose_weights=movenet_file) for name in SEARCHES}
    assert [one.name for one in made.values()] == list(SEARCHES)
    digest = made["movenet"].key.split("-")[1]
    assert [one.key for one in made.values()] == [
        f"movenet-{digest}-4",
        f"movenet-thorough-{digest}-2",
        f"movenet-thunder-{digest}-1",
    ]
