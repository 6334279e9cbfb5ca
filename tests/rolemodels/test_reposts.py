"""Posts of one photograph: found, counted, and set aside or not."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from doppelgram.errors import DoppelgramError
from doppelgram.rolemodels.posts import DAY, PostTable
from doppelgram.rolemodels.reposts import reposts_of
from doppelgram.rolemodels.settings import TraceSettings
from doppelgram.rolemodels.trace import trace_posts
from doppelgram.rolemodels.validation.simulate import World, WorldSettings, simulate

QUICK = TraceSettings(draws=19, bootstraps=0, permutations=99)


def test_the_earliest_post_is_the_first() -> None:
    time = np.array([5.0, 3.0, np.nan, 3.0, 9.0, 0.0])
    posts = PostTable(np.array(list("abcdef")), np.array(list("uvwxyz")), time * DAY)
    clocks = np.array([False] * 5 + [True])
    numbers = np.array([0, 0, 0, 0, 1, 1])
    assert reposts_of(posts, numbers, clocks).tolist() == [1, -1, 1, 1, -1, 4]
    assert reposts_of(posts, None, clocks).tolist() == [-1] * 6


@pytest.fixture(scope="module")
def reposted() -> tuple[World, World, np.ndarray]:
    """A world, and the same in which ten photographs were posted again, much later, with truth in the last column."""
    world = simulate(WorldSettings(posts=120, places=2, poses=3), seed=4)
    rows = np.concatenate([np.arange(len(world.posts)), np.arange(10)])
    table = world.posts
    more = PostTable(
        np.concatenate([table.path, [f"again{k}" for k in range(10)]]),
        np.concatenate([table.author, [f"fan{k}" for k in range(10)]]),
        np.concatenate([table.timestamp, table.timestamp.max() + DAY * np.arange(1, 11)]),
        table.place[rows],
    )
    return world, dataclasses.replace(world, posts=more, vectors=world.vectors[rows]), rows


def test_set_aside_they_change_nothing_else(reposted: tuple[World, World, np.ndarray]) -> None:
    world, more, rows = reposted
    before = trace_posts(world.posts, world.vectors, world.space, QUICK).role_models.set_index("path")
    found = trace_posts(more.posts, more.vectors, more.space, QUICK, photograph=rows)
    after = found.role_models.set_index("path")
    originals = world.posts.path
    for name in ("arrangement", "parent", "score", "followers", "spread_p", "origin"):
        assert after.loc[originals, name].equals(before.loc[originals, name]), name
    again = after.loc[[f"again{k}" for k in range(10)]]
    assert (again["status"] == "repost").all()
    assert again["repost_of"].tolist() == originals[:10].tolist()
    assert again["arrangement"].tolist() == before.loc[originals[:10], "arrangement"].tolist()
    assert after["reposts"].sum() == found.counts["reposts"] == found.counts["aside"] == 10
    assert after.loc[originals[:10], "reposts"].eq(1).all()
    assert any("photograph of an earlier post again" in note for note in found.notes)


def test_counted_they_follow(reposted: tuple[World, World, np.ndarray]) -> None:
    _, more, rows = reposted
    settings = dataclasses.replace(QUICK, reposts="count")
    found = trace_posts(more.posts, more.vectors, more.space, settings, photograph=rows)
    again = found.role_models.set_index("path").loc[[f"again{k}" for k in range(10)]]
    assert (again["status"] == "traced").all()
    assert (again["parent"] == again["repost_of"]).mean() > 0.5
    assert found.counts["reposts"] == 10
    assert found.counts["aside"] == 0


def test_another_way_is_refused() -> None:
    with pytest.raises(DoppelgramError, match="aside or count"):
        TraceSettings(reposts="drop")
