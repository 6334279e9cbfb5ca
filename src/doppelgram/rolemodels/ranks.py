"""How certain a rank is, and what it owes to the settings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doppelgram.rolemodels.attribution import Attribution, Float64, Int64, Matches, attribute, closeness
from doppelgram.rolemodels.influence import influence, originality
from doppelgram.rolemodels.scoring import sigmoid
from doppelgram.rolemodels.settings import TraceSettings

# Elements of one post's block of edges by draws; longer lists of followers are added up piece by piece.
_ELEMENTS = 2_000_000


def ranks(score: NDArray[np.floating[Any]]) -> Int64:
    """Rank of each score, 1 for the highest; equal scores share the better rank, (n,)."""
    return np.asarray(1 + len(score) - np.searchsorted(np.sort(score), score, side="right"), dtype=np.int64)


def rank_intervals(
    found: Attribution, time: Float64, original: Float64, *, innovation: float, passing_on: float, draws: int, seed: int
) -> tuple[Int64, Int64]:
    """Between which ranks each post lies in 95 % of bootstrap samples of the posts, (n,) each.

    Posts are drawn again with independent Poisson(1) counts (Owen and Eckles, Annals of Applied Statistics 6, 2012).
    Both the followers and the rivals of a post change with that; the post itself is always kept, or it would have no
    rank, and its originality stays as found. One pass backwards in time gives the influence in all samples.

    Args:
        found: the attribution.
        time: (n,) UTC seconds.
        original: (n,) originality.
        innovation, passing_on: as in `TraceSettings`.
        draws: how many samples; 0 gives the rank itself twice.
        seed: the same seed gives the same samples.
    """
    from scipy.sparse import csr_array

    n = len(time)
    if not draws or not n:
        rank = ranks(original * influence(found, time, passing_on))
        return rank, rank
    rng = np.random.default_rng([seed, 16])
    counts = rng.poisson(1.0, size=(n, draws)).astype(np.float32)
    ends = np.searchsorted(found.source, np.arange(n + 1))
    weight = found.weight.astype(np.float32)
    total = csr_array((weight, found.target, ends), shape=(n, n)).T @ counts + np.float32(innovation)
    result = np.zeros((n, draws), dtype=np.float32)
    worth = counts.copy()  # what following counts for: how often the follower was drawn, and what it passes on
    some = np.flatnonzero(np.diff(ends))
    step = max(1, _ELEMENTS // draws)
    for post in some[np.argsort(-time[some], kind="stable")].tolist():
        absent = (counts[post] == 0).astype(np.float32)
        for start in range(ends[post], ends[post + 1], step):
            part = slice(start, min(start + step, ends[post + 1]))
            others = ~found.own[part]
            target, w = found.target[part][others], weight[part][others]
            share = worth[target]
            share /= total[target] + w[:, None] * absent
            result[post] += w @ share
        worth[post] *= 1 + np.float32(passing_on) * result[post]
    result *= original[:, None].astype(np.float32)
    places = np.empty((n, draws), dtype=np.int32)
    for k in range(draws):
        places[:, k] = ranks(result[:, k])
    low, high = np.quantile(places, [0.025, 0.975], axis=1, method="nearest")
    return low.astype(np.int64), high.astype(np.int64)


@dataclass(frozen=True)
class Variation:
    """One line of the table of sensitivity.

    Attributes:
        threshold: probability from which on posts match.
        decay_days: of the attribution.
        kept: share of the leading posts that lead here too.
        same_first: whether the first is the same.
        correlation: Spearman's, of the scores of all posts that have one here or there; NaN for fewer than three.
    """

    threshold: float
    decay_days: float
    kept: float
    same_first: bool
    correlation: float


def sensitivity(
    matches: Matches,
    time: Float64,
    settings: TraceSettings,
    thresholds: list[float],
    decays: list[float],
    score: Float64,
    cuts: list[float],
) -> list[Variation]:
    """The leading posts under other thresholds and decays.

    Args:
        matches: all with log-odds of the lowest cut or more.
        time: (n,) UTC seconds.
        settings: everything else.
        thresholds: probabilities to try.
        decays: days to try.
        score: (n,) as found under the settings.
        cuts: the thresholds as log-odds.
    """
    lines = []
    base = _leading(score, settings.top)
    for threshold, cut in zip(thresholds, cuts, strict=True):
        some = matches.take(matches.odds >= cut)
        some = replace(some, closeness=closeness(some.odds, settings.gamma))
        for decay in decays:
            found = attribute(some, time, innovation=settings.innovation, decay=decay)
            other = originality(found, some, len(time)) * influence(found, time, settings.passing_on)
            here = _leading(other, settings.top)
            lines.append(
                Variation(
                    threshold,
                    decay,
                    len(np.intersect1d(base, here)) / len(base) if len(base) else 1.0,
                    bool(np.array_equal(base[:1], here[:1])),
                    _spearman(score, other),
                )
            )
    return lines


def _leading(score: Float64, top: int) -> Int64:
    """Positions of the highest scores above 0, best first."""
    order = np.argsort(-score, kind="stable")[:top]
    return np.asarray(order[score[order] > 0])


def _spearman(a: Float64, b: Float64) -> float:
    """Spearman's rank correlation over what is above 0 in either."""
    some = (a > 0) | (b > 0)
    if some.sum() < 3:
        return float("nan")
    x, y = (_middle_ranks(values[some]) for values in (a, b))
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan")
    return float(np.corrcoef(x, y)[0, 1])


def _middle_ranks(values: NDArray[np.floating]) -> Float64:
    order = np.sort(values)
    return np.asarray((np.searchsorted(order, values) + np.searchsorted(order, values, side="right")) / 2)


def thresholds_around(threshold: float) -> tuple[list[float], list[float]]:
    """The threshold and those at a third and three times its odds, low to high: probabilities, and log-odds."""
    cuts = [float(np.log(threshold / (1 - threshold)) + step) for step in (-np.log(3), 0.0, np.log(3))]
    return [float(p) for p in sigmoid(np.array(cuts))], cuts
