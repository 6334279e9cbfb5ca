"""Tracing as a whole: the crown goes to who came first, and odd inputs give true and readable results."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from doppelgram.errors import DoppelgramError
from doppelgram.rolemodels.posts import DAY, PostTable, unset_clocks
from doppelgram.rolemodels.result import ALPHA, RoleModels
from doppelgram.rolemodels.settings import TraceSettings
from doppelgram.rolemodels.trace import trace_posts
from doppelgram.rolemodels.validation.scores import adjusted_rand, originator_first, originators
from doppelgram.rolemodels.validation.simulate import World, WorldSettings, simulate
from helpers.made_up_posts import SPACE, START, posts, vectors

QUICK = TraceSettings(draws=39, bootstraps=20)


@pytest.fixture(scope="module")
def world() -> World:
    return simulate(WorldSettings(posts=400, places=5, bare=0.05, undated=0.05), seed=3)


@pytest.fixture(scope="module")
def traced(world: World) -> RoleModels:
    return trace_posts(world.posts, world.vectors, world.space, QUICK)


def in_order(found: RoleModels, table: PostTable) -> pd.DataFrame:
    return found.role_models.set_index("path").loc[table.path]


def one_arrangement(days: list[float], **more: object) -> RoleModels:
    table = posts(days, **more)
    return trace_posts(table, vectors([(0, 0)] * len(days), noise=0.05), SPACE, QUICK)


def test_the_first_leads_and_others_follow():
    """Who comes first has followers, a parent for each of the others, and the first rank."""
    found = one_arrangement([0, 10, 20, 30])
    best = found.role_models.iloc[0]
    assert (best["path"], best["parent"], best["rank"]) == ("p0", "", 1)
    assert best["originality"] == 1
    assert best["total_followers"] == 3
    assert (found.role_models["parent"].iloc[1:] != "").all()
    assert found.role_models["followers"].sum() == 3
    assert len(found.arrangements) == 1
    assert found.arrangements.loc[0, "earliest"] == "p0"


def test_time_machine():
    """A follower moved before its original takes the crown; the original moved behind all others loses it."""
    days = [0.0, 12, 24, 36, 48]
    assert one_arrangement(days).arrangements.loc[0, "role_model"] == "p0"
    assert one_arrangement([0, 12, -3, 36, 48]).arrangements.loc[0, "role_model"] == "p2"
    late = one_arrangement([60, 12, 24, 36, 48])
    assert late.arrangements.loc[0, "role_model"] == "p1"
    last = late.role_models.set_index("path").loc["p0"]
    assert (last["influence"], last["followers"], last["score"]) == (0, 0, 0)


def test_different_places_or_poses_do_not_match():
    """The same pose elsewhere and another pose in the same place are other arrangements."""
    table = posts([0, 1, 2, 3, 4, 5])
    found = trace_posts(table, vectors([(0, 0), (1, 0), (0, 1), (0, 0), (1, 0), (0, 1)]), SPACE, QUICK)
    named = in_order(found, table)
    assert list(named["parent"]) == ["", "", "", "p0", "p1", "p2"]
    assert named["arrangement"].nunique() == 3
    assert set(zip(found.edges["source"], found.edges["target"], strict=True)) == {
        ("p0", "p3"),
        ("p1", "p4"),
        ("p2", "p5"),
    }


def test_the_simulated_world_is_recovered(world: World, traced: RoleModels):
    """Arrangements, and who set them, come out; bare and undated posts are counted and say nothing."""
    named = in_order(traced, world.posts)
    seen = world.arrangement >= 0
    _, groups = np.unique(named["arrangement"], return_inverse=True)
    groups[named["arrangement"] == ""] = -1
    assert adjusted_rand(groups[seen], world.arrangement[seen]) > 0.9
    dated = ~np.isnan(world.posts.timestamp)
    origin = originators(np.where(dated, world.arrangement, -1), np.where(dated, world.parent, -1), world.time)
    assert originator_first(named["score"].to_numpy(), world.arrangement, origin).mean() > 0.75
    assert (named["arrangement"][~seen] == "").all()
    assert traced.counts["nobody"] == (~seen).sum()
    assert traced.counts["undated"] == (seen & ~dated).sum()
    assert named["score"].notna().sum() == traced.counts["traced"] == (seen & dated).sum()
    untraced = traced.role_models["status"] != "traced"
    assert untraced.iloc[-int(untraced.sum()) :].all()


def test_columns_and_graph(traced: RoleModels):
    """The columns that files promise come first; the graph holds what the tables hold."""
    promised = [
        "path",
        "arrangement",
        "place_score",
        "pose_score",
        "author",
        "timestamp",
        "parent",
        "influence",
        "originality",
        "score",
        "followers",
        "excess",
        "origin",
        "rank_low",
        "rank_high",
    ]
    assert list(traced.role_models.columns[:15]) == promised
    graph = traced.graph()
    assert graph.number_of_nodes() == traced.counts["traced"]
    assert graph.number_of_edges() == len(traced.edges) == traced.counts["edges"]
    parents = traced.edges[traced.edges["is_parent"]]
    assert len(parents) == (traced.role_models["parent"] != "").sum()
    first = traced.edges.iloc[0]
    assert graph.edges[first["source"], first["target"]]["weight"] == first["attribution"]


def test_sums_agree(traced: RoleModels):
    """Aggregates by author and by place are sums of the posts; ranks lie within their intervals."""
    table = traced.role_models[traced.role_models["status"] == "traced"]
    for other in (traced.authors, traced.places):
        assert other["influence"].sum() == pytest.approx(table["influence"].sum())
        assert other["excess"].sum() == pytest.approx(table["excess"].sum())
    assert (table["rank_low"] <= table["rank"]).all()
    assert (table["rank_high"] >= table["rank"]).all()
    assert (table["excess_low"] <= table["excess"] + 1e-6).all()
    assert (table["excess_high"] >= table["excess"] - 1e-6).all()
    tested = table["spread_q"].notna()
    assert (table.loc[tested, "spread_q"] >= table.loc[tested, "spread_p"]).all()
    arrangements = traced.arrangements.set_index("arrangement")
    named = table[table["arrangement"] != ""]
    assert (named["origin"].groupby(named["arrangement"]).max() == arrangements["origin"]).all()
    assert (named["origin"].groupby(named["arrangement"]).sum() <= 1 + 1e-9).all()
    assert arrangements["spread_q"].le(ALPHA).sum() == traced.counts["spread"] <= traced.counts["tested"]
    assert traced.robustness["used"].sum() == 1
    assert traced.robustness.loc[traced.robustness["used"], "kept"].item() == 1
    assert traced.curve["observed"].iloc[-1] == pytest.approx(traced.overall["attributed"])
    assert table["attributed"].sum() == pytest.approx(traced.overall["attributed"])


def test_same_seed_same_result(world: World, traced: RoleModels):
    """Nothing depends on the run; another seed changes the shuffles and not the order."""
    again = trace_posts(world.posts, world.vectors, world.space, QUICK)
    pd.testing.assert_frame_equal(again.role_models, traced.role_models)
    other = trace_posts(world.posts, world.vectors, world.space, dataclasses.replace(QUICK, seed=7))
    assert list(other.role_models["path"]) == list(traced.role_models["path"])
    assert not other.role_models["excess"].equals(traced.role_models["excess"])


def test_order_of_posts_does_not_matter(world: World, traced: RoleModels):
    """Posts in another order give the same leaders, parents and arrangements."""
    order = np.random.default_rng(0).permutation(len(world.posts))
    table = PostTable(*(getattr(world.posts, name)[order] for name in ("path", "author", "timestamp", "place")))
    other = trace_posts(table, world.vectors[order], world.space, QUICK)
    a, b = in_order(other, world.posts), in_order(traced, world.posts)
    assert a["parent"].equals(b["parent"])
    np.testing.assert_allclose(a["score"], b["score"])
    together = [x["arrangement"].to_numpy() for x in (a, b)]
    _, codes = zip(*(np.unique(x, return_inverse=True) for x in together), strict=True)
    assert adjusted_rand(*codes) == pytest.approx(1)


def test_progress_counts_to_the_end(world: World):
    """As many steps are reported as the settings promise."""
    done: list[int] = []
    trace_posts(world.posts, world.vectors, world.space, QUICK, progress=done.append)
    assert sum(done) == QUICK.steps


def test_ties_in_time():
    """Posts at the same second do not precede each other, and the result says how many."""
    found = one_arrangement([5, 5, 5])
    assert len(found.edges) == 0
    assert found.counts["tied"] == 3
    assert any("very same time" in note for note in found.notes)
    assert (found.role_models["origin"] == 0).all()
    part = one_arrangement([5, 5, 9])
    assert set(part.edges["target"]) == {"p2"}


def test_one_author_flooding():
    """Forty repeats of somebody's own post make no role model, and barely one of what was repeated."""
    days = [0.0, *np.linspace(1, 40, 40)]
    found = one_arrangement(days, authors=["first", *["flood"] * 40])
    first = found.role_models.set_index("path").loc["p0"]
    assert first["follower_authors"] == 1
    assert first["attributed"] < 10
    rest = found.role_models[found.role_models["author"] == "flood"]
    assert (rest["influence"] == 0).all()
    assert any("One author, flood" in note for note in found.notes)
    alone = one_arrangement(days, authors=["flood"] * 41)
    assert len(alone.edges) == 0
    assert any("by the same author" in note for note in alone.notes)


