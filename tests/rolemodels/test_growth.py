"""The growth of an arrangement, against shuffles drawn one by one."""

from __future__ import annotations

import numpy as np
import pytest

from doppelgram.rolemodels.growth import growth
from doppelgram.rolemodels.result import RoleModels
from doppelgram.rolemodels.settings import TraceSettings
from doppelgram.rolemodels.trace import trace_posts
from doppelgram.rolemodels.validation.simulate import WorldSettings, simulate


@pytest.fixture(scope="module")
def found() -> RoleModels:
    world = simulate(WorldSettings(posts=160, places=2, poses=3, undated=0.1), seed=4)
    return trace_posts(world.posts, world.vectors, world.space, TraceSettings(draws=19, bootstraps=0))


def test_growth_is_that_of_shuffled_times(found: RoleModels) -> None:
    name = found.arrangements["arrangement"][1]
    curve = growth(found, name)
    # One post an author in an arrangement, all posts that are in none; the place of most of the arrangement's posts.
    traced = found.traced.sort_values(["timestamp", "path"])
    alone = traced[traced["arrangement"] == ""]
    firsts = traced[traced["arrangement"] != ""].drop_duplicates(["arrangement", "author"])
    mine = firsts[firsts["arrangement"] == name]
    place = mine["place"].mode()[0]
    pool = [row for part in (alone, firsts) for row in part.itertuples() if row.place == place]
    pool += [row for row in mine.itertuples() if row.place != place]
    times = np.array([row.timestamp.timestamp() for row in pool])
    assert curve["observed"].iloc[-1] == len(mine)
    assert curve["time"].iloc[0] == times.min()
    rng = np.random.default_rng(0)
    drawn = np.array([rng.choice(times, len(mine), replace=False) for _ in range(4000)])
    for row in curve.iloc[:: max(1, len(curve) // 7)].itertuples():
        so_far = (drawn <= row.time).sum(axis=1)
        assert row.observed == sum(post.timestamp.timestamp() <= row.time for post in mine.itertuples())
        assert row.expected == pytest.approx(so_far.mean(), abs=0.15)
        assert (so_far < row.low).mean() <= 0.035
        assert (so_far > row.high).mean() <= 0.035


def test_of_an_arrangement_that_is_not_there(found: RoleModels) -> None:
    assert growth(found, "a999").empty
