"""Two numbers that answers teach: how much steeper or flatter, higher or lower log-odds should have been."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from doppelgram.space.calibration import sigmoid
from doppelgram.space.exact import Float64

# How far the two numbers are believed to lie from 1 and 0 before any answer, as standard deviations.
_STEEPER, _SHIFT = 0.5, 2.0
_ROUNDS = 50

PRIOR_ANSWERS = 10
"""So many answers the calibration that was there before is worth, when a cut is moved."""


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


def damped(before: float, after: float, n: int) -> float:
    """Where n answers move a cut that the calibration put at ``before``, and that they alone would put at ``after``.

    The mean of both, weighted by their answers. Where a calibration is flat around one half, as where few examples were
    counted, its own cut and any learned one are worlds apart though their probabilities hardly differ; one answer must
    not carry the groups from one to the other.
    """
    return (PRIOR_ANSWERS * before + n * after) / (PRIOR_ANSWERS + n)


class Told(NamedTuple):
    """Answers to questions, float64 (m,) each.

    Attributes:
        odds: log-odds of the same at which each was asked.
        degrees: answers from 0 to 1.
        strengths: by how much the log-odds count for the answer, as `questions.strength` says.
    """

    odds: Float64
    degrees: Float64
    strengths: Float64

    def take(self, kept: NDArray[np.bool_]) -> Told:
        """Only these."""
        return Told(*(values[kept] for values in self))


def learn(told: Told) -> Learned:
    """Fit slope and shift to answers, held near 1 and 0.

    The maximum a posteriori of Platt's model (1999) under normal priors around "leave it as it is", so that a few
    answers move little and one-sided ones nothing to infinity. Newton's method with step halving; the loss is convex.
    """
    x, y, strengths = told
    if not len(x):
        return Learned()
    precision = np.array([1 / _STEEPER**2, 1 / _SHIFT**2])
    design = np.column_stack([x, np.ones_like(x)]) * strengths[:, None]
    start = np.array([1.0, 0.0])

    def loss(at: NDArray[np.float64]) -> float:
        z = design @ at
        return float((np.logaddexp(0.0, z) - y * z).sum() + 0.5 * precision @ (at - start) ** 2)

    at = start
    for _ in range(_ROUNDS):
        p = sigmoid(design @ at)
        gradient = design.T @ (p - y) + precision * (at - start)
        step = np.linalg.solve((design.T * (p * (1 - p))) @ design + np.diag(precision), gradient)
        size = 1.0
        while size > 1e-6 and loss(at - size * step) > loss(at):
            size /= 2
        at = at - size * step
        if np.abs(step).max() < 1e-9:
            break
    return Learned(max(float(at[0]), 0.05), float(at[1]), len(x))