@pytest.mark.parametrize("count", [0, 1])
def test_none_or_a_single_post(count: int):
    """Nothing to compare is no error; the note says so."""
    found = one_arrangement([0.0] * count)
    assert len(found.role_models) == count
    assert len(found.edges) == len(found.arrangements) == 0
    assert any("Fewer than two posts" in note for note in found.notes)
    assert found.graph().number_of_nodes() == count


def test_no_two_alike():
    """Posts that all differ have no role model among them."""
    table = posts([0, 1, 2, 3])
    found = trace_posts(table, vectors([(0, 0), (1, 1), (2, 2), (3, 3)]), SPACE, QUICK)
    assert (found.role_models["arrangement"] == "").all()
    assert found.role_models["spread_p"].isna().all()
    assert found.counts["tested"] == found.counts["spread"] == found.counts["origin"] == 0
    assert (found.role_models["score"] == 0).all()
    assert any("No two posts match" in note for note in found.notes)


def test_all_identical():
    """The same picture again and again: the first leads, and the note says that only time tells them apart."""
    table = posts([float(k) for k in range(30)])
    found = trace_posts(table, vectors([(0, 0)] * 30), SPACE, QUICK)
    assert found.role_models.iloc[0]["path"] == "p0"
    assert found.arrangements.loc[0, "posts"] == 30
    assert any("one arrangement" in note for note in found.notes)


