"""Faces brought to where a network expects their points."""

import numpy as np
import pytest
from PIL import Image

from doppelgram.images.faces.alignment import ARCFACE, ARCFACE_SIDE, five_point_chip, similarity


def moved(points: np.ndarray, degrees: float, scale: float, by: tuple[float, float]) -> np.ndarray:
    cos, sin = scale * np.cos(np.radians(degrees)), scale * np.sin(np.radians(degrees))
    return points @ np.array([[cos, sin], [-sin, cos]]) + by


def test_similarity_is_the_least_squares_solution() -> None:
    rng = np.random.default_rng(1)
    source, target = rng.normal(size=(5, 2)), rng.normal(size=(5, 2))
    # Unknown a, b, x, y of (a x - b y + x, b x + a y + y), one equation a coordinate.
    across = np.column_stack([source[:, 0], -source[:, 1], np.ones(5), np.zeros(5)])
    down = np.column_stack([source[:, 1], source[:, 0], np.zeros(5), np.ones(5)])
    a, b, x, y = np.linalg.lstsq(np.vstack([across, down]), target.T.ravel(), rcond=None)[0]
    np.testing.assert_allclose(similarity(source, target), [[a, -b, x], [b, a, y]])
    (turn, move) = np.split(similarity(source, moved(source, 30, 2, (5, -3))), [2], axis=1)
    np.testing.assert_allclose(source @ turn.T + move[:, 0], moved(source, 30, 2, (5, -3)))


@pytest.mark.parametrize("degrees", [0, 25, -70])
def test_points_of_a_face_lie_where_they_are_expected(degrees: float) -> None:
    points = moved(ARCFACE - 56, degrees, 1.5, (210, 190))
    image = np.zeros((400, 400, 3), dtype=np.uint8)
    rows, columns = np.mgrid[:400, :400]
    for x, y in points:
        image[np.hypot(columns + 0.5 - x, rows + 0.5 - y) < 4] = 255
    aligned = five_point_chip(image, points)
    assert aligned.pixels.shape == (ARCFACE_SIDE, ARCFACE_SIDE, 3)
    rows, columns = np.mgrid[:ARCFACE_SIDE, :ARCFACE_SIDE]
    for x, y in ARCFACE:
        weight = aligned.pixels[..., 0] * (np.hypot(columns + 0.5 - x, rows + 0.5 - y) < 5.0)
        found = np.array([(columns + 0.5) * weight, (rows + 0.5) * weight]).sum(axis=(1, 2)) / weight.sum()
        np.testing.assert_allclose(found, (x, y), atol=0.6)
    np.testing.assert_allclose(aligned.cut.side, 1.5 * ARCFACE_SIDE)
    assert Image.fromarray(aligned.pixels).getextrema()[0][1] > 200
