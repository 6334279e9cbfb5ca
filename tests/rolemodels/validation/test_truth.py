from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from doppelgram.errors import DoppelgramError
from doppelgram.rolemodels.result import RoleModels
from doppelgram.rolemodels.settings import TraceSettings
from doppelgram.rolemodels.trace import trace_posts
from doppelgram.rolemodels.validation.simulate import World, WorldSettings, simulate
from doppelgram.rolemodels.validation.truth import MIN_POSTS, score_lines, score_trace


@pytest.fixture(scope="module")
def world() -> World:
    return simulate(WorldSettings(posts=240, places=3, poses=3, bare=0.05, missing=0.0, clock_errors=0.0), seed=4)


@pytest.fixture(scope="module")
def found(world: World) -> RoleModels:
    return trace_posts(world.posts, world.vectors, world.space, TraceSettings(draws=19, bootstraps=0))


@pytest.fixture
def truth(world: World, tmp_path: Path) -> Path:
    names = world.posts.path
    parents = [names[parent] if parent >= 0 else "" for parent in world.parent]
    arrangements = [f"p::{kind}" if kind >= 0 else "p::_zz" for kind in world.arrangement]
    pd.DataFrame({"path": names, "arrangement": arrangements, "parent": parents}).to_csv(
        tmp_path / "truth.csv", index=False
    )
    return tmp_path / "truth.csv"


def test_a_trace_beside_the_truth(found: RoleModels, world: World, truth: Path) -> None:
    scores = score_trace(found, truth)
    assert scores.posts == int((world.arrangement >= 0).sum())
    sizes = np.bincount(world.arrangement[world.arrangement >= 0])
    assert 0 < scores.arrangements <= int((sizes >= MIN_POSTS).sum())
    assert 0 <= scores.earliest_first <= 1
    assert scores.low <= scores.originator_first <= scores.high
    assert 0.5 < scores.adjusted_rand <= 1
    assert 0.1 < scores.parents < 1
    assert len(score_lines(scores)) == 6
    by_hand = []
    for kind in range(world.arrangement.max() + 1):
        members = np.flatnonzero(world.arrangement == kind)
        followed = [post for post in members if (world.parent == post).any()]
        if len(members) >= MIN_POSTS and followed:
            clock = world.time[members]
            by_hand.append(min(followed, key=lambda post: world.time[post]) == members[clock.argmin()])
    assert scores.earliest_right == pytest.approx(np.mean(by_hand))
    lines = truth.read_text().splitlines()
    truth.write_text("\n".join([lines[0], *(f"{line}," for line in lines[1:])]))  # rows end in a comma
    assert score_trace(found, truth) == scores


def test_what_is_true_scores_one(found: RoleModels, world: World, truth: Path) -> None:
    table = pd.read_csv(truth, keep_default_na=False).set_index("path").loc[found.role_models["path"]]
    posts = found.role_models.copy()
    posts["parent"] = table["parent"].to_numpy()
    posts["arrangement"] = table["arrangement"].where(~table["arrangement"].str.endswith("_zz"), "").to_numpy()
    seconds = posts["timestamp"].map(pd.Timestamp.timestamp).to_numpy()
    followed = posts["path"].isin(set(table["parent"])).to_numpy()
    posts["score"] = np.where(followed, -seconds, -np.inf)  # the first of those that anybody followed
    scores = score_trace(RoleModels(**{**vars(found), "role_models": posts}), truth)
    assert (scores.root, scores.edge, scores.leaf, scores.ancestry, scores.parents) == (1, 1, 1, 1, 1)
    assert scores.adjusted_rand == pytest.approx(1)
    assert scores.originator_first == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("path,arrangement\na,b\n", "no 'parent' among path, arrangement"),
        ("path,arrangement,parent\na,b,\na,b,\n", "row 3: the path 'a' stands in an earlier row"),
        ("path,arrangement,parent\nelsewhere.jpg,b,\n", "knows none of the posts"),
    ],
)
def test_a_truth_that_cannot_be_used(found: RoleModels, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DoppelgramError, match=said):
        score_trace(found, tmp_path / "t.csv")
