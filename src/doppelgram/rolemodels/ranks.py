"""How certain a rank is, and what it owes to the settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from doppelgram.rolemodels.attribution import Attribution, Matches, attribute, closeness
from doppelgram.rolemodels.influence import influence, originality
from doppelgram.rolemodels.scoring import Float64, Int64, logit, sigmoid
from doppelgram.rolemodels.settings import TraceSettings

# Elements of one post's block of edges by draws; longer lists of followers are added up piece by piece.
_ELEMENTS = 2_000_000


def ranks(score: NDArray[np.floating[Any]]) -> Int64:
    """Rank of each score, 1 for the highest; equal scores share the better rank, (n,)."""
    return np.asarray(1 + len(score) - np.searchsorted(np.sort(score), score, side="right"), dtype=np.int64)


def rank_intervals(
    graph: Attribution, time: Float64, original: Float64, settings: TraceSettings
) -> tuple[Int64, Int64]:
    """Between which ranks each post lies in 95 % of bootstrap samples of the posts, (n,) each.

    Posts are drawn again with independent Poisson(1) counts (Owen and Eckles, Annals of Applied Statistics 6, 2012).
    Both the followers and the rivals of a post change with that; the post itself is always kept, or it would have no
    rank, and its originality, ``original`` (n,), stays as found. One pass backwards in time gives the influence in all
    samples. Without samples (``settings.bootstraps`` is 0) both ranks are the rank itself.
    """
    from scipy.sparse import csr_array

    n, draws = len(time), settings.bootstraps
    if not draws or not n:
        rank = ranks(original * influence(graph, time, settings.damping))
        return rank, rank
    rng = np.random.default_rng([settings.seed, 16])
    step = max(1, _ELEMENTS // draws)
    counts = np.empty((n, draws), dtype=np.float32)
    for start in range(0, n, step):  # the numbers that one call gives, without all of them in 64 bits as well
        counts[start : start + step] = rng.poisson(1.0, size=(min(step, n - start), draws))
    ends = np.searchsorted(graph.source, np.arange(n + 1))
    weight = graph.weight.astype(np.float32)
    total = csr_array((weight, graph.target, ends), shape=(n, n)).T @ counts + np.float32(settings.innovation)
    result = np.zeros((n, draws), dtype=np.float32)
    worth = counts.copy()  # what following counts for: how often the follower was drawn, and what it passes on
    followed = np.flatnonzero(np.diff(ends))
    for post in followed[np.argsort(-time[followed], kind="stable")].tolist():
        absent = (counts[post] == 0).astype(np.float32)
        for start in range(ends[post], ends[post + 1], step):
            part = slice(start, min(start + step, ends[post + 1]))
            others = ~graph.same_author[part]
            target, w = graph.target[part][others], weight[part][others]
            share = worth[target]
            share /= total[target] + w[:, None] * absent
            result[post] += w @ share
        worth[post] *= 1 + np.float32(settings.damping) * result[post]
    del counts, total, worth
    result *= original[:, None].astype(np.float32)
    drawn = np.empty((n, draws), dtype=np.int32)
    for k in range(draws):
        drawn[:, k] = ranks(result[:, k])
    del result
    low, high = np.empty((2, n), dtype=np.int64)
    for start in range(0, n, step):
        part = slice(start, start + step)
        low[part], high[part] = np.quantile(drawn[part], [0.025, 0.975], axis=1, method="nearest")
    return low, high


def sensitivity(
    matches: Matches,
    time: Float64,
    score: Float64,
    settings: TraceSettings,
    thresholds: Mapping[float, float],
    decays: Sequence[float],
) -> pd.DataFrame:
    """The leading posts under other thresholds and decays, a row each; see `RoleModels.robustness`.

    ``kept`` is the share of the leading posts that lead here too, ``same_first`` whether the first is the same, and
    ``correlation`` Spearman's of the scores of all posts that have one here or there, NaN for fewer than three.

    Args:
        matches: all with log-odds of the lowest threshold or more.
        time: (n,) UTC seconds.
        score: (n,) as found under the settings.
        settings: everything else.
        thresholds: probabilities to try, with their log-odds.
        decays: days to try.
    """
    lines = []
    base = _leading(score, settings.top)
    for threshold, cut in thresholds.items():
        matching = matches.take(matches.odds >= cut)
        matching = replace(matching, closeness=closeness(matching.odds, settings.gamma))
        for decay in decays:
            graph = attribute(matching, time, innovation=settings.innovation, decay=decay)
            other = originality(graph, matching, len(time)) * influence(graph, time, settings.damping)
            here = _leading(other, settings.top)
            kept = len(np.intersect1d(base, here)) / len(base) if len(base) else 1.0
            same_first = bool(np.array_equal(base[:1], here[:1]))
            lines.append([threshold, decay, kept, same_first, _spearman(score, other)])
    return pd.DataFrame(lines, columns=["threshold", "decay_days", "kept", "same_first", "correlation"])


def _leading(score: Float64, top: int) -> Int64:
    """Positions of the highest scores above 0, best first."""
    order = np.argsort(-score, kind="stable")[:top]
    return np.asarray(order[score[order] > 0])


def _spearman(a: Float64, b: Float64) -> float:
    """Spearman's rank correlation over what is above 0 in either."""
    from scipy.stats import spearmanr

    some = (a > 0) | (b > 0)
    if some.sum() < 3 or np.ptp(a[some]) == 0 or np.ptp(b[some]) == 0:
        return float("nan")
    return float(spearmanr(a[some], b[some]).statistic)


def thresholds_around(threshold: float) -> dict[float, float]:
    """A third of the threshold's odds, itself, and three times its odds: probabilities with their log-odds."""
    low, high = (float(np.log(threshold / (1 - threshold)) + step) for step in (-np.log(3), np.log(3)))
    below, above = (float(p) for p in sigmoid(np.array([low, high])))
    return {below: low, threshold: logit(threshold), above: high}