def test_a_clock_in_1970():
    """A camera whose clock was never set does not lead; in an archive from 1970 it may."""
    table = posts([0, 10, 20, 30])
    wrong = dataclasses.replace(table, timestamp=np.array([3600.0, *table.timestamp[1:]]))
    found = trace_posts(wrong, vectors([(0, 0)] * 4), SPACE, QUICK)
    assert found.role_models.iloc[0]["path"] == "p1"
    assert found.counts["clock_not_set"] == 1
    assert in_order(found, wrong)["status"].tolist() == ["clock not set", "traced", "traced", "traced"]
    assert any("never set" in note for note in found.notes)
    archive = dataclasses.replace(table, timestamp=table.timestamp - START)
    assert trace_posts(archive, vectors([(0, 0)] * 4), SPACE, QUICK).counts["traced"] == 4


def test_missing_dates():
    """With three in ten undated, those belong to their arrangement and to nobody's followers."""
    table = posts([float(k) for k in range(20)])
    time = table.timestamp.copy()
    time[::3] = np.nan
    found = trace_posts(dataclasses.replace(table, timestamp=time), vectors([(0, 0)] * 20), SPACE, QUICK)
    named = in_order(found, table)
    assert named["score"][np.isnan(time)].isna().all()
    assert (named["arrangement"] == "a001").all()
    assert not set(found.edges["source"]) & set(table.path[np.isnan(time)])
    assert any("7 posts of 20 have no time" in note for note in found.notes)


def test_authors_not_known():
    """Posts without an author count as by different people, which is said."""
    found = one_arrangement([0, 5, 9], authors=["", "", ""])
    assert len(found.edges) == 3
    assert len(found.authors) == 0
    assert any("no author" in note for note in found.notes)


def test_wrong_input_is_named():
    """Vectors of another model, numbers that are none, posts given twice: one sentence each."""
    table = posts([0, 1])
    with pytest.raises(DoppelgramError, match=r"\(2, 12\) is needed"):
        trace_posts(table, np.zeros((2, 5)), SPACE)
    broken = vectors([(0, 0), (0, 0)])
    broken[1, 2] = np.nan
    with pytest.raises(DoppelgramError, match="row 1"):
        trace_posts(table, broken, SPACE)
    with pytest.raises(DoppelgramError, match="'p0' occurs more than once"):
        PostTable(["p0", "p0"], ["a", "b"], [0.0, 1.0])
    with pytest.raises(DoppelgramError, match="row 1"):
        PostTable(["p0", "p1"], ["a", "b"], [0.0, 1e12 * DAY])
    for wrong in ({"threshold": 1.0}, {"draws": 5}, {"decay_days": 0.0}, {"damping": 1.0}, {"gamma": -1.0}):
        with pytest.raises(DoppelgramError):
            TraceSettings(**wrong)


@pytest.mark.parametrize("start", ["1970-01-01", "1980-01-01", "2000-01-01", "2001-01-01"])
def test_where_clocks_start(start: str):
    new, old = pd.to_datetime(["2019-12-20", start], utc=True).as_unit("s").astype("int64").to_numpy()
    assert unset_clocks(np.array([new, new, old, old + 3600, np.nan])).tolist() == [False, False, True, True, False]
    assert not unset_clocks(np.array([old, old, old + 86400.0])).any()
