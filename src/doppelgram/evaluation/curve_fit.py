"""Count how often what lies so near is right: the points of a falling curve."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from doppelgram.errors import DoppelgramError
from doppelgram.space.curve import Curve

# A point of the curve rests on so many examples or more, and on no less than one in so many of all.
_FEWEST, _SHARE = 30, 100


def fit_curve(
    distances: ArrayLike,
    right: ArrayLike,
    *,
    about: str,
    weights: ArrayLike | None = None,
    sources: ArrayLike | None = None,
) -> Curve:
    """Fit a probability that falls with distance.

    Isotonic regression (Zadrozny and Elkan, Transforming classifier scores into accurate multiclass probability
    estimates, 2002), its steps joined until each holds enough examples. A step's probability is ``(s m + 1) / (m + 2)``
    with s the share of right examples in it and m how many independent ones it holds, so that m examples never tell
    more than ``1 - 1 / (m + 2)``. It holds at the step's mean distance.

    Args:
        distances: (n,).
        right: (n,) whether each example is of the same.
        about: which examples these are, in words.
        weights: (n,) how much each counts in a step's share; all alike by default.
        sources: (n,) what an example comes from, such as its query; several of one source are one independent example.

    Raises:
        DoppelgramError: there is no example.
    """
    from sklearn.isotonic import IsotonicRegression

    order = np.argsort(np.asarray(distances, dtype=np.float64), kind="stable")
    d = np.asarray(distances, dtype=np.float64)[order]
    y = np.asarray(right, dtype=np.float64)[order]
    if not len(d):
        raise DoppelgramError(f"{about}: there is no example to calibrate with")
    w = np.ones(len(d)) if weights is None else np.asarray(weights, dtype=np.float64)[order]
    source = np.arange(len(d)) if sources is None else np.asarray(sources)[order]
    fitted = IsotonicRegression(increasing=False).fit(d, y, sample_weight=w).predict(d)
    points: list[tuple[float, float]] = []
    for start, end in _steps(fitted, max(_FEWEST, len(d) // _SHARE)):
        step = slice(start, end)
        m = len(np.unique(source[step]))
        share = float(np.average(y[step], weights=w[step]))
        points.append((float(np.average(d[step], weights=w[step])), (share * m + 1) / (m + 2)))
    if d[-1] > points[-1][0]:
        points.append((float(d[-1]), points[-1][1]))  # as far as there are examples the last step holds
    at, p = np.array(points).T
    spread = float(d.std())
    n_right = int(y.sum())
    return Curve(
        tuple(at.tolist()),
        tuple(np.minimum.accumulate(p).tolist()),
        1 / spread if spread > 0 else 1.0,
        n_right,
        len(y) - n_right,
        about,
    )


def _steps(fitted: NDArray[Any], fewest: int) -> list[tuple[int, int]]:
    """Runs of equal values, joined with what follows until each has so many; a short last one joins the one before."""
    steps: list[tuple[int, int]] = []
    start = 0
    for end in (*(np.flatnonzero(np.diff(fitted) != 0) + 1).tolist(), len(fitted)):
        if end - start >= fewest:
            steps.append((start, end))
            start = end
    if start < len(fitted):
        first = steps.pop()[0] if steps else 0
        steps.append((first, len(fitted)))
    return steps
