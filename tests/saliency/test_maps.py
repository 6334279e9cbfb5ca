"""A map of a square over the photograph that it was cut from."""

from __future__ import annotations

import numpy as np
import pytest

from doppelgram.images.faces.face import Cut
from doppelgram.saliency.maps import PairSaliency, SaliencyMap, placed


def test_a_square_over_the_whole_photograph() -> None:
    grid = np.zeros((4, 4))
    grid[1, 3] = 1
    found = placed(grid, ((0, 0), (80, 0), (80, 40), (0, 40)), 80, 40)
    assert found.shape == (40, 80)
    y, x = np.unravel_index(found.argmax(), found.shape)
    assert (abs(y + 0.5 - 15) < 6, x + 0.5 > 60) == (True, True)
    assert found[:, :40].max() < 0.02  # the spline reaches two cells far
    even = placed(np.full((3, 5), 0.7), ((0, 0), (80, 0), (80, 40), (0, 40)), 80, 40)
    np.testing.assert_allclose(even, 0.7, atol=1e-5)


def test_a_turned_square_and_one_that_reaches_beyond() -> None:
    cut = Cut((50.0, 30.0), 40.0, 30.0)
    grid = np.zeros((5, 5))
    grid[0, 4] = 1.0  # the upper right of what the model is shown
    found = placed(grid, cut.corners(), 100, 60)
    mass = found.sum()
    x, y = ((found.sum(axis) * (np.arange(found.shape[1 - axis]) + 0.5)).sum() / mass for axis in (0, 1))
    half = 14.0  # of the cell's middle along both axes, before the turn; smoothing draws it inwards a little
    angle = np.radians(30)
    expected = 50 + half * np.cos(angle) + half * np.sin(angle), 30 + half * np.sin(angle) - half * np.cos(angle)
    assert np.hypot(x - expected[0], y - expected[1]) < 4
    beyond = placed(np.ones((2, 2)), ((-20, -20), (20, -20), (20, 20), (-20, 20)), 40, 40)
    assert beyond[10, 10] == pytest.approx(1)
    assert beyond[30, 30] == 0


def test_strengths_have_one_scale_and_nothing_below_zero() -> None:
    def one(*values: float) -> SaliencyMap:
        return SaliencyMap(np.zeros((1, len(values), 3), np.uint8), np.array([values], dtype=np.float32))

    a, b = PairSaliency(one(0.5, -1.0), one(2.0, 1.0), "occlusion").strengths
    np.testing.assert_allclose(a, [[0.25, 0]])
    np.testing.assert_allclose(b, [[1, 0.5]])
    a, b = PairSaliency(one(-0.5, -1.0), one(0.0, -1.0), "occlusion").strengths
    assert not a.any()
    assert not b.any()
