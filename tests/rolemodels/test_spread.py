"""The test of an arrangement: its statistic against loops, its p-values where nobody follows anybody."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.stats import chi2

from doppelgram.rolemodels import spread as tested
from doppelgram.rolemodels.multiplicity import adaptive_q, corrected
from doppelgram.rolemodels.posts import DAY
from doppelgram.rolemodels.settings import TraceSettings
from doppelgram.rolemodels.spread import Arrangement, Shuffling, first_posts, p_values, shuffled, spread, statistic
from doppelgram.rolemodels.trace import trace_posts
from doppelgram.rolemodels.validation.simulate import WorldSettings, simulate, without_copying


def made_up(m: int = 7, n: int = 30, seed: int = 0) -> Arrangement:
    rng = np.random.default_rng(seed)
    closeness = np.exp(rng.normal(size=(m, m)))
    pool = np.sort(rng.uniform(0, 900, n))
    return Arrangement(rng.choice(pool, m, replace=False), (closeness + closeness.T) / 2, pool)


def slow_statistic(world: Arrangement, time: np.ndarray, decay: float) -> float:
    steps = 0.0
    for j in range(len(time)):
        near = total = 0.0
        for i in range(len(time)):
            if time[i] < time[j]:
                weight = np.exp(-(time[j] - time[i]) / decay)
                near, total = near + weight * world.closeness[i, j], total + weight
        steps += np.log(tested.NOBODY + (1 - tested.NOBODY) * (near / total if total else 1.0))
    first, second = np.sort(time)[:2]
    n, m = len(world.pool), len(time)
    n1, n2 = (world.pool >= first).sum(), (world.pool >= second).sum()
    start = (1 - tested.STRAY) * (n / n1) ** (m - 1) + tested.STRAY * (n / n2) ** (m - 2)
    return float(steps + tested.START * np.log(start))


@pytest.mark.parametrize("decay", [3.0, 150.0])
def test_statistic_is_the_documented_formula(decay: float) -> None:
    world = made_up()
    clocks = shuffled(world, 20, np.random.default_rng(1))
    clocks[3, 2] = clocks[3, 5]  # neither precedes the other
    expected = [slow_statistic(world, clock, decay) for clock in clocks]
    np.testing.assert_allclose(statistic(world, clocks, decay), expected, rtol=1e-9)


def test_a_very_long_pool_does_not_overflow() -> None:
    world = made_up()
    far = Arrangement(world.time * 1e4, world.closeness, world.pool * 1e4)
    assert np.isfinite(statistic(far, far.time[None], 1.0)).all()


@pytest.mark.parametrize(("m", "n"), [(4, 60), (12, 20), (6, 6)])
def test_shuffles_deal_every_time_evenly(m: int, n: int) -> None:
    world = Arrangement(np.arange(float(m)), np.ones((m, m)), np.arange(float(n)))
    clocks = shuffled(world, 6000, np.random.default_rng(0))
    assert all(len(set(clock)) == m for clock in clocks.tolist())
    for column in clocks.T:
        counts = np.bincount(column.astype(int), minlength=n)
        assert np.abs(counts - 6000 / n).max() < 5 * np.sqrt(6000 / n)


def test_first_posts_of_authors_against_a_loop() -> None:
    rng = np.random.default_rng(0)
    groups, author, time = rng.integers(-1, 3, 60), rng.integers(0, 8, 60), rng.permutation(60).astype(float)
    expected = [
        k
        for k in range(60)
        if groups[k] < 0
        or not any(groups[i] == groups[k] and author[i] == author[k] and time[i] < time[k] for i in range(60))
    ]
    assert first_posts(groups, time, author).tolist() == expected


def test_corrections_are_the_textbook_steps() -> None:
    p = np.random.default_rng(0).uniform(size=40) ** 3
    steps = [p[j] * len(p) / (p <= p[j]).sum() for j in range(len(p))]
    expected = np.array([min(1.0, *(s for s, o in zip(steps, p, strict=True) if o >= one), 1.0) for one in p])
    np.testing.assert_allclose(corrected(p), expected)
    share = min(1.0, (1 + (p > 0.5).sum()) / 20)
    assert share < 1
    np.testing.assert_allclose(adaptive_q(p), np.maximum(p, share * expected))
    noise = np.array([0.001, *np.linspace(0.3, 1, 19)])  # one small p-value among many large ones proves nothing
    together = chi2.sf(sum(-2 * np.log(one) for one in noise), 40)
    assert adaptive_q(noise).min() == pytest.approx(together)
    assert len(adaptive_q(np.empty(0))) == 0


def slow_p_value(world: Arrangement, seed: list[int], most: int) -> tuple[float, int]:
    rng = np.random.default_rng(seed)
    clocks = shuffled(world, most, rng)  # fits in one block
    observed, reached = slow_statistic(world, world.time, 100.0), 0
    for draws, clock in enumerate(clocks, start=1):
        reached += slow_statistic(world, clock, 100.0) >= observed - 1e-9
        if reached == tested.ENOUGH:
            return reached / draws, draws
    return (reached + 1) / (most + 1), most


def test_p_values_against_a_loop() -> None:
    worlds, settings = [made_up(seed=seed) for seed in range(4)], TraceSettings(permutations=300, seed=5)
    expected = [slow_p_value(world, [5, 22, number], 300) for number, world in enumerate(worlds)]
    found = p_values(worlds, np.full(4, 100.0), settings)
    assert list(zip(*(column.tolist() for column in found), strict=True)) == expected
    assert len({draws for _, draws in expected}) > 1  # some end early, some do not


def test_sequential_p_values_agree_with_all_shuffles() -> None:
    """Ending early changes the precision and not the answer; no p-value is 0."""
    for seed in range(5):
        world = made_up(seed=seed)
        drawn = statistic(world, shuffled(world, 20_000, np.random.default_rng(9)), 100.0)
        whole = (drawn >= statistic(world, world.time[None], 100.0)).mean()
        test = Shuffling(world, 100.0, np.random.default_rng(seed))
        test.shuffle(10_000)
        assert test.p_value == pytest.approx(whole, abs=4 * np.sqrt(whole * (1 - whole) / test.draws) + 2e-3)
        assert 1 / 10_001 <= test.p_value <= 1
        assert test.draws <= 10_000


def orderly(seed: int, m: int = 8, n: int = 60) -> Arrangement:
    """Each post is close to the one before it."""
    rng = np.random.default_rng(seed)
    pool = np.sort(rng.uniform(0, 900, n))
    step = np.abs(np.subtract.outer(np.arange(m), np.arange(m)))
    return Arrangement(pool[np.sort(rng.choice(n, m, replace=False))], np.where(step == 1, 30.0, 0.5), pool)


def test_clear_answers_end_early_and_stay_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where time is short the same arrangements are called, from a tenth of the shuffles."""
    worlds = [orderly(seed) if seed % 2 else made_up(8, 60, seed) for seed in range(80)]
    decays, settings = np.full(80, 100.0), TraceSettings(permutations=10_000)
    whole, all_draws = p_values(worlds, decays, settings)
    monkeypatch.setattr(tested, "BUDGET", 20e6)
    short, draws = p_values(worlds, decays, settings)
    q, called = adaptive_q(whole), adaptive_q(short) <= 0.05
    assert called[q < 0.03].all()
    assert not called[q > 0.08].any()
    clear = draws == tested.FIRST
    assert clear.sum() >= 30
    assert (whole[clear] <= 0.01).all()
    error = np.sqrt(whole * (1 - whole) * (1 / draws + 1 / all_draws))
    assert (np.abs(short - whole) <= 5 * error + 2e-3).all()
    assert draws.sum() < all_draws.sum() / 5
    assert (draws * 64).sum() <= 20e6


