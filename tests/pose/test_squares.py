from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from doppelgram.pose.estimators.movenet import _painted_over
from doppelgram.pose.estimators.regions import regions
from doppelgram.pose.squares import Square, cut, letterbox
from helpers.tiny_networks import standing


@pytest.mark.parametrize("turn", [0, 90, 180, 270, 30, -100])
@pytest.mark.parametrize("side", [40, 90])
def test_what_is_cut_is_what_the_points_say(turn: float, side: float) -> None:
    """Colours tell where each pixel of the photograph is, so that the cut tells where it was taken from."""
    y, x = np.mgrid[:200, :240]
    image = Image.fromarray(np.stack([x, y, 255 + 0 * x], axis=2).astype(np.uint8))
    square = Square(120, 100, side, turn)
    pixels = cut(image, square, 48).astype(float)
    grid = (np.arange(48) + 0.5) / 48
    points = square.to_photograph(np.stack(np.meshgrid(grid, grid), axis=-1))
    # Pillow rounds down twice where a square is turned.
    np.testing.assert_allclose(pixels[4:-4, 4:-4, :2] + 0.5, points[4:-4, 4:-4], atol=1.1 if turn % 90 == 0 else 1.6)
    np.testing.assert_allclose(square.from_photograph(points), np.stack(np.meshgrid(grid, grid), axis=-1), atol=1e-12)


def test_beyond_the_photograph_it_is_black() -> None:
    image = Image.new("RGB", (100, 50), "white")
    pixels = cut(image, letterbox(100, 50), 80)
    white = (pixels == 255).all(2)
    assert white[20:60].all()
    assert not white[:20].any()
    assert not white[60:].any()
    assert cut(image, Square(500, 500, 40), 16).max() == 0
    assert cut(image, Square(500, 500, 40, 30), 16).max() == 0


@pytest.mark.parametrize(("width", "height", "count"), [(300, 300, 5), (300, 200, 5), (900, 300, 3), (300, 900, 3)])
def test_tiles_leave_nothing_out(width: int, height: int, count: int) -> None:
    squares = regions(width, height)
    assert len(squares) == count
    seen = np.zeros((height, width), bool)
    for square in squares[1:]:
        left, top = (max(0, round(centre - square.side / 2)) for centre in (square.x, square.y))
        seen[top : round(square.y + square.side / 2), left : round(square.x + square.side / 2)] = True
    assert seen.all()


def test_somebody_painted_over_is_gone_and_the_rest_is_not() -> None:
    pixels = np.full((192, 192, 3), 40, np.uint8)
    pixels[:, 96:] = 200
    person = standing(48, 96, 120)
    covered = _painted_over(pixels, letterbox(192, 192), person)
    for joint in person:
        assert covered[int(joint[1]), int(joint[0])].tolist() == [120, 120, 120]
    assert (covered[:, 110:] == 200).all()
    assert (covered[:, :10] == 40).all()
