"""Followers beside what the same posts give with their times shuffled within each place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from doppelgram.rolemodels.attribution import Matches
from doppelgram.rolemodels.posts import DAY
from doppelgram.rolemodels.scoring import Float64, Int64
from doppelgram.rolemodels.settings import TraceSettings
from doppelgram.space.parallel import in_parallel

# Points of the curve; lags are spaced as squares, so that the first days, where followers are, have many.
POINTS = 40
# Matches from which on a shuffle takes longer than two threads take to get out of each other's way.
_WORTH_THREADS = 50_000
# Posts of which quantiles are taken at a time.
_POSTS = 50_000


@dataclass(frozen=True)
class Evidence:
    """What was found beside what shuffled clocks gave; arrays (n,), one entry a post, unless said otherwise.

    Attributes:
        attributed: followers of each post, as the sum of the shares that others' posts attribute to it.
        expected: mean of the same over the shuffles.
        excess_low, excess_high: between these ``attributed`` less a shuffle's lies in 95 % of the shuffles.
        curve: all shares attributed within so many days, (POINTS,) rows: ``days``, ``observed``, and of the shuffles
            ``expected`` (mean), ``low`` and ``high`` (2.5 % and 97.5 %).
        overall, overall_expected, overall_p: sum of all shares, its mean over the shuffles, and its p-value: does
            anything follow anything?
    """

    attributed: Float64
    expected: Float64
    excess_low: Float64
    excess_high: Float64
    curve: pd.DataFrame
    overall: float
    overall_expected: float
    overall_p: float


@dataclass(frozen=True)
class Shuffles:
    """Followers of each post, (n,), and all up to each lag, (POINTS,); the same in each shuffle, (draws, ...)."""

    observed: Float64
    curve: Float64
    drawn: NDArray[np.float32]
    curves: Float64
    span: float


def shuffled_clock(
    matches: Matches,
    time: Float64,
    place: Int64,
    settings: TraceSettings,
    decay: float,
    progress: Callable[[int], None] | None = None,
) -> Evidence:
    """Compare the followers of each post with those it would have if times within its place meant nothing.

    Places are popular at different times, and so are posts of them; what of that is common to a place survives the
    shuffle. How many followers more than that a post has is an effect and its interval, not a test: a post that merely
    came first of m that match has by chance as many once in m shuffles. Tests are `spread.spread`'s.

    Args:
        matches: who matches whom.
        time: (n,) UTC seconds.
        place: (n,) number of the place within which times are shuffled.
        settings: number of shuffles, weight of innovation and seed.
        decay: in days; the one of the observed graph.
        progress: called with 1 after each shuffle.
    """
    found = shuffle_followers(matches, time, place, settings, decay, progress)
    rng = np.random.default_rng([settings.seed, 15])
    low, high = np.empty((2, len(time)))
    for start in range(0, len(time), _POSTS):  # what is sorted is a copy
        part = slice(start, start + _POSTS)
        low[part], high[part] = np.quantile(found.drawn[:, part], [0.025, 0.975], axis=0)
    curve_low, curve_high = np.quantile(found.curves, [0.025, 0.975], axis=0)
    days = found.span * (np.arange(1, POINTS + 1) / POINTS) ** 2
    means = {"observed": found.curve, "expected": found.curves.mean(axis=0), "low": curve_low, "high": curve_high}
    return Evidence(
        attributed=found.observed,
        expected=found.drawn.mean(axis=0, dtype=np.float64),
        excess_low=found.observed - high,
        excess_high=found.observed - low,
        curve=pd.DataFrame({"days": days, **means}),
        overall=float(found.curve[-1]),
        overall_expected=float(found.curves[:, -1].mean()),
        overall_p=float(add_one_p(found.curve[-1:], found.curves[:, -1:], rng)[0]),
    )


def shuffle_followers(
    matches: Matches,
    time: Float64,
    place: Int64,
    settings: TraceSettings,
    decay: float,
    progress: Callable[[int], None] | None = None,
) -> Shuffles:
    """Shuffle the clock ``settings.draws`` times and count followers again; arguments as for `shuffled_clock`."""
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
    return Shuffles(observed, curve, drawn, curves, span)


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
