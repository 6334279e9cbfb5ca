"""Scores against hand-counted forests and scikit-learn; the rules we compare with; the simulator."""

import numpy as np
import pytest

from doppelgram.errors import DoppelgramError
from doppelgram.rolemodels.attribution import Matches, attribute
from doppelgram.rolemodels.posts import DAY
from doppelgram.rolemodels.validation.baselines import baselines
from doppelgram.rolemodels.validation.scores import (
    adjusted_rand,
    descendants,
    forest_scores,
    originator_first,
    originators,
)
from doppelgram.rolemodels.validation.simulate import WorldSettings, simulate, without_copying


def test_forests_by_hand():
    """Truth 0->1->2, 0->3, 4 alone; found 0->1, 0->2, 0->3, 4 alone."""
    true = np.array([-1, 0, 1, 0, -1])
    found = np.array([-1, 0, 0, 0, -1])
    scores = forest_scores(found, true)
    assert scores.root == 1  # {0} and {0}
    assert scores.edge == pytest.approx(2 / 4)  # 0-1, 0-3 of these, 1-2 and 0-2
    assert scores.leaf == pytest.approx(2 / 3)  # {2, 3} and {1, 2, 3}
    assert scores.ancestry == pytest.approx(3 / 4)  # all but 1-2


def test_forests_at_the_ends():
    """The same forest scores 1 throughout, also without edges; another 0 where nothing is shared."""
    true = np.array([-1, 0, 1, 0, -1])
    assert forest_scores(true, true) == forest_scores(np.full(3, -1), np.full(3, -1))
    reversed_chain = forest_scores(np.array([1, 2, -1]), np.array([-1, 0, 1]))
    assert (reversed_chain.root, reversed_chain.edge, reversed_chain.ancestry) == (0, 0, 0)
    with pytest.raises(ValueError, match="circle"):
        forest_scores(np.array([1, 0]), np.array([-1, 0]))


def test_originators():
    """The first that any other goes back to; an earlier post that nobody repeated set nothing."""
    arrangement = np.array([0, 0, 0, 0, 1, 1, -1])
    parent = np.array([-1, -1, 1, 2, -1, -1, -1])
    time = np.array([0.0, 1, 2, 3, 0, 1, 0])
    assert descendants(parent, time).tolist() == [0, 2, 1, 0, 0, 0, 0]
    origin = originators(arrangement, parent, time, min_posts=2)
    assert origin == {0: 1}
    assert originator_first(np.array([1.0, 2, 0, 0, 9, 9, 9]), arrangement, origin).tolist() == [True]
    assert originator_first(np.array([2.0, 2, 0, 0, 9, 9, 9]), arrangement, origin).tolist() == [False]
    assert originator_first(np.array([1.0, np.nan, 0, 0, 9, 9, 9]), arrangement, origin).tolist() == [False]


def test_adjusted_rand_beside_scikit_learn():
    """The same value; -1 is a group of one."""
    from sklearn.metrics import adjusted_rand_score

    rng = np.random.default_rng(0)
    for _ in range(5):
        a, b = rng.integers(0, 5, 60), rng.integers(0, 4, 60)
        assert adjusted_rand(a, b) == pytest.approx(adjusted_rand_score(a, b))
    alone = np.array([0, 0, -1, -1, 1, 1])
    assert adjusted_rand(alone, np.array([0, 0, 2, 3, 1, 1])) == 1
    assert adjusted_rand(alone, np.array([0, 0, 2, 2, 1, 1])) < 1


def test_baselines():
    """Each rule's parents on three posts of a chain whose first two are most alike to the third."""
    odds = np.array([1.0, 3.0, 2.0])
    ones = np.ones(3)
    matches = Matches(np.array([0, 0, 1]), np.array([1, 2, 2]), odds, ones, ones, np.zeros(3, dtype=bool), ones)
    time = DAY * np.array([0.0, 50, 60])
    found = attribute(matches, time, innovation=0.2, decay=10.0)
    guess = baselines(found, matches, time, np.zeros(3, dtype=np.int64))
    assert guess["earliest in the cluster"].parent.tolist() == [-1, 0, 0]
    assert guess["nearest earlier neighbour"].parent.tolist() == [-1, 0, 0]
    assert guess["NetInf-style best parent"].parent.tolist() == [-1, 0, 1]
    assert guess["PageRank"].parent.tolist() == [-1, 0, 0]
    assert np.argmax(guess["PageRank"].score) == 0
    assert guess["PageRank"].score.sum() == pytest.approx(1)


def test_simulator():
    """Parents are earlier, of the same arrangement and collected; noise is as large as asked for."""
    settings = WorldSettings(
        posts=2000, places=10, missing=0.2, clock_errors=0.1, mislabelled=0.1, bare=0.1, undated=0.1
    )
    world = simulate(settings, seed=0)
    n = len(world.posts)
    assert n == pytest.approx(1600, abs=60)
    child = np.flatnonzero(world.parent >= 0)
    assert (world.time[world.parent[child]] <= world.time[child]).all()
    assert (world.arrangement[world.parent[child]] == world.arrangement[child]).all()
    assert np.isnan(world.posts.timestamp).mean() == pytest.approx(0.1, abs=0.03)
    dated = ~np.isnan(world.posts.timestamp)
    assert (world.posts.timestamp[dated] != world.time[dated]).mean() == pytest.approx(0.1, abs=0.03)
    bare = world.arrangement < 0
    assert bare.mean() == pytest.approx(0.1, abs=0.03)
    assert (np.abs(world.vectors[:, 32:]).sum(axis=1) == 0).tolist() == bare.tolist()
    labels = np.array([int(name[5:]) for name in world.posts.place])
    assert (labels[~bare] != world.arrangement[~bare] // 5).mean() == pytest.approx(0.1, abs=0.03)
    again = simulate(settings, seed=0)
    np.testing.assert_array_equal(again.vectors, world.vectors)
    assert (simulate(without_copying(settings), seed=0).parent == -1).all()
    with pytest.raises(DoppelgramError, match="missing"):
        WorldSettings(missing=1.5)
    with pytest.raises(DoppelgramError, match="'posts' is 1"):
        WorldSettings(posts=1)
