"""Whether probabilities hold: of what was said to be right with 80 %, four in five are."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from doppelgram.errors import DoppelgramError

# A bin with fewer answers says little, and is not held against a calibration.
ENOUGH = 100
EDGES = np.round(np.linspace(0, 1, 11), 1)
_LEAST = 1e-12


@dataclass(frozen=True)
class Bin:
    """Answers whose probability lies in one range: how many, what was said on average, and the share of right ones."""

    low: float
    high: float
    n: int
    said: float
    right: float


@dataclass(frozen=True)
class Reliability:
    """How well probabilities hold.

    Attributes:
        bins: ranges of one tenth that hold answers, from the lowest.
        ece: expected calibration error, the mean distance between said and right over the bins, weighted by their
            answers (Naeini, Cooper and Hauskrecht, Obtaining well calibrated probabilities, 2015).
        log_loss: mean negative natural logarithm of the probability given to what is true.
        brier: mean square of the probability's error.
        n: answers.
    """

    bins: tuple[Bin, ...]
    ece: float
    log_loss: float
    brier: float
    n: int

    @property
    def worst(self) -> float:
        """The largest distance between said and right among the bins of `ENOUGH` answers; 0 where there is none."""
        return max((abs(each.said - each.right) for each in self.bins if each.n >= ENOUGH), default=0.0)

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return asdict(self) | {"worst": self.worst}


def reliability(probability: ArrayLike, right: ArrayLike, weights: ArrayLike | None = None) -> Reliability:
    """Measure how well probabilities hold.

    Args:
        probability: (n,) from 0 to 1.
        right: (n,) whether each came true.
        weights: (n,) how much each counts, such as `pair_weights`; all alike by default.

    Raises:
        DoppelgramError: lengths differ, there is nothing, or a probability is none.
    """
    p, y = np.asarray(probability, dtype=np.float64), np.asarray(right, dtype=bool)
    w: NDArray[np.float64] = np.ones(len(p)) if weights is None else np.asarray(weights, dtype=np.float64)
    if p.ndim != 1 or not len(p) or not p.shape == y.shape == w.shape:
        raise DoppelgramError(
            f"reliability: {p.shape} probabilities, {y.shape} answers and {w.shape} weights do not fit"
        )
    if not ((p >= 0) & (p <= 1)).all():
        raise DoppelgramError("reliability: a probability lies outside 0 to 1")
    w = w / w.sum()
    # The last range holds 1, too.
    which = np.minimum(np.searchsorted(EDGES, p, side="right"), len(EDGES) - 1) - 1
    bins, ece = [], 0.0
    for number in np.unique(which).tolist():
        inside = which == number
        share = float(w[inside].sum())
        said, came = (float(w[inside] @ values[inside]) / share for values in (p, y.astype(np.float64)))
        bins.append(Bin(float(EDGES[number]), float(EDGES[number + 1]), int(inside.sum()), said, came))
        ece += share * abs(said - came)
    true = np.clip(np.where(y, p, 1 - p), _LEAST, 1)
    return Reliability(tuple(bins), ece, float(w @ -np.log(true)), float(w @ (p - y) ** 2), len(p))
