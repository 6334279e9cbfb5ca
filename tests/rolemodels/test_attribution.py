"""Shares, influence and trees against the formulas written out in loops."""

import numpy as np
import pytest

from doppelgram.rolemodels.attribution import Matches, attribute, closeness, fitted_decay
from doppelgram.rolemodels.influence import half_lives, influence, originality, trees
from doppelgram.rolemodels.posts import DAY


def made_up(n: int = 30, m: int = 150, seed: int = 0) -> tuple[Matches, np.ndarray]:
    rng = np.random.default_rng(seed)
    pairs = np.unique(np.sort(rng.integers(0, n, (m, 2)), axis=1), axis=0)
    left, right = pairs[pairs[:, 0] < pairs[:, 1]].T
    odds = rng.normal(2, 2, len(left))
    half = np.full(len(left), 0.5)
    matches = Matches(left, right, odds, half, half, rng.random(len(left)) < 0.1, closeness(odds, 0.5))
    time = np.round(rng.uniform(0, 300, n) * DAY)
    time[3] = time[4]
    return matches, time


def naive(matches: Matches, time: np.ndarray, innovation: float, decay: float, damping: float):
    n = len(time)
    weight = np.zeros((n, n))
    own = np.zeros((n, n), dtype=bool)
    for k in range(len(matches)):
        i, j = int(matches.left[k]), int(matches.right[k])
        if time[i] == time[j]:
            continue
        if time[i] > time[j]:
            i, j = j, i
        weight[i, j] = matches.closeness[k] * np.exp(-(time[j] - time[i]) / DAY / decay)
        own[i, j] = matches.same_author[k]
    share = weight / (innovation + weight.sum(axis=0))
    given = np.where(own, 0, share)
    reach = np.zeros(n)
    for i in np.argsort(-time, kind="stable"):
        reach[i] = sum(given[i, j] * (1 + damping * reach[j]) for j in range(n))
    return share, given, reach


def test_shares_and_influence_by_the_formula():
    """Shares, what is left for nobody, and influence are those of the formulas; ties in time give no edge."""
    matches, time = made_up()
    found = attribute(matches, time, innovation=0.2, decay=40.0)
    share, _, reach = naive(matches, time, 0.2, 40.0, 0.8)
    for source, target, value in zip(found.source, found.target, found.share, strict=True):
        assert value == pytest.approx(share[source, target])
    assert len(found.share) == (share > 0).sum()
    np.testing.assert_allclose(found.nobody, 1 - share.sum(axis=0))
    np.testing.assert_allclose(influence(found, time, 0.8), reach)


def test_influence_counts_every_follower_once_without_nobody():
    """If all is passed on and nobody invents, the first of a chain has all others below it."""
    pairs = np.arange(4)
    matches = Matches(pairs, pairs + 1, np.zeros(4), np.zeros(4), np.zeros(4), np.zeros(4, dtype=bool), np.ones(4))
    time = DAY * np.arange(5.0)
    found = attribute(matches, time, innovation=1e-12, decay=1.0)
    np.testing.assert_allclose(influence(found, time, 1 - 1e-12), [4, 3, 2, 1, 0], atol=1e-6)


def test_originality():
    """One less the likeliest earlier match, an own one included."""
    matches, time = made_up()
    found = attribute(matches, time, innovation=0.2, decay=40.0)
    result = originality(found, matches, len(time))
    for post in range(len(time)):
        best = 0.0
        for k in range(len(matches)):
            ends = (int(matches.left[k]), int(matches.right[k]))
            if post in ends and time[sum(ends) - post] < time[post]:
                best = max(best, 1 / (1 + np.exp(-matches.odds[k])))
        assert result[post] == pytest.approx(1 - best)


def test_trees():
    """Parents are the largest share unless nobody's is; everything below a post is counted."""
    matches, time = made_up()
    found = attribute(matches, time, innovation=0.2, decay=40.0)
    _, given, _ = naive(matches, time, 0.2, 40.0, 0.8)
    tree = trees(found, time)
    children: dict[int, list[int]] = {k: [] for k in range(len(time))}
    for post in range(len(time)):
        best = int(np.argmax(given[:, post]))
        expected = best if given[best, post] > found.nobody[post] else -1
        assert tree.parent[post] == expected
        if expected >= 0:
            children[expected].append(post)

    def below(post: int) -> list[int]:
        return [x for child in children[post] for x in [child, *below(child)]]

    def depth(post: int) -> int:
        return max((1 + depth(child) for child in children[post]), default=0)

    for post in range(len(time)):
        assert tree.followers[post] == len(children[post])
        assert tree.total[post] == len(below(post))
        assert tree.depth[post] == depth(post)
        times = [time[x] for x in below(post)]
        assert tree.first[post] == pytest.approx(min(times) if times else np.nan, nan_ok=True)
        assert tree.last[post] == pytest.approx(max(times) if times else np.nan, nan_ok=True)


def test_half_life():
    """The lag at which half of the shares have come about."""
    matches, time = made_up()
    found = attribute(matches, time, innovation=0.2, decay=40.0)
    result = half_lives(found, len(time))
    for post in range(len(time)):
        some = np.flatnonzero((found.source == post) & ~found.same_author)
        if not len(some):
            assert np.isnan(result[post])
            continue
        some = some[np.argsort(found.lag[some])]
        running = np.cumsum(found.share[some])
        assert result[post] == pytest.approx(found.lag[some][np.argmax(running >= running[-1] / 2 - 1e-12)])


@pytest.mark.parametrize("true", [20.0, 200.0])
def test_decay_is_fitted(true: float):
    """Where it is plain which one a post follows, the decay is recovered, however often people post."""
    rng = np.random.default_rng(1)
    n = 400
    time = np.cumsum(rng.exponential(3.0, n))
    source, target, close = [], [], []
    for j in range(1, n):
        chance = np.exp((time[:j] - time[j]) / true)
        parent = rng.choice(j, p=chance / chance.sum())
        source += range(j)
        target += [j] * j
        close += [1e6 if i == parent else 1.0 for i in range(j)]
    source, target = np.array(source), np.array(target)
    lag = time[target] - time[source]
    assert fitted_decay(np.array(close), lag, target, n, 0.2) == pytest.approx(true, rel=0.35)


def test_decay_where_nothing_tells():
    """With equal closeness, or one author only, a hundred days."""
    lag, target = np.arange(1.0, 30), np.arange(1, 30) % 7
    assert fitted_decay(np.ones(29), lag, target, 7, 0.2) == pytest.approx(100, rel=0.01)
    assert fitted_decay(np.full(29, 1e-5), lag, target, 7, 0.2) == pytest.approx(100, rel=0.01)
    pairs, unit, nobody = np.arange(28), np.ones(28), np.full(28, 0.5)
    alone = Matches(pairs, pairs + 1, unit, nobody, nobody, np.ones(28, dtype=bool), unit)
    found = attribute(alone, np.arange(29.0) * DAY, innovation=0.2, decay=None)
    assert found.decay == pytest.approx(100, rel=0.01)


def test_closeness_is_relative_to_a_typical_match():
    """The median match weighs 1 whatever the scale; nothing overflows."""
    odds = np.array([1.0, 3.0, 5.0])
    np.testing.assert_allclose(closeness(odds, 0.5), np.exp([-1, 0, 1]))
    np.testing.assert_allclose(closeness(odds + 100, 0.5), closeness(odds, 0.5))
    assert np.isfinite(closeness(np.array([0.0, 0.0, 1e6]), 1.0)).all()
    assert len(closeness(np.empty(0), 1.0)) == 0
