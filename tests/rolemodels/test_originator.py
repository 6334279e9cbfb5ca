"""The probability of being the origin: against drawing every post's choice, and true in simulated worlds."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from doppelgram.rolemodels.attribution import Attribution, Matches, attribute
from doppelgram.rolemodels.originator import Beliefs, originator_probability
from doppelgram.rolemodels.posts import DAY
from doppelgram.rolemodels.settings import TraceSettings
from doppelgram.rolemodels.trace import trace_posts
from doppelgram.rolemodels.validation.evidence import reliability
from doppelgram.rolemodels.validation.scores import originators
from doppelgram.rolemodels.validation.simulate import WorldSettings, simulate

PLAIN = Beliefs(unsure=0.0, membership=50.0, offset=0.0, slope=1.0)


def made_up(seed: int = 0) -> tuple[Attribution, Matches, np.ndarray, np.ndarray]:
    """Two arrangements, in which every pair matches, and posts in none."""
    rng = np.random.default_rng(seed)
    groups = np.array([0] * 6 + [1] * 5 + [-1] * 3)
    left, right = (side[groups[side] >= 0] for side in np.triu_indices(len(groups), 1))
    pairs = np.array([(i, j) for i, j in zip(*np.triu_indices(14, 1), strict=True) if groups[i] == groups[j] >= 0])
    left, right = pairs.T
    odds = rng.uniform(1, 5, len(left))
    half = np.full(len(left), 0.5)
    matches = Matches(left, right, odds, half, half, rng.random(len(left)) < 0.2, rng.uniform(0.1, 3, len(left)))
    time = np.round(rng.uniform(0, 300, 14) * DAY)
    return attribute(matches, time, innovation=0.4, decay=80.0), matches, groups, time


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_as_often_as_when_every_choice_is_drawn(seed: int) -> None:
    graph, matches, groups, time = made_up(seed)
    found = originator_probability(graph, matches, groups, time, PLAIN)
    rng = np.random.default_rng(9)
    draws, first = 20_000, np.zeros(len(time))
    for _ in range(draws):
        followed = set()
        for j in range(len(time)):
            into = np.flatnonzero(graph.target == j)
            pick = rng.random() - np.cumsum(graph.share[into])
            chosen = np.flatnonzero(pick < 0)[:1]
            followed |= {int(graph.source[into[k]]) for k in chosen if not graph.same_author[into[k]]}
        for number in (0, 1):
            some = [k for k in followed if groups[k] == number]
            if some:
                first[min(some, key=lambda k: time[k])] += 1
    np.testing.assert_allclose(found, first / draws, atol=0.015)
    assert (found[groups < 0] == 0).all()


def test_doubt_takes_from_all() -> None:
    """Unsure clocks and doubtful members leave more for later posts and for nobody."""
    graph, matches, groups, time = made_up()
    sure = originator_probability(graph, matches, groups, time, PLAIN)
    unsure = originator_probability(graph, matches, groups, time, dataclasses.replace(PLAIN, unsure=0.3))
    for number in (0, 1):
        members = np.flatnonzero(groups == number)
        assert unsure[members].sum() < sure[members].sum() <= 1
        assert unsure[members[np.argmin(time[members])]] < sure[members[np.argmin(time[members])]]


@pytest.mark.slow
def test_probabilities_are_true_in_worlds_that_were_not_fitted() -> None:
    chance, true = [], []
    for seed in range(8):
        world = simulate(WorldSettings(posts=400, places=5), seed=seed)
        settings = TraceSettings(permutations=99, draws=19, bootstraps=0)
        found = trace_posts(world.posts, world.vectors, world.space, settings)
        origin = originators(world.arrangement, world.parent, world.time, min_posts=2).values()
        chance.append(found.role_models.set_index("path").loc[world.posts.path, "origin"].to_numpy())
        true.append(np.isin(np.arange(len(world.posts)), list(origin)))
    assert reliability(np.concatenate(chance), np.concatenate(true)).error < 0.1


def test_reliability_by_hand() -> None:
    table = reliability(
        np.array([0.01, 0.1, 0.1, 0.9, 1.0]), np.array([True, False, True, True, False]), (0.05, 0.5, 1)
    )
    assert table.bins == [(0.05, 0.5, 0.1, 0.5, 2), (0.5, 1, 0.95, 0.5, 2)]
    assert table.error == pytest.approx((0.4 + 0.45) / 2)
