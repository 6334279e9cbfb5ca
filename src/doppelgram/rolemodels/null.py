"""The permutation test: what is found beside what the same posts give with their times shuffled within each place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from doppelgram.rolemodels.attribution import Matches
from doppelgram.rolemodels.posts import DAY
from doppelgram.rolemodels.scoring import Bool, Float64, Int64
from doppelgram.rolemodels.settings import TraceSettings
from doppelgram.space.parallel import in_parallel

# Points of the curve; lags are spaced as squares, so that the first days, where followers are, have many.
POINTS = 40
# Matches from which on a shuffle takes longer than two threads take to get out of each other's way.
_WORTH_THREADS = 50_000


@dataclass(frozen=True)
class Evidence:
    """What was found beside what shuffled clocks gave; arrays (n,), one entry a post, unless said otherwise.

    Attributes:
        attributed: followers of each post, as the sum of the shares that others' posts attribute to it.
        expected: mean of the same over the shuffles.
        excess_low, excess_high: between these ``attributed`` less a shuffle's lies in 95 % of the shuffles.
        p_value: how often a shuffle gives as many, add-one; 1 where not tested.
        q_value: the same after Benjamini and Hochberg's correction for the posts tested.
        tested: whether any other author's post matches, so that there was something to test.
        group_excess: (groups,) attributed beyond the mean of the shuffles, summed over each group of posts.
        group_p, group_q: (groups,) p-value of that sum, and corrected for the number of groups.
        curve: all shares attributed within so many days, (POINTS,) rows: ``days``, ``observed``, and of the shuffles
            ``expected`` (mean), ``low`` and ``high`` (2.5 % and 97.5 %).
        overall, overall_expected, overall_p: sum of all shares, its mean over the shuffles, and its p-value: does
            anything follow anything?
    """

    attributed: Float64
    expected: Float64
    excess_low: Float64
    excess_high: Float64
    p_value: Float64
    q_value: Float64
    tested: Bool
    group_excess: Float64
    group_p: Float64
    group_q: Float64
    curve: pd.DataFrame
    overall: float
    overall_expected: float
    overall_p: float


def shuffled_clock(
    matches: Matches,
    time: Float64,
    place: Int64,
    groups: Int64,
    settings: TraceSettings,
    decay: float,
    progress: Callable[[int], None] | None = None,
) -> Evidence:
    """Compare the followers of each post with those it would have if times within its place meant nothing.

    Places are popular at different times, and so are posts of them; what of that is common to a place survives the
    shuffle. The statistic is continuous (shares, not counts), ties are broken at random and the observed clock counts
    as one of the draws (Phipson and Smyth, Permutation p-values should never be zero, Statistical Applications in
    Genetics and Molecular Biology 9, 2010), so that p-values are uniform where nobody follows anybody.

    A post that merely came first of m that match has by chance as many followers once in m shuffles, and so a p-value
    near 1 / m at best. An arrangement as a whole has no such bound (`Evidence.group_p`).

    Args:
        matches: who matches whom.
        time: (n,) UTC seconds.
        place: (n,) number of the place within which times are shuffled.
        groups: (n,) number of the arrangement, -1 for none.
        settings: number of shuffles, weight of innovation and seed.
        decay: in days; the one of the observed graph.
        progress: called with 1 after each shuffle.
    """
    n, draws = len(time), settings.draws
    span = max(float(np.ptp(time)) / DAY if n else 0.0, 1e-9)

    def followers(clock: Float64) -> tuple[Float64, Float64]:
        return _followers(matches, clock, decay, settings.innovation, span)

    observed, curve = followers(time)
    drawn = np.empty((draws, n), dtype=np.float32)
    curves = np.empty((draws, POINTS))
    order = np.argsort(place, kind="stable")
    blocks = place[order].astype(np.float64)

    def draw(number: int) -> None:
        rng = np.random.default_rng([settings.seed, 14, number])
        shuffled = np.empty_like(time)
        shuffled[order] = time[order[np.argsort(blocks + 0.999 * rng.random(n))]]
        drawn[number], curves[number] = followers(shuffled)
        if progress is not None:
            progress(1)

    if len(matches) < _WORTH_THREADS:
        for number in range(draws):
            draw(number)
    else:
        in_parallel(draw, range(draws))
    rng = np.random.default_rng([settings.seed, 15])
    tested = np.zeros(n, dtype=bool)
    tested[matches.left[~matches.same_author]] = True
    tested[matches.right[~matches.same_author]] = True
    p_value = add_one_p(observed.astype(np.float32), drawn, rng)
    p_value[~tested] = 1.0
    q_value = np.ones(n)
    q_value[tested] = _corrected(p_value[tested])
    group_excess, group_p = _by_group(observed, drawn, groups, rng)
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0) if n else np.empty((2, 0))
    curve_low, curve_high = np.quantile(curves, [0.025, 0.975], axis=0)
    days = span * (np.arange(1, POINTS + 1) / POINTS) ** 2
    return Evidence(
        attributed=observed,
        expected=drawn.mean(axis=0, dtype=np.float64),
        excess_low=observed - high,
        excess_high=observed - low,
        p_value=p_value,
        q_value=q_value,
        tested=tested,
        group_excess=group_excess,
        group_p=group_p,
        group_q=_corrected(group_p),
        curve=pd.DataFrame(
            {"days": days, "observed": curve, "expected": curves.mean(axis=0), "low": curve_low, "high": curve_high}
        ),
        overall=float(curve[-1]),
        overall_expected=float(curves[:, -1].mean()),
        overall_p=float(add_one_p(curve[-1:], curves[:, -1:], rng)[0]),
    )


def _corrected(p_value: Float64) -> Float64:
    """The false discovery rate at which each hypothesis would just be rejected (Benjamini and Hochberg 1995)."""
    from scipy.stats import false_discovery_control

    return np.asarray(false_discovery_control(p_value))


def _by_group(
    observed: Float64, drawn: NDArray[np.float32], groups: Int64, rng: np.random.Generator
) -> tuple[Float64, Float64]:
    """Excess and p-value of the sum over the posts of each group."""
    inside = np.flatnonzero(groups >= 0)
    count = int(groups.max(initial=-1)) + 1
    order = inside[np.argsort(groups[inside], kind="stable")]
    present, starts = np.unique(groups[order], return_index=True)
    excess, p_value = np.zeros(count), np.ones(count)
    if len(present):
        # The observed sums are made as the drawn ones are, or rounding would tell equal ones apart.
        sums = np.add.reduceat(observed.astype(np.float32)[order], starts)
        shuffled = np.add.reduceat(drawn[:, order], starts, axis=1)
        excess[present] = sums - shuffled.mean(axis=0)
        p_value[present] = add_one_p(sums, shuffled, rng)
    return excess, p_value


def _followers(
    matches: Matches, time: Float64, decay: float, innovation: float, span: float
) -> tuple[Float64, Float64]:
    """Shares that each post gets from others, (n,), and their sums up to each lag, (POINTS,); as `attribute` has it."""
    gap = (time[matches.right] - time[matches.left]) / DAY
    forward = gap > 0
    lag = np.abs(gap)
    weight = matches.closeness * np.exp(-lag / decay)
    weight[lag == 0] = 0.0
    source = np.where(forward, matches.left, matches.right)
    target = np.where(forward, matches.right, matches.left)
    weight /= (innovation + np.bincount(target, weight, len(time)))[target]
    weight[matches.same_author] = 0.0
    bins = np.minimum(POINTS * np.sqrt(lag / span), POINTS - 1).astype(np.int64)
    by_lag = np.bincount(bins, weight, POINTS).astype(np.float64)
    return np.bincount(source, weight, len(time)).astype(np.float64), np.cumsum(by_lag)


def add_one_p(observed: NDArray[np.floating], drawn: NDArray[np.floating], rng: np.random.Generator) -> Float64:
    """Share of draws (draws, n) as large as what was observed (n,), which counts as one of them; (n,).

    Ties are broken at random. The result is a multiple of 1 / (draws + 1).
    """
    greater = (drawn > observed).sum(axis=0)
    equal = (drawn == observed).sum(axis=0)
    return np.asarray((greater + 1 + rng.integers(0, equal + 1)) / (len(drawn) + 1), dtype=np.float64)