def test_uniform_where_nobody_follows() -> None:
    """Kolmogorov and Smirnov find nothing in the p-values of poses that have nothing to do with times."""
    from scipy.stats import kstest

    rng = np.random.default_rng(0)
    p = []
    for seed in range(150):
        m, n = int(rng.integers(5, 12)), 40
        points = rng.normal(size=(n, 8))
        groups = np.where(np.arange(n) < m, 0, -1)

        def distance(left: np.ndarray, right: np.ndarray, points: np.ndarray = points) -> np.ndarray:
            return np.asarray(np.linalg.norm(points[left] - points[right], axis=1))

        found = spread(
            groups,
            rng.uniform(0, 500, n) * DAY,
            np.arange(n),
            np.zeros(n, dtype=np.int64),
            distance,
            TraceSettings(permutations=199, seed=seed),
        )
        p.append(float(found.p_value[0]))
    assert kstest(p, "uniform").pvalue > 0.05


@pytest.mark.slow
def test_nothing_is_claimed_of_worlds_without_copying() -> None:
    from scipy.stats import kstest

    p, claims = [], 0
    for seed in range(12):
        world = simulate(without_copying(WorldSettings(posts=150, places=3, poses=3)), seed=seed)
        found = trace_posts(world.posts, world.vectors, world.space, TraceSettings(permutations=999, bootstraps=0))
        p += found.arrangements["spread_p"].dropna().tolist()
        claims += found.counts["spread"] > 0
    assert len(p) > 80
    assert kstest(p, "uniform").pvalue > 0.01
    assert claims <= 2


def test_too_few_authors_are_not_tested() -> None:
    n = 12
    found = spread(
        np.array([0] * 4 + [1] * 8),
        np.arange(n) * DAY,
        np.array([0, 1, 2, 3, 5, 5, 5, 5, 6, 6, 7, 8]),
        np.zeros(n, dtype=np.int64),
        lambda left, right: np.abs(left - right).astype(float),
        TraceSettings(),
    )
    assert found.authors.tolist() == [4, 4]
    assert not found.tested.any()
    assert found.p_value.tolist() == found.q_value.tolist() == [1, 1]


def test_one_author_repeating_a_pose_is_no_evidence() -> None:
    """A burst of one author's near-identical posts counts once, so that the others decide."""
    rng = np.random.default_rng(3)
    points = np.concatenate([rng.normal(size=(8, 6)), np.tile(rng.normal(size=(1, 6)), (20, 1))])
    time = np.concatenate([rng.uniform(0, 400, 8), 100 + np.arange(20) / 24]) * DAY
    author = np.concatenate([np.arange(8), np.full(20, 8)])
    found = spread(
        np.zeros(28, dtype=np.int64),
        time,
        author,
        np.zeros(28, dtype=np.int64),
        lambda left, right: np.asarray(np.linalg.norm(points[left] - points[right], axis=1)),
        TraceSettings(permutations=499),
    )
    assert found.authors.tolist() == [9]
    assert found.p_value[0] > 0.05


def test_same_seed_same_answer_whatever_the_budget_of_time() -> None:
    world = simulate(WorldSettings(posts=150, places=3, poses=3), seed=1)
    settings = TraceSettings(permutations=299, draws=19, bootstraps=0)
    first, second = (trace_posts(world.posts, world.vectors, world.space, settings) for _ in range(2))
    assert first.arrangements["spread_p"].equals(second.arrangements["spread_p"])
    other = trace_posts(world.posts, world.vectors, world.space, dataclasses.replace(settings, seed=5))
    assert not other.arrangements["spread_p"].equals(first.arrangements["spread_p"])
