"""Accuracy on pairs in folds, as Labeled Faces in the Wild and its kin are reported."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from doppelgram.numbers import percent

Float64 = NDArray[np.float64]


def fold_accuracies(distance: NDArray[Any], same: NDArray[np.bool_], fold: NDArray[np.int64]) -> Float64:
    """Share of pairs judged rightly in each fold, (folds,), the threshold for each chosen on all others.

    Of thresholds that are equally good the lowest is taken. Source: Huang, Ramesh, Berg and Learned-Miller, Labeled
    Faces in the Wild, 2007, view 2.

    Args:
        distance: (n,) of the pairs.
        same: (n,) the truth.
        fold: (n,) number of the fold of each, two different ones at least.
    """
    shares = []
    for number in np.unique(fold):
        inside = fold == number
        threshold = best_threshold(distance[~inside], same[~inside])
        shares.append(float(((distance[inside] <= threshold) == same[inside]).mean()))
    return np.array(shares)


def best_threshold(distance: NDArray[Any], same: NDArray[np.bool_]) -> float:
    """The distance up to which pairs are best called the same: the lowest given one that is right most often."""
    order = np.argsort(distance, kind="stable")
    ordered = distance[order].astype(np.float64)
    right = np.cumsum(same[order]) + (~same).sum() - np.cumsum(~same[order])
    last = np.append(ordered[1:] != ordered[:-1], True)  # of equal distances all are the same or none
    values, right = np.append(-np.inf, ordered[last]), np.append((~same).sum(), right[last])
    return float(values[np.argmax(right)])


def fold_note(shares: Float64) -> str:
    """The shares in a sentence, with their mean's standard error as the table of that set has it."""
    error = float(shares.std(ddof=1) / np.sqrt(len(shares)))
    return (
        f"In the {len(shares)} folds of the file, the threshold for each chosen on the others, "
        f"{percent(shares.mean())} of the pairs are judged rightly (standard error {percent(error)}; "
        f"{percent(shares.min())} in the worst fold, {percent(shares.max())} in the best)."
    )
