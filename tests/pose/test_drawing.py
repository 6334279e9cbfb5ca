from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from doppelgram.pose.drawing import joint_colour, overlay, skeleton_mask
from doppelgram.pose.skeleton import KEYPOINT_NAMES, L_ANKLE, NOSE, R_ANKLE, R_KNEE
from helpers.tiny_networks import standing


@pytest.mark.parametrize("size", [(24, 24), (64, 48), (224, 224)])
def test_each_joint_is_a_disc_in_its_own_channel(size: tuple[int, int]) -> None:
    person = standing(100, 100, 150)
    person[L_ANKLE] = (np.nan, np.nan, 0)
    mask = skeleton_mask(person[None], (200, 200), size, "joints")
    assert mask.shape == (size[1], size[0], 18)
    rows, columns = (np.arange(side) + 0.5 for side in (size[1], size[0]))
    for joint in range(18):
        channel = mask[..., joint]
        if joint == L_ANKLE:
            assert channel.sum() == 0
            continue
        x = (channel.sum(0) * columns).sum() / channel.sum()
        y = (channel.sum(1) * rows).sum() / channel.sum()
        assert (x, y) == (
            pytest.approx(person[joint, 0] * size[0] / 200, abs=0.3),
            pytest.approx(person[joint, 1] * size[1] / 200, abs=0.3),
        )


def test_edges_are_smooth_and_the_same_at_every_size() -> None:
    """Drawn large and averaged down, a mask is that drawn small: what antialiasing means."""
    person = standing(103, 97, 150)[None]
    small, large = (skeleton_mask(person, (200, 200), (side, side)) for side in (48, 480))
    averaged = large.reshape(48, 10, 48, 10, 3).mean((1, 3))
    assert ((small > 0.05) & (small < 0.95)).any()
    assert np.abs(small - averaged).mean() < 0.006
    assert np.abs(small - averaged).max() < 0.35


def test_right_and_left_have_their_own_colours() -> None:
    person = standing(100, 100, 180)[None]
    mask = skeleton_mask(person, (200, 200), (400, 400))
    for joint in (R_ANKLE, L_ANKLE, NOSE):
        x, y = np.rint(person[0, joint, :2] * 2).astype(int)
        np.testing.assert_allclose(mask[y, x] * 255, joint_colour(joint), atol=3)
    assert len({joint_colour(joint) for joint in range(len(KEYPOINT_NAMES))}) == 5


def test_a_limb_joins_two_known_joints_only() -> None:
    person = standing(100, 100, 180)
    below_the_knee = np.rint(person[R_KNEE, :2] + person[R_ANKLE, :2]).astype(int)
    assert skeleton_mask(person[None], (200, 200), (400, 400))[below_the_knee[1], below_the_knee[0]].max() > 0.5
    person[R_ANKLE] = (np.nan, np.nan, 0)
    assert skeleton_mask(person[None], (200, 200), (400, 400))[below_the_knee[1], below_the_knee[0]].max() == 0


def test_nobody_and_somebody_outside_are_black() -> None:
    assert skeleton_mask(np.zeros((0, 18, 3)), (200, 200), (50, 40)).sum() == 0
    assert skeleton_mask(standing(900, 900, 100)[None], (200, 200), (50, 40)).sum() == 0


def test_the_overlay_changes_the_person_and_nothing_else() -> None:
    photograph = Image.new("RGB", (300, 200), (90, 120, 60))
    drawn = overlay(photograph, standing(100, 100, 120)[None])
    changed = (np.asarray(drawn) != np.asarray(photograph)).any(2)
    assert changed[:, 180:].sum() == 0
    assert changed[:, :180].sum() > 500
    assert np.asarray(overlay(photograph, np.zeros((0, 18, 3)))).tolist() == np.asarray(photograph).tolist()


def test_passers_by_are_fainter() -> None:
    photograph = Image.new("RGB", (200, 200), (90, 120, 60))
    person = standing(100, 100, 120)[None]
    ground = np.asarray(photograph, dtype=float)
    strong, faint = (
        np.abs(np.asarray(overlay(photograph, person, faint=np.array([weak])), dtype=float) - ground).sum()
        for weak in (False, True)
    )
    assert 0.3 * strong < faint < 0.8 * strong
