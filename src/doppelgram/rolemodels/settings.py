"""How posts are traced: every number that the result depends on besides the posts and the model."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from doppelgram.errors import DoppelgramError

REPOSTS = ("aside", "count")
# The lowest that each whole number may be; 19 shuffles are the fewest that can give a p-value of 0.05.
_MINIMUM = {
    "draws": 19,
    "permutations": 19,
    "bootstraps": 0,
    "exact_up_to": 0,
    "min_posts": 2,
    "top": 1,
    "seed": 0,
    "neighbours": 1,
}


@dataclass(frozen=True)
class TraceSettings:
    """Parameters of `trace_posts`.

    Attributes:
        threshold: probability from which on two posts count as the same arrangement; None: the model's own.
        decay_days: a post is followed with a chance that falls by 1/e in this time; None: fitted to the posts.
        gamma: how much a closer match speaks for a predecessor, as a power of the odds of the match; 0: not at all.
        innovation: weight of "nobody", in units of a predecessor with a typical match and no delay.
        damping: share of a follower's own influence that its predecessor is credited with, from 0 to below 1.
        permutations: shuffles for the test of each arrangement at most; it ends early where the answer is clear, and
            of thousands of posts fewer may be drawn, see `spread.p_values`.
        draws: shuffles of the whole clock, for the interval of followers and the curve; 200 or more for publication.
        bootstraps: resamplings of the posts for the interval of the rank.
        neighbours: matches kept for each post; None: 64, and more where there are few posts.
        exact_up_to: number of posts up to which all pairs are compared; beyond, only those in cells near each other.
        min_posts: posts that an arrangement has at least.
        top: how many leading posts the sensitivity table follows.
        reposts: a later post of the same photograph is set ``aside``, or it may ``count`` as any other.
        seed: the same posts, model, settings and seed give the same result.
    """

    threshold: float | None = None
    decay_days: float | None = None
    gamma: float = 0.75
    innovation: float = 0.2
    damping: float = 0.8
    permutations: int = 10_000
    draws: int = 200
    bootstraps: int = 200
    neighbours: int | None = None
    exact_up_to: int = 5_000
    min_posts: int = 2
    top: int = 10
    reposts: str = "aside"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.threshold is not None and not 0 < self.threshold < 1:
            raise DoppelgramError(f"the threshold is {self.threshold:g}; give a probability between 0 and 1")
        if self.decay_days is not None and not 0 < self.decay_days < math.inf:
            raise DoppelgramError(f"the decay is {self.decay_days:g} days; give a number above 0")
        if not 0 <= self.gamma < math.inf:
            raise DoppelgramError(f"gamma is {self.gamma:g}; give a number of 0 or more")
        if not 0 < self.innovation < math.inf:
            raise DoppelgramError(f"the weight of innovation is {self.innovation:g}; give a number above 0")
        if not 0 <= self.damping < 1:
            raise DoppelgramError(f"damping is {self.damping:g}; give a number from 0 to below 1")
        if self.reposts not in REPOSTS:
            raise DoppelgramError(f"reposts is '{self.reposts}'; give {' or '.join(REPOSTS)}")
        for name, minimum in _MINIMUM.items():
            value = getattr(self, name)
            if value is not None and value < minimum:
                raise DoppelgramError(f"{name} is {value}; give {minimum} or more")

    @property
    def steps(self) -> int:
        """How often `trace_posts` reports progress: once a draw, and five times for what comes before and after."""
        return self.draws + 5

    def to_dict(self) -> dict[str, Any]:
        """The settings as JSON-ready values."""
        return asdict(self)
