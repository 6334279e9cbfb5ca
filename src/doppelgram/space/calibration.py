"""From a distance to the probability that two images show the same, and to a yes or no."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from doppelgram.errors import DoppelgramError
from doppelgram.space.checks import exact_keys, finite_number
from doppelgram.space.exact import Float64


def sigmoid(odds: ArrayLike) -> Float64:
    """Probability at some log-odds, stable for all of them."""
    return np.asarray(np.exp(-np.logaddexp(0.0, -np.asarray(odds, dtype=np.float64))))


@dataclass(frozen=True)
class Calibration:
    """What a distance of one model means.

    The probability is ``sigmoid(-slope * distance + intercept)``. It assumes that "same" and "different" are equally
    likely before the images are looked at: among a thousand candidates of whom one is right, even 0.99 means "one of
    the ten or so best".

    Attributes:
        slope: above 0, per unit of distance.
        intercept: log-odds of "same" at distance 0.
        threshold: the distance that best splits same from different on the pairs fitted to.
        n_same: pairs of the same fitted to.
        n_different: pairs of different fitted to.
        fitted_on: which images these were, in words ("validation split of ...").
    """

    slope: float
    intercept: float
    threshold: float
    n_same: int
    n_different: int
    fitted_on: str

    def __post_init__(self) -> None:
        for name in ("slope", "intercept", "threshold"):
            object.__setattr__(self, name, finite_number(getattr(self, name), f"calibration: '{name}'"))
        if self.slope <= 0:
            raise DoppelgramError(f"calibration: 'slope' is {self.slope:g}; it must be above 0, so fit it again")
        if self.threshold < 0:
            raise DoppelgramError(f"calibration: 'threshold' is {self.threshold:g}; no distance is below 0")
        for name in ("n_same", "n_different"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise DoppelgramError(f"calibration: '{name}' is {value!r}; it must be a whole number of 1 or more")
        if not isinstance(self.fitted_on, str):
            raise DoppelgramError(f"calibration: 'fitted_on' is {self.fitted_on!r}; it must be text")

    def log_odds(self, distance: ArrayLike) -> Float64:
        """Log-odds of "same" at a distance, float64 of the distance's shape."""
        return np.asarray(self.intercept - self.slope * np.asarray(distance, dtype=np.float64))

    def probability(self, distance: ArrayLike) -> Float64:
        """Probability that two images at this distance show the same, float64 of the distance's shape.

        Stable for every distance up to infinity, for which it is 0.
        """
        return sigmoid(self.log_odds(distance))

    def same(self, distance: Any) -> Any:
        """Whether images at this distance count as the same: at the threshold or nearer; a number or an array."""
        return distance <= self.threshold

    def to_dict(self) -> dict[str, Any]:
        """The calibration as JSON-ready values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Calibration:
        """Read what `to_dict` wrote.

        Raises:
            DoppelgramError: a key is missing, unknown or holds something unusable; the key is named.
        """
        return cls(**exact_keys(values, (field.name for field in fields(cls)), "calibration"))
