"""How certain ranks are, and how they move with the settings."""

import numpy as np
import pytest

from doppelgram.rolemodels.attribution import attribute
from doppelgram.rolemodels.influence import influence, originality
from doppelgram.rolemodels.ranks import rank_intervals, ranks, thresholds_around
from doppelgram.rolemodels.settings import TraceSettings
from doppelgram.rolemodels.trace import group_posts
from doppelgram.rolemodels.validation.simulate import WorldSettings, simulate
from helpers.made_up_posts import SPACE, posts, vectors


def test_ranks():
    """Equal scores share the better rank."""
    assert ranks(np.array([0.0, 3.0, 1.0, 0.0, 3.0])).tolist() == [4, 1, 3, 4, 1]


def test_without_samples_the_interval_is_the_rank():
    groups, time = prepared()
    found = attribute(groups, time, innovation=0.2, decay=30.0)
    original = originality(found, groups, len(time))
    low, high = rank_intervals(found, time, original, TraceSettings(bootstraps=0))
    expected = ranks(original * influence(found, time, 0.8))
    assert (low == expected).all()
    assert (high == expected).all()


def prepared():
    table = posts([float(k) for k in range(25)])
    groups = group_posts(table, vectors([(0, 0)] * 15 + [(1, 1)] * 10, noise=0.1), SPACE, 0.5, TraceSettings())
    return groups.matches, table.timestamp


def test_bootstrap_in_one_pass_is_the_bootstrap(monkeypatch: pytest.MonkeyPatch):
    """Samples drawn by counts give the influence that tracing the drawn posts one by one gives."""
    matches, time = prepared()
    found = attribute(matches, time, innovation=0.2, decay=30.0)
    n, draws = len(time), 6
    original = np.ones(n)
    seen: list[np.ndarray] = []
    monkeypatch.setattr("doppelgram.rolemodels.ranks.ranks", lambda score: (seen.append(score.copy()), ranks(score))[1])
    rank_intervals(found, time, original, TraceSettings(bootstraps=draws, seed=3))
    counts = np.random.default_rng([3, 16]).poisson(1.0, size=(n, draws))
    weight = np.zeros((n, n))
    weight[found.source, found.target] = found.weight
    for draw in range(draws):
        m = counts[:, draw]
        reach = np.zeros(n)
        for i in reversed(range(n)):
            for j in range(i + 1, n):
                total = 0.2 + (m * weight[:, j]).sum() + (weight[i, j] if m[i] == 0 else 0)
                reach[i] += m[j] * weight[i, j] / total * (1 + 0.8 * reach[j])
        np.testing.assert_allclose(seen[draw], reach, rtol=1e-4)


def test_clear_leaders_are_certain():
    """The first of a large arrangement stays in front; a post in the crowd does not know its rank."""
    from doppelgram.rolemodels.trace import trace_posts

    world = simulate(WorldSettings(posts=300, places=4), seed=0)
    found = trace_posts(world.posts, world.vectors, world.space, TraceSettings(draws=19, bootstraps=60))
    table = found.role_models
    assert table["rank_low"].iloc[0] == 1
    assert table["rank_high"].iloc[0] < len(table) / 10
    width = (table["rank_high"] - table["rank_low"]).astype(float)
    assert width.iloc[:3].mean() < width.iloc[40:80].mean()
    assert found.robustness["kept"].between(0, 1).all()
    assert len(found.robustness) == 9
    assert set(np.round(found.robustness["decay_days"] / found.decay_days, 6)) == {0.5, 1, 2}


def test_thresholds_around():
    """A third and three times the odds."""
    cuts = thresholds_around(0.5)
    np.testing.assert_allclose(list(cuts), [0.25, 0.5, 0.75])
    np.testing.assert_allclose(list(cuts.values()), [-np.log(3), 0, np.log(3)])
