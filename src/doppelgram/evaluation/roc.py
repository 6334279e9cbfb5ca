"""The ROC of pairs, plain or weighted, and the numbers read off it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from doppelgram.space.exact import Float64, Int64

FAR_LEVELS = (0.1, 0.01, 0.001)


class Roc:
    """The ROC of pairs under many weightings.

    A pair is accepted if its distance is at the threshold or below; pairs at equal distances are accepted together.

    Args:
        distances: (p,) in rising order.
        same: (p,) with at least one true and one false.
    """

    def __init__(self, distances: Float64, same: NDArray[np.bool_]) -> None:
        self._same = same
        self._last: Int64 = np.flatnonzero(np.append(distances[1:] != distances[:-1], True))

    def rates(self, weights: Float64) -> tuple[Float64, Float64]:
        """False and true accept rates at the thresholds, after a leading 0.

        Args:
            weights: (r, p) of the pairs.

        Returns:
            FAR and TAR, both (r, t + 1) with t different distances; NaN in rows where a kind of pair has no weight.
        """
        with np.errstate(invalid="ignore"):
            curves = []
            for kind in (~self._same, self._same):
                total = np.cumsum(weights * kind, axis=1)
                total = total if total.shape[1] == len(self._last) else total[:, self._last]
                curve = np.zeros((len(weights), len(self._last) + 1))
                curve[:, 1:] = total / total[:, -1:]
                curves.append(curve)
        return curves[0], curves[1]


def auc(far: Float64, tar: Float64) -> Float64:
    """Area under each ROC by trapezoids, which counts ties half: (r,)."""
    return np.asarray(np.sum((far[:, 1:] - far[:, :-1]) * (tar[:, 1:] + tar[:, :-1]), axis=1) / 2)


def equal_error_rate(far: Float64, tar: Float64) -> Float64:
    """Where FAR = 1 - TAR, interpolated linearly between neighbouring points of each ROC: (r,)."""
    gap = far + tar - 1.0
    after = np.maximum(np.argmax(gap >= 0, axis=1), 1)
    rows = np.arange(len(gap))
    low, high = gap[rows, after - 1], gap[rows, after]
    part = low / (low - high)
    return np.asarray(far[rows, after - 1] + part * (far[rows, after] - far[rows, after - 1]))


def tar_at_far(far: Float64, tar: Float64, level: float) -> Float64:
    """The highest TAR at a threshold whose FAR is at most ``level``, without interpolation: (r,)."""
    # Sums of weights carry rounding; a share of exactly the level must pass.
    place = np.count_nonzero(far <= level * (1 + 1e-9), axis=1) - 1
    return np.where(place >= 0, tar[np.arange(len(tar)), place], np.nan)


def pair_statistics(roc: Roc, weights: Float64) -> Float64:
    """AUC, EER and TAR at each of ``FAR_LEVELS``: (r, 2 + levels)."""
    far, tar = roc.rates(weights)
    levels = [tar_at_far(far, tar, level) for level in FAR_LEVELS]
    return np.column_stack([auc(far, tar), equal_error_rate(far, tar), *levels])
