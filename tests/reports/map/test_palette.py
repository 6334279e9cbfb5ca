import itertools

import numpy as np
import pytest

from doppelgram.reports.map.palette import COLOURS, SHAPES, assign, class_centre, style_classes

# Machado, Oliveira and Fernandes (2009), severity 1, for linear RGB.
VISIONS = {
    "full": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}
XYZ = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]])


def linear(colour: str) -> np.ndarray:
    values = np.array([int(colour[start : start + 2], 16) for start in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIELAB of linear sRGB under D65."""
    x = XYZ @ rgb / np.array([0.95047, 1, 1.08883])
    f = np.where(x > 216 / 24389, np.cbrt(x), (24389 / 27 * x + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_the_yardstick_is_right() -> None:
    np.testing.assert_allclose(lab(linear("#ffffff")), [100, 0, 0], atol=0.02)
    np.testing.assert_allclose(lab(linear("#ff0000")), [53.24, 80.09, 67.20], atol=0.05)
    red, green = (lab(np.clip(VISIONS["deuteranopia"] @ linear(c), 0, 1)) for c in ("#d05030", "#608030"))
    assert np.linalg.norm(red - green) < 0.5 * np.linalg.norm(lab(linear("#d05030")) - lab(linear("#608030")))


@pytest.mark.parametrize("vision", VISIONS)
def test_colours_stay_apart(vision: str) -> None:
    seen = [lab(np.clip(VISIONS[vision] @ linear(colour), 0, 1)) for colour in COLOURS]
    for a, b in itertools.combinations(range(len(COLOURS)), 2):
        assert np.linalg.norm(seen[a] - seen[b]) > 29, (COLOURS[a], COLOURS[b])
    assert all(np.linalg.norm(one - lab(np.ones(3))) > 24 for one in seen), "a colour that white ground swallows"


@pytest.mark.parametrize("classes", [1, 2, 12, 62, 81, 90])
def test_no_two_classes_look_the_same(classes: int) -> None:
    colours, shapes = assign(np.random.default_rng(classes).normal(size=(classes, 2)))
    assert len(set(zip(colours.tolist(), shapes.tolist(), strict=True))) == classes
    assert colours.min() >= 0
    assert colours.max() < len(COLOURS)
    assert shapes.max() < len(SHAPES)


@pytest.mark.parametrize("seed", range(5))
def test_neighbours_on_the_map_differ_in_colour(seed: int) -> None:
    centres = np.random.default_rng(seed).uniform(size=(81, 2))
    distances = np.linalg.norm(centres[:, None] - centres[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    near = distances.argsort(axis=1)[:, :4]

    def clashes(colours: np.ndarray) -> int:
        return int((colours[near] == colours[:, None]).sum())

    colours, _ = assign(centres)
    assert clashes(colours) <= 4
    assert clashes(colours) < clashes(np.arange(81) % len(COLOURS)) / 4


def test_classes_that_look_the_same_lie_apart() -> None:
    centres = np.random.default_rng(0).uniform(size=(200, 2))
    colours, shapes = assign(centres)
    pairs = [
        (i, j) for i, j in itertools.combinations(range(200), 2) if (colours[i], shapes[i]) == (colours[j], shapes[j])
    ]
    assert pairs
    assert min(np.linalg.norm(centres[i] - centres[j]) for i, j in pairs) > 0.1


def test_styles_of_labelled_points() -> None:
    points = np.array([[0.0, 0], [1, 0], [100, 0], [5, 5], [6, 5]])
    styles = style_classes(points, np.array(["b", "b", "b", "a", "a"]))
    assert styles.names == ["a", "b"]
    assert styles.sizes.tolist() == [2, 3]
    assert styles.centres.tolist() == [[5, 5], [1, 0]], "a class's centre is one of its points, far ones or not"
    assert styles.colours[0] != styles.colours[1]
    assert class_centre(points[:1]).tolist() == [0, 0]


def test_classes_on_one_spot_differ() -> None:
    colours, _ = assign(np.zeros((5, 2)))
    assert len(set(colours.tolist())) == 5
