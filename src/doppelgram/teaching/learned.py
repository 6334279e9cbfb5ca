"""Two numbers that answers teach: how much steeper or flatter, higher or lower log-odds should have been."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from doppelgram.space.calibration import sigmoid
from doppelgram.space.exact import Float64

# How far the two numbers are believed to lie from 1 and 0 before any answer, as standard deviations.
_STEEPER, _SHIFT = 0.5, 2.0
_ROUNDS = 50


@dataclass(frozen=True)
class Learned:
    """Log-odds x become ``slope * x + shift``; as they are where nothing was learned.

    Attributes:
        slope: above 0.
        shift: in log-odds.
        n: answers that it was fitted to.
    """

    slope: float = 1.0
    shift: float = 0.0
    n: int = 0

    def odds(self, odds: ArrayLike) -> Float64:
        """What log-odds become, of their shape."""
        return np.asarray(self.slope * np.asarray(odds, dtype=np.float64) + self.shift)


def learn(
    odds: ArrayLike, degrees: ArrayLike, *, strengths: ArrayLike | None = None, weights: ArrayLike | None = None
) -> Learned:
    """Fit slope and shift to answers, held near 1 and 0.

    The maximum a posteriori of Platt's model (1999) under normal priors around "leave it as it is", so that a few
    answers move little and one-sided ones nothing to infinity. Newton's method; the loss is convex. A question is
    chosen by its log-odds, which is no bias here: what is fitted is the answer at given log-odds. What is assumed is
    that at equal log-odds those asked about are like those that were not.

    Args:
        odds: (m,) log-odds of the same.
        degrees: (m,) answers from 0 to 1.
        strengths: (m,) by how much the log-odds count for the answer, as `questions.strength` says; 1 by default.
        weights: (m,) how many pairs each stands for; 1 by default.
    """
    x, y = (np.asarray(values, dtype=np.float64) for values in (odds, degrees))
    w = np.ones_like(x) if weights is None else np.asarray(weights, dtype=np.float64)
    if not len(x):
        return Learned()
    precision = np.array([1 / _STEEPER**2, 1 / _SHIFT**2])
    design = np.column_stack([x, np.ones_like(x)])
    if strengths is not None:
        design *= np.asarray(strengths, dtype=np.float64)[:, None]
    start = np.array([1.0, 0.0])

    def loss(at: NDArray[np.float64]) -> float:
        z = design @ at
        return float(w @ (np.logaddexp(0.0, z) - y * z) + 0.5 * precision @ (at - start) ** 2)

    at = start
    for _ in range(_ROUNDS):
        p = sigmoid(design @ at)
        gradient = design.T @ (w * (p - y)) + precision * (at - start)
        step = np.linalg.solve((design.T * (w * p * (1 - p))) @ design + np.diag(precision), gradient)
        size = 1.0
        while size > 1e-6 and loss(at - size * step) > loss(at):
            size /= 2
        at = at - size * step
        if np.abs(step).max() < 1e-9:
            break
    return Learned(max(float(at[0]), 0.05), float(at[1]), len(x))
