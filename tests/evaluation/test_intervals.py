import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doppelgram.errors import DoppelgramError
from doppelgram.evaluation.intervals import (
    bootstrap_balanced,
    bootstrap_mean,
    bootstrap_pairs,
    image_weights,
    percentiles,
    wilson,
)


def test_wilson_against_published_figures():
    # R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
    for successes, n, low, high in [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)]:
        assert wilson(successes, n) == pytest.approx((low, high), abs=5e-5)
    assert wilson(29, 29) == pytest.approx((0.8830, 1.0), abs=5e-5)


@given(st.integers(1, 500), st.data())
def test_wilson_solves_its_defining_equation(n, data):
    successes = data.draw(st.integers(0, n))
    low, high = wilson(successes, n, 0.9)
    p, z = successes / n, 1.6448536269514722
    assert 0 <= low <= p <= high <= 1
    for end in (low, high):
        assert abs(p - end) == pytest.approx(z * np.sqrt(end * (1 - end) / n), abs=1e-6)


@pytest.mark.parametrize("arguments", [(1, 0), (-1, 3), (4, 3), (1, 2, 1.0), (1, 2, 0.0)])
def test_wilson_refuses_nonsense(arguments):
    with pytest.raises(DoppelgramError):
        wilson(*arguments)


def test_bootstrap_mean_has_the_width_of_the_normal_interval():
    values = np.random.default_rng(0).normal(3, 2, 400)
    low, high = bootstrap_mean(values, seed=1)
    half = 1.96 * values.std() / 20
    assert low == pytest.approx(values.mean() - half, abs=0.15 * half)
    assert high == pytest.approx(values.mean() + half, abs=0.15 * half)
    assert (low, high) == bootstrap_mean(values, seed=1)
    assert (low, high) != bootstrap_mean(values, seed=2)
    assert bootstrap_mean(np.array([0.25]), seed=0) == (0.25, 0.25)


def test_bootstrap_balanced_weighs_classes_equally():
    classes = np.repeat([0, 1], [90, 10])
    correct = np.concatenate([np.ones(90, bool), np.arange(10) < 5])
    value, low, high = bootstrap_balanced(correct, classes, seed=0)
    assert value == pytest.approx(0.75)
    # Only the class of ten varies: half of a binomial share of ten at one half.
    half = 1.96 * 0.5 * np.sqrt(0.25 / 10)
    assert low == pytest.approx(0.75 - half, abs=0.03)
    assert high == pytest.approx(0.75 + half, abs=0.03)


def test_percentiles_hold_the_value_and_pass_over_nan():
    assert percentiles(np.array([np.nan, np.nan]), 0.4) == (0.4, 0.4)
    assert percentiles(np.array([0.5, 0.6, np.nan]), 0.4)[0] == 0.4


def test_image_weights_come_in_chunks_that_do_not_matter():
    small = np.concatenate(list(image_weights(50, seed=3, rows=7, replicates=100)))
    large = np.concatenate(list(image_weights(50, seed=3, rows=100, replicates=100)))
    np.testing.assert_array_equal(small, large)
    assert small.mean() == pytest.approx(1, abs=0.05)
    assert small.var() == pytest.approx(1, abs=0.1)


def test_pairs_weigh_the_product_of_their_images():
    left, right = np.array([5, 5, 9]), np.array([7, 9, 9])
    drawn = bootstrap_pairs(lambda weights: weights, left, right, seed=4, replicates=200)
    weights = np.concatenate(list(image_weights(3, seed=4, rows=200, replicates=200)))
    images = {5: 0, 7: 1, 9: 2}
    for row in range(200):
        for pair in range(3):
            assert drawn[row, pair] == weights[row, images[left[pair]]] * weights[row, images[right[pair]]]


def test_drawing_images_gives_wider_intervals_than_drawing_pairs():
    rng = np.random.default_rng(5)
    quality = rng.random(30)
    a, b = np.triu_indices(30, 1)
    value = (quality[a] + quality[b]) / 2

    def mean(weights):
        return (weights @ value / weights.sum(axis=1))[:, None]

    by_image = np.diff(percentiles(bootstrap_pairs(mean, a, b, seed=0)[:, 0], value.mean()))
    by_pair = np.diff(bootstrap_mean(value, seed=0))
    assert by_image > 2 * by_pair
