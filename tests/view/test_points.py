"""Points of photographs: where they are, that people hide them, and that they move as the photograph does."""

import numpy as np
from PIL import Image

from doppelgram.view.points import ViewPoints, XFeat
from helpers.views import moved, taken_from_elsewhere


def test_points_outside_people() -> None:
    rng = np.random.default_rng(0)
    places = np.vstack([rng.random((50, 2)), [[0, 0], [1, 1], [0.999, 0]]]).astype(np.float32)
    points = ViewPoints(places, rng.integers(-127, 128, (53, 64), dtype=np.int8), 300, 200)
    mask = rng.random((7, 11)) < 0.4
    free = [k for k, (x, y) in enumerate(places) if not mask[min(int(y * 7), 6), min(int(x * 11), 10)]]
    assert np.array_equal(points.outside(mask).places, places[free])
    assert np.array_equal(points.outside(mask).descriptors, points.descriptors[free])
    assert points.outside(None) is points
    assert len(points.outside(np.ones((2, 2), bool))) == 0


def test_points_move_with_the_photograph(xfeat: XFeat, scenes: tuple[Image.Image, Image.Image]) -> None:
    """Most of the surest points are found again where the photograph's movement puts them."""
    image = scenes[0]
    a = xfeat.points(image, (960, 960))
    b = xfeat.points(taken_from_elsewhere(image), (960, 960))
    assert (a.width, a.height) == (960, 960)
    assert 100 < len(a) <= 2048
    assert ((a.places > 0) & (a.places < 1)).all()
    assert np.abs(np.linalg.norm(a.units, axis=1) - 1).max() < 1e-5
    expected = moved(a.places[:200].astype(np.float64) * 320)
    inside = ((expected > 8) & (expected < 312)).all(1)
    away = [np.hypot(*(b.places * 320 - point).T).min() for point in expected[inside]]
    assert np.mean(np.array(away) < 2.5) > 0.5


def test_the_same_photograph_in_another_size_or_in_none(xfeat: XFeat) -> None:
    flat = xfeat.points(Image.new("RGB", (50, 20), "white"), (50, 20))
    assert len(flat.outside(np.zeros((4, 4), bool))) == len(flat) < 50
