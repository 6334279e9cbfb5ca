"""The shuffled clock: uniform where nobody follows, small where somebody does."""

import dataclasses

import numpy as np
import pytest

from doppelgram.rolemodels.attribution import Matches, attribute, closeness
from doppelgram.rolemodels.null import add_one_p, shuffled_clock
from doppelgram.rolemodels.posts import DAY
from doppelgram.rolemodels.settings import TraceSettings
from doppelgram.rolemodels.trace import trace_posts
from doppelgram.rolemodels.validation.simulate import WorldSettings, simulate, without_copying


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
    groups = np.arange(len(time)) % 4 - 1
    evidence = shuffled_clock(matches, time, place, groups, TraceSettings(draws=50), 40.0)
    given = np.where(found.same_author, 0, found.share)
    np.testing.assert_allclose(evidence.attributed, np.bincount(found.source, given, len(time)))
    for days, value in zip(evidence.curve.days, evidence.curve.observed, strict=True):
        assert value == pytest.approx(given[found.lag < days * (1 + 1e-9)].sum(), abs=1e-6)
    assert evidence.overall == pytest.approx(given.sum())
    total = (evidence.attributed - evidence.expected)[groups == 1].sum()
    assert evidence.group_excess[1] == pytest.approx(total, abs=1e-4)


def test_times_stay_within_their_place():
    """With every post in a place of its own nothing moves, and every shuffle gives what was observed."""
    matches, time, _ = made_up()
    alone = np.arange(len(time))
    evidence = shuffled_clock(matches, time, alone, alone, TraceSettings(draws=30), 40.0)
    np.testing.assert_allclose(evidence.expected, evidence.attributed, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(evidence.excess_low, 0, atol=1e-5)
    assert evidence.p_value.min() >= 1 / 31


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


def test_benjamini_hochberg():
    """q-values are the textbook steps over the posts tested, against a loop; nothing passes 1."""
    matches, time, place = made_up(n=60, m=60)
    evidence = shuffled_clock(matches, time, place, np.full(60, -1), TraceSettings(draws=30), 40.0)
    p = evidence.p_value[evidence.tested]
    assert 5 < len(p) < 60
    steps = [p[j] * len(p) / (p <= p[j]).sum() for j in range(len(p))]
    expected = [min([1.0, *(step for step, other in zip(steps, p, strict=True) if other >= one)]) for one in p]
    np.testing.assert_allclose(evidence.q_value[evidence.tested], expected)
    assert (evidence.q_value[~evidence.tested] == 1).all()
    assert evidence.group_q.shape == (0,)


@pytest.mark.slow
def test_uniform_without_copying():
    """Kolmogorov and Smirnov find nothing in the p-values of worlds in which nobody looks at anybody's posts.

    Posts of a world are not independent, which the test assumes; so one post of each of many small worlds is taken.
    """
    from scipy.stats import kstest

    rng = np.random.default_rng(0)
    small = without_copying(WorldSettings(posts=60, places=2, poses=2))
    worlds = [simulate(small, seed=seed) for seed in range(4)]
    p, spread = [], []
    for seed in range(60):
        # New times for the same vectors: simulating these takes longer than tracing them.
        world = worlds[seed % 4]
        time = world.posts.timestamp.min() + np.floor(rng.uniform(0, 1000, len(world.time)) * DAY)
        table = dataclasses.replace(world.posts, timestamp=time)
        found = trace_posts(table, world.vectors, world.space, TraceSettings(draws=99, bootstraps=0, seed=seed))
        tested = found.role_models[found.role_models["place_score"].notna()]
        p.append(float(rng.choice(tested["p_value"])))
        spread.append(float(rng.choice(found.arrangements["spread_p"])))
    assert kstest(p, "uniform").pvalue > 0.01
    assert kstest(spread, "uniform").pvalue > 0.01


def test_copying_is_seen():
    """Where people do repeat each other, more is attributed than shuffled clocks explain, and at short lags."""
    world = simulate(WorldSettings(posts=300, places=4), seed=0)
    found = trace_posts(world.posts, world.vectors, world.space, TraceSettings(draws=199, bootstraps=0))
    assert found.overall["p_value"] == 1 / 200
    assert found.overall["attributed"] > found.overall["expected"]
    early = found.curve[(found.curve["days"] > 15) & (found.curve["days"] < 150)]
    assert (early["observed"] > early["high"]).all()
    large = found.arrangements[found.arrangements["posts"] >= 8]
    assert (large["spread_p"] < 0.05).mean() > 0.25
    assert (large["p_value"] < 0.05).mean() > 0.25


def test_draws_do_not_depend_on_threads():
    """Each shuffle has a seed of its own."""
    matches, time, place = made_up()
    none = np.full(len(time), -1)
    settings = TraceSettings(draws=60, seed=5)
    a, b = (shuffled_clock(matches, time, place, none, settings, 40.0) for _ in range(2))
    np.testing.assert_array_equal(a.p_value, b.p_value)
    assert len(a.group_p) == 0
