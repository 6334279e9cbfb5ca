"""Accuracy in folds against loops."""

from __future__ import annotations

import numpy as np
import pytest

from doppelgram.evaluation.folds import best_threshold, fold_accuracies, fold_note


def slow_threshold(distance: np.ndarray, same: np.ndarray) -> float:
    candidates = [-np.inf, *sorted(distance.tolist())]
    return max(candidates, key=lambda cut: sum((d <= cut) == s for d, s in zip(distance, same, strict=True)))


@pytest.mark.parametrize("seed", range(5))
def test_folds_against_loops(seed: int) -> None:
    rng = np.random.default_rng(seed)
    same, fold = rng.random(60) < 0.5, rng.integers(0, 4, 60)
    distance = np.round(rng.normal(1 - 0.5 * same, 0.4), 1)  # many equal ones
    assert best_threshold(distance, same) == slow_threshold(distance, same)
    expected = []
    for number in range(4):
        cut = slow_threshold(distance[fold != number], same[fold != number])
        expected.append(np.mean([(d <= cut) == s for d, s, f in zip(distance, same, fold, strict=True) if f == number]))
    found = fold_accuracies(distance, same, fold)
    np.testing.assert_allclose(found, expected)
    error = np.std(expected, ddof=1) / 2
    assert f"{100 * np.mean(expected):.1f} % of the pairs" in fold_note(found)
    assert f"standard error {100 * error:.1f} %" in fold_note(found)


def test_pairs_that_are_all_different() -> None:
    assert best_threshold(np.array([0.1, 0.2]), np.array([False, False])) == -np.inf
    assert best_threshold(np.array([0.1, 0.2]), np.array([True, True])) == 0.2
