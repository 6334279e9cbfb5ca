"""The shuffled clock: what it leaves of followers, beside what was attributed."""

import numpy as np
import pytest

from doppelgram.rolemodels.attribution import Matches, attribute, closeness
from doppelgram.rolemodels.null import add_one_p, shuffled_clock
from doppelgram.rolemodels.posts import DAY
from doppelgram.rolemodels.settings import TraceSettings
from doppelgram.rolemodels.trace import trace_posts
from doppelgram.rolemodels.validation.simulate import WorldSettings, simulate


def made_up(n: int = 40, m: int = 200, seed: int = 0) -> tuple[Matches, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    pairs = np.unique(np.sort(rng.integers(0, n, (m, 2)), axis=1), axis=0)
    left, right = pairs[pairs[:, 0] < pairs[:, 1]].T
    odds = rng.normal(2, 2, len(left))
    half = np.full(len(left), 0.5)
    matches = Matches(left, right, odds, half, half, rng.random(len(left)) < 0.1, closeness(odds, 0.5))
    return matches, np.round(rng.uniform(0, 300, n) * DAY), rng.integers(0, 3, n)


def test_observed_is_the_attribution():
    """What is compared with the shuffles is what the graph attributes, its curve and its sums included."""
    matches, time, place = made_up()
    found = attribute(matches, time, innovation=0.2, decay=40.0)
    evidence = shuffled_clock(matches, time, place, TraceSettings(draws=50), 40.0)
    given = np.where(found.same_author, 0, found.share)
    np.testing.assert_allclose(evidence.attributed, np.bincount(found.source, given, len(time)))
    for days, value in zip(evidence.curve.days, evidence.curve.observed, strict=True):
        assert value == pytest.approx(given[found.lag < days * (1 + 1e-9)].sum(), abs=1e-6)
    assert evidence.overall == pytest.approx(given.sum())


def test_times_stay_within_their_place():
    """With every post in a place of its own nothing moves, and every shuffle gives what was observed."""
    matches, time, _ = made_up()
    alone = np.arange(len(time))
    evidence = shuffled_clock(matches, time, alone, TraceSettings(draws=30), 40.0)
    np.testing.assert_allclose(evidence.expected, evidence.attributed, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(evidence.excess_low, 0, atol=1e-5)


def test_add_one_and_ties():
    """The observed value counts as a draw; ties are broken at random, evenly."""
    rng = np.random.default_rng(0)
    drawn = np.array([[0.0, 5.0, 1.0], [2.0, 4.0, 1.0], [1.0, 3.0, 1.0]])
    p = np.array([add_one_p(np.array([3.0, 1.0, 1.0]), drawn, rng) for _ in range(400)])
    assert set(p[:, 0]) == {0.25}
    assert set(p[:, 1]) == {1.0}
    values, counts = np.unique(p[:, 2], return_counts=True)
    assert values.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert counts.min() > 60


def test_copying_is_seen():
    """Where people do repeat each other, more is attributed than shuffled clocks explain, and at short lags."""
    world = simulate(WorldSettings(posts=300, places=4), seed=0)
    found = trace_posts(world.posts, world.vectors, world.space, TraceSettings(draws=199, bootstraps=0))
    assert found.overall["p_value"] == 1 / 200
    assert found.overall["attributed"] > found.overall["expected"]
    early = found.curve[(found.curve["days"] > 15) & (found.curve["days"] < 150)]
    assert (early["observed"] > early["high"]).all()
    large = found.arrangements[found.arrangements["posts"] >= 8]
    assert (large["spread_q"] <= 0.05).mean() > 0.6


def test_draws_do_not_depend_on_threads():
    """Each shuffle has a seed of its own."""
    matches, time, place = made_up()
    settings = TraceSettings(draws=60, seed=5)
    a, b = (shuffled_clock(matches, time, place, settings, 40.0) for _ in range(2))
    np.testing.assert_array_equal(a.expected, b.expected)
    np.testing.assert_array_equal(a.excess_low, b.excess_low)
