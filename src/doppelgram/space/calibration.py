"""From a distance to the probability that two images show the same, and to a yes or no."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from doppelgram.errors import DoppelgramError
from doppelgram.space.checks import exact_keys, finite_number
from doppelgram.space.curve import Curve
from doppelgram.space.exact import Float64

_CURVES = ("pairs", "search")


def sigmoid(odds: ArrayLike) -> Float64:
    """Probability at some log-odds, stable for all of them."""
    return np.asarray(np.exp(-np.logaddexp(0.0, -np.asarray(odds, dtype=np.float64))))


@dataclass(frozen=True)
class Calibration:
    """What a distance of one model means.

    Two questions have two answers. *Do these two show the same?* ``pairs`` answers: it holds where same and different
    are equally likely beforehand and half of the different ones were picked for looking alike. *Is this image, found
    among the nearest, a right one?* ``search`` answers: it was counted on what searches found. Models of earlier
    builds have neither; ``sigmoid(-slope * distance + intercept)`` then stands for both, which was fitted to random
    pairs, most of them easy, and says too much of the nearest images.

    Attributes:
        slope: above 0, per unit of distance.
        intercept: log-odds of "same" at distance 0.
        threshold: the distance that best splits same from different on the pairs fitted to.
        n_same: pairs of the same fitted to.
        n_different: pairs of different fitted to.
        fitted_on: which images these were, in words ("validation split of ...").
        pairs: what a distance of two images that somebody compares means.
        search: what the distance of an image that a search found means.
    """

    slope: float
    intercept: float
    threshold: float
    n_same: int
    n_different: int
    fitted_on: str
    pairs: Curve | None = None
    search: Curve | None = None

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
        return self.pairs.probability(distance) if self.pairs else sigmoid(self.log_odds(distance))

    def search_probability(self, distance: ArrayLike) -> Float64:
        """Probability that an image that was found at this distance is right; without `search`, `probability`."""
        return self.search.probability(distance) if self.search else self.probability(distance)

    @property
    def even(self) -> float:
        """The distance up to which two images that somebody compares are as likely the same as not, or likelier."""
        return self.pairs.reach(0.5) if self.pairs else self.threshold

    def to_dict(self) -> dict[str, Any]:
        """The calibration as JSON-ready values."""
        curves = {name: curve.to_dict() for name in _CURVES if (curve := getattr(self, name))}
        plain = asdict(replace(self, pairs=None, search=None))
        return {name: value for name, value in plain.items() if name not in _CURVES} | curves

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Calibration:
        """Read what `to_dict` wrote.

        Raises:
            DoppelgramError: a key is missing, unknown or holds something unusable; the key is named.
        """
        if isinstance(values, dict):
            values = {**dict.fromkeys(_CURVES), **values}  # models of earlier builds have none
        values = exact_keys(values, (field.name for field in fields(cls)), "calibration")
        return cls(**values | {name: Curve.from_dict(values[name]) for name in _CURVES if values[name] is not None})
