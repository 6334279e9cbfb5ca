"""Matched points: pairs by a naive loop, a known homography among outliers, and real photographs of rendered places."""

import numpy as np
import pytest
from PIL import Image

from doppelgram.view.points import ViewPoints, XFeat
from doppelgram.view.same_view import ENOUGH, moved_together, nearest_pairs, same_view, view_sentence
from helpers.views import moved, taken_from_elsewhere


def test_nearest_pairs_by_a_loop() -> None:
    rng = np.random.default_rng(1)
    a, b = (rng.normal(size=(n, 4)).astype(np.float32) for n in (30, 20))
    a, b = (one / np.linalg.norm(one, axis=1, keepdims=True) for one in (a, b))
    expected = []
    for i in range(len(a)):
        j = max(range(len(b)), key=lambda j: a[i] @ b[j])
        if max(range(len(a)), key=lambda k: a[k] @ b[j]) == i and a[i] @ b[j] >= 0.7:
            expected.append((i, j))
    assert nearest_pairs(a, b, 0.7).tolist() == [list(pair) for pair in expected]
    assert 3 < len(expected) < 20
    assert nearest_pairs(a[:0], b).shape == (0, 2)


def test_one_homography_among_outliers() -> None:
    """What moves together is found, to a few pixels, and what was put elsewhere at random is not."""
    rng = np.random.default_rng(2)
    a = rng.uniform(0, 320, (90, 2))
    b = moved(a) + rng.normal(0, 0.5, (90, 2))
    b[40:] = rng.uniform(0, 320, (50, 2))
    kept = moved_together(a, b)
    assert kept[:40].all()
    assert kept[40:].sum() <= 3
    assert np.array_equal(kept, moved_together(a, b))
    off = np.hypot(*(moved(a) - b).T)
    assert (off[kept] < 12).all()


@pytest.mark.parametrize("count", [0, 3, 7])
def test_few_matches_say_nothing(count: int) -> None:
    points = np.random.default_rng(0).uniform(0, 640, (count, 2))
    assert not moved_together(points, points).any()


def test_the_same_view_and_another(xfeat: XFeat, scenes: tuple[Image.Image, Image.Image]) -> None:
    """A view taken again is told with its points, another place and an empty wall are not."""
    first, other = (xfeat.points(scene, scene.size) for scene in scenes)
    again = xfeat.points(taken_from_elsewhere(scenes[0]), (320, 320))
    seen = same_view(first, again)
    assert seen.said
    assert seen.points >= 2 * ENOUGH
    expected = moved(seen.places[:, 0].astype(np.float64) * 320)
    assert np.median(np.hypot(*(expected - seen.places[:, 1] * 320).T)) < 2
    assert 0.1 < seen.share <= 1
    assert view_sentence(seen).startswith(f"The same view: {seen.points:,} matched points")
    for silent in (same_view(first, other), same_view(first, first.outside(np.ones((1, 1), bool)))):
        assert not silent.said
        assert silent.shown == 0
        assert "too few" in view_sentence(silent)


def test_nobody_but_the_place_counts(xfeat: XFeat, scenes: tuple[Image.Image, Image.Image]) -> None:
    """The same textured figure before two places is no view."""
    texture = np.random.default_rng(0).integers(0, 128, (15, 15, 3), dtype=np.uint8)
    figure = Image.fromarray(texture).resize((150, 150), Image.Resampling.NEAREST)
    mask = np.zeros((320, 320), bool)
    mask[60:250, 60:250] = True
    points: list[ViewPoints] = []
    for scene in scenes:
        with_figure = scene.copy()
        with_figure.paste(figure, (80, 80))
        points.append(xfeat.points(with_figure, scene.size))
    assert same_view(*points).said
    assert not same_view(*(one.outside(mask) for one in points)).said
