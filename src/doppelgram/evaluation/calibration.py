"""Fit the meaning of a distance on pairs whose answer is known."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from doppelgram.errors import DoppelgramError
from doppelgram.space.calibration import Calibration


def checked_pairs(distances: ArrayLike, same: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Distances and answers of pairs as float64 (n,) and bool (n,).

    Raises:
        DoppelgramError: lengths differ, or a distance is negative, NaN or infinite; the pair is named.
    """
    d = np.asarray(distances, dtype=np.float64)
    s = np.asarray(same)
    if d.ndim != 1 or s.shape != d.shape:
        raise DoppelgramError(f"pairs: {d.shape} distances and {s.shape} answers; give one of each for every pair")
    wrong = ~np.isfinite(d) | (d < 0)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DoppelgramError(f"pairs: the distance of pair {row} is {d[row]}; it must be a finite number from 0")
    if s.dtype != bool and not np.isin(s, (0, 1)).all():
        raise DoppelgramError("pairs: the answers must be true or false (1 or 0)")
    return d, s.astype(bool)


def best_threshold(distances: NDArray[np.float64], same: NDArray[np.bool_]) -> float:
    """The distance that splits same from different with the highest balanced accuracy.

    Candidates are the midpoints between adjacent distances, 0 (nothing but duplicates is the same) and the largest
    distance (everything is). Among equally good ones the smallest wins: when in doubt, different.

    Args:
        distances: (n,).
        same: (n,), with at least one true and one false.
    """
    order = np.argsort(distances, kind="stable")
    d, s = distances[order], same[order]
    last = np.flatnonzero(np.append(d[1:] != d[:-1], True))
    tar = np.cumsum(s)[last] / s.sum()
    far = np.cumsum(~s)[last] / (~s).sum()
    low, high = d[last[:-1]], d[last[1:]]
    middle = (low + high) / 2
    cut = np.append(np.where(middle < high, middle, low), d[-1])
    if d[0] > 0:
        tar, far, cut = np.append(0.0, tar), np.append(0.0, far), np.append(0.0, cut)
    gain = tar - far
    # Shares with different denominators carry rounding noise; without the margin it would break ties at random.
    return float(cut[np.argmax(gain >= gain.max() - 1e-12)])


def pair_weights(same: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Weights of pairs (n,) of both kinds, so that each kind weighs one half."""
    return np.where(same, 0.5 / max(int(same.sum()), 1), 0.5 / max(int((~same).sum()), 1))


def fit_calibration(distances: ArrayLike, same: ArrayLike, *, fitted_on: str) -> Calibration:
    """Fit the probability of "same" and the threshold to pairs.

    Logistic regression of the answer on the distance in which all pairs of the same together weigh as much as all
    different ones. Targets are (N+1)/(N+2) and 1/(N+2) in place of 1 and 0, with N the number of pairs of that kind,
    so that perfectly separated pairs give a finite slope (J. Platt, Probabilistic outputs for support vector
    machines, 1999); Newton's method with step halving (Lin, Lin and Weng, A note on Platt's probabilistic outputs,
    Machine Learning 68, 2007).

    Args:
        distances: (n,) Euclidean distances.
        same: (n,) whether each pair is the same.
        fitted_on: which images these are, in words.

    Raises:
        DoppelgramError: one kind of pair is missing, or pairs of the same are no nearer than different ones.
    """
    d, s = checked_pairs(distances, same)
    n_same, n_different = int(s.sum()), int((~s).sum())
    if n_same == 0 or n_different == 0:
        kind = "same" if n_same == 0 else "different"
        raise DoppelgramError(f"{fitted_on}: no pair here is of the kind '{kind}'; a calibration needs both kinds")
    weights = pair_weights(s)
    targets = np.where(s, (n_same + 1) / (n_same + 2), 1 / (n_different + 2))
    centre, scale = float(weights @ d), float(d.std())
    if scale > 0 and d[s].mean() < d[~s].mean():
        slope, intercept = _logistic((d - centre) / scale, targets, weights)
        slope, intercept = slope / scale, intercept + slope * centre / scale
        if slope > 0:
            return Calibration(slope, intercept, best_threshold(d, s), n_same, n_different, fitted_on)
    raise DoppelgramError(
        f"{fitted_on}: pairs of the same are no nearer to each other than different ones, so these distances carry "
        "no information; check the labels, or train longer"
    )


def _logistic(x: NDArray[np.float64], targets: NDArray[np.float64], weights: NDArray[Any]) -> tuple[float, float]:
    """Minimise the weighted cross-entropy of sigmoid(-a x + b); returns (a, b)."""

    def loss(a: float, b: float) -> float:
        z = b - a * x
        return float(weights @ (np.logaddexp(0.0, z) - targets * z))

    a, b = 0.0, 0.0
    value = loss(a, b)
    for _ in range(100):
        z = b - a * x
        p = np.exp(-np.logaddexp(0.0, -z))
        error, curve = weights * (p - targets), weights * p * (1 - p)
        gradient = np.array([-(error @ x), error.sum()])
        if np.abs(gradient).max() < 1e-12:
            break
        cross = -(curve @ x)
        hessian = np.array([[curve @ (x * x), cross], [cross, curve.sum()]]) + 1e-14 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        if gradient @ step < 1e-15:  # what is still to be gained is below the loss's rounding
            break
        size = 1.0
        while size > 1e-10 and not loss(a - size * step[0], b - size * step[1]) <= value:
            size /= 2
        if size <= 1e-10:
            break
        a, b = a - size * float(step[0]), b - size * float(step[1])
        value = loss(a, b)
    return a, b
