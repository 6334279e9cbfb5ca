"""A probability that falls with distance, as it was counted on examples."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from doppelgram.errors import DoppelgramError
from doppelgram.space.checks import exact_keys, finite_number
from doppelgram.space.exact import Float64


@dataclass(frozen=True)
class Curve:
    """A probability that falls with distance, from points between which it is interpolated; never 0 or 1.

    Nearer than the first point the probability is that of the first: the examples say nothing higher. Beyond the last
    point the log-odds fall by ``slope`` per unit of distance, and the probability never below ``1 / (n + 2)`` for n
    examples.

    Attributes:
        distances: of the points, rising.
        probabilities: at the points, falling, above 0 and below 1.
        slope: above 0, per unit of distance.
        n_right: examples of the same that the points were counted on.
        n_wrong: examples of different things.
        about: which examples these were, in words.
    """

    distances: tuple[float, ...]
    probabilities: tuple[float, ...]
    slope: float
    n_right: int
    n_wrong: int
    about: str

    def __post_init__(self) -> None:
        for name in ("distances", "probabilities"):
            values = tuple(finite_number(value, f"curve: a number of '{name}'") for value in getattr(self, name))
            object.__setattr__(self, name, values)
        object.__setattr__(self, "slope", finite_number(self.slope, "curve: 'slope'"))
        d, p = np.array(self.distances), np.array(self.probabilities)
        if not 0 < len(d) == len(p) or (np.diff(d) <= 0).any() or (np.diff(p) > 0).any() or self.slope <= 0:
            raise DoppelgramError("curve: its distances must rise and its probabilities fall; calibrate again")
        if not (p > 0).all() or not (p < 1).all():
            raise DoppelgramError("curve: its probabilities must lie between 0 and 1; calibrate again")

    def probability(self, distance: ArrayLike) -> Float64:
        """Probability at a distance, float64 of its shape; 0 at infinity, which stands for no answer; NaN at NaN."""
        d = np.asarray(distance, dtype=np.float64)
        p = np.interp(d, self.distances, self.probabilities)
        with np.errstate(over="ignore"):
            p = p / (p + (1 - p) * np.exp(self.slope * np.maximum(d - self.distances[-1], 0.0)))
        return np.asarray(np.where(np.isposinf(d), 0.0, np.maximum(p, 1 / (self.n_right + self.n_wrong + 2))))

    def reach(self, probability: float) -> float:
        """The largest distance at which the probability is this or more; 0 where there is none."""
        at, p = np.array(self.distances), np.array(self.probabilities)
        if p[0] < probability:
            return 0.0
        if p[-1] >= probability:
            odds = np.log([p[-1] / (1 - p[-1]), probability / (1 - probability)])
            return float(at[-1] + (odds[0] - odds[1]) / self.slope)
        last = int(np.flatnonzero(p >= probability)[-1])
        return float(np.interp(-probability, -p[last : last + 2], at[last : last + 2]))

    def to_dict(self) -> dict[str, Any]:
        """The curve as JSON-ready values."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Curve:
        """Read what `to_dict` wrote.

        Raises:
            DoppelgramError: a key is missing, unknown or holds something unusable; the key is named.
        """
        return cls(**exact_keys(values, (field.name for field in fields(cls)), "curve"))
