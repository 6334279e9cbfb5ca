"""Role models by the REST interface, against what the library itself traces."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pandas as pd
import pytest

from doppelgram.catalog.store import Catalog
from doppelgram.models.arrangement import ArrangementModel
from doppelgram.reports.role_models.files import write_csv, write_summary
from doppelgram.reports.role_models.summary import summary
from doppelgram.rolemodels.findings import claim, headline, lead, overall
from doppelgram.rolemodels.growth import growth
from doppelgram.rolemodels.kept_posts import ROW_COLUMN, KeptPosts
from doppelgram.rolemodels.result import RoleModels
from doppelgram.rolemodels.settings import TraceSettings
from doppelgram.web.listing import Opened
from doppelgram.web.session import Session
from doppelgram.web.tracing import obstacle
from helpers.page import Served, serving

QUICK = TraceSettings(draws=19)


@pytest.fixture(scope="module")
def posts(page: Served) -> KeptPosts:
    return KeptPosts.of_catalog(page.session.catalog)


@pytest.fixture(scope="module")
def found(page: Served, posts: KeptPosts) -> RoleModels:
    model = page.session.require().searcher.model
    assert isinstance(model, ArrangementModel)
    return posts.trace(page.session.catalog, model.space, QUICK)


def test_posts_of_a_catalog(page: Served, posts: KeptPosts) -> None:
    opened = page.session.require()
    assert sorted(posts.ids) == sorted(opened.searcher.ids)
    assert posts.posts.names == sorted(posts.posts.names)
    for id_, vector, name in zip(posts.ids, posts.vectors, posts.posts.names, strict=True):
        assert np.array_equal(vector, opened.searcher.vector(opened.position[id_])[0])
        assert opened.facts["name"][id_] == name
    assert "people found" not in posts.posts.table


def test_before_anything_was_traced(page: Served) -> None:
    shown = page.get("/api/role-models")
    assert (shown["state"], shown["problem"], shown["made"]) == ("none", "", None)
    assert page.client.get("/api/arrangements/1").status_code == 404


def test_what_is_shown_is_the_librarys_result(traced_page: Served, found: RoleModels) -> None:
    shown = traced_page.get("/api/role-models")
    assert shown["state"] == "ready"
    assert (shown["headline"], shown["lead"], shown["overall"]) == (headline(found), lead(found), overall(found))
    assert traced_page.said == headline(found)
    assert shown["counts"] == found.counts
    assert shown["notes"] == list(found.notes)
    assert shown["new"] == 0
    assert shown["settings"] == found.settings.to_dict()
    row_of = dict(zip(found.role_models["path"], found.role_models[ROW_COLUMN], strict=True))
    leaders = found.leaders.head(24)
    assert [post["path"] for post in shown["leaders"]] == leaders["path"].tolist()
    for post, row in zip(shown["leaders"], leaders.itertuples(), strict=True):
        assert post["image"] == row_of[row.path]
        assert post["claim"] == claim(row)
        assert post["score"] == pytest.approx(row.score, rel=1e-5)
        assert post["expected"] == pytest.approx(row.attributed - row.excess, rel=1e-4, abs=1e-5)
        assert (post["followers"], post["rank_low"], post["rank_high"]) == (row.followers, row.rank_low, row.rank_high)
    assert [one["name"] for one in shown["arrangements"]] == found.arrangements["arrangement"].tolist()
    for one, row in zip(shown["arrangements"], found.arrangements.itertuples(), strict=True):
        assert (one["posts"], one["authors"]) == (row.posts, row.authors)
        assert one["spread_q"] == pytest.approx(row.spread_q, rel=1e-5)
        assert one["originator"] == row_of[row.originator]
    assert [point["at"] for point in shown["curve"]] == pytest.approx(found.curve["days"].tolist(), rel=1e-5)
    assert [one["author"] for one in shown["authors"]] == found.authors["author"].tolist()[:50]
    assert sum(one["posts"] for one in shown["places"]) == len(found.role_models)


@pytest.mark.parametrize("parts", [4, 31])
def test_the_wall_holds_every_dated_post_once(traced_page: Served, found: RoleModels, parts: int) -> None:
    wall = traced_page.get("/api/arrangements", parts=parts, limit=100)
    traced = found.traced
    first, last = traced["timestamp"].min(), traced["timestamp"].max()
    assert wall["total"] == len(wall["rows"]) == len(found.arrangements)
    for row in wall["rows"]:
        mine = traced[traced["arrangement"] == row["arrangement"]["name"]]
        wanted: Counter[int] = Counter()
        for time in mine["timestamp"]:
            wanted[min(parts - 1, int((time - first) / (last - first) * parts))] += 1
        assert {bin_["at"]: bin_["posts"] for bin_ in row["bins"]} == dict(wanted)
        ids = set(mine[ROW_COLUMN])
        assert all(bin_["image"] in ids for bin_ in row["bins"])


def test_one_arrangement(traced_page: Served, found: RoleModels) -> None:
    shown = traced_page.get("/api/arrangements/1")
    name = found.arrangements["arrangement"][0]
    rows = found.role_models[found.role_models["arrangement"] == name].set_index("path")
    assert {post["path"] for post in shown["posts"]} == set(rows.index)
    times = [post["timestamp"] for post in shown["posts"] if post["status"] == "traced"]
    assert times == sorted(times)
    edges = found.edges[found.edges["is_parent"]].set_index("target")
    followed = 0
    for post in shown["posts"]:
        parent = rows["parent"][post["path"]]
        assert post["parent"] == (parent or None)
        if parent:
            edge = edges.loc[post["path"]]
            assert post["parent_image"] == rows[ROW_COLUMN][parent]
            assert post["share"] == pytest.approx(edge["attribution"], rel=1e-5)
            assert post["probability"] == pytest.approx(edge["probability"], rel=1e-5)
            assert post["lag_days"] == pytest.approx(edge["lag_days"], rel=1e-5)
            followed += 1
    assert followed > 5
    curve = growth(found, name)
    assert [point["observed"] for point in shown["growth"]] == curve["observed"].tolist()
    assert [point["high"] for point in shown["growth"]] == curve["high"].tolist()
    assert (shown["previous"], shown["next"]) == (None, 2)
    assert sum(one["posts"] for one in shown["authors"]) == len(rows)
    assert traced_page.client.get("/api/arrangements/999").status_code == 404


def test_it_is_there_when_the_catalog_is_opened_again(traced_page: Served) -> None:
    session = Session(
        Catalog.open(traced_page.session.catalog.folder), "again", keypoints=traced_page.session.keypoints
    )
    with serving(session) as served:
        assert served.get("/api/role-models")["headline"] == traced_page.said
        assert session.opened is None  # neither model nor vectors are needed to show it


def test_what_trace_wrote_is_shown_and_what_came_since_is_told(page: Served, posts: KeptPosts, tmp_path: Path) -> None:
    model = page.session.require().searcher.model
    assert isinstance(model, ArrangementModel)
    kept = np.arange(len(posts.ids)) != 5
    table = posts.posts.table[kept].drop(columns=ROW_COLUMN)
    fewer = KeptPosts(
        replace(posts.posts, table=table),
        [id_ for id_, keep in zip(posts.ids, kept, strict=True) if keep],
        posts.vectors[kept],
    )
    found = fewer.trace(page.session.catalog, model.space, replace(QUICK, bootstraps=0))
    write_csv(found, tmp_path)
    write_summary(summary(found), tmp_path)
    (tmp_path / "curve.csv").unlink()  # as earlier builds left it
    copytree(page.session.catalog.folder, tmp_path / "catalog")
    session = Session(Catalog.open(tmp_path / "catalog"), "traced", keypoints=page.session.keypoints)
    with serving(session) as served:
        shown = served.get("/api/role-models")
        assert (shown["state"], shown["new"], shown["curve"]) == ("ready", 1, [])
        id_of = dict(zip(posts.posts.names, posts.ids, strict=True))
        assert [post["image"] for post in shown["leaders"]] == [id_of[post["path"]] for post in shown["leaders"]]
        (tmp_path / "edges.csv").write_text("nothing", encoding="utf-8")
        session.traces._read = None
        refused = served.client.get("/api/role-models")
        assert refused.status_code == 422
        assert "trace again" in refused.json()["detail"]


def test_a_model_of_whole_images(plain_page: Served) -> None:
    shown = plain_page.get("/api/role-models")
    assert shown["state"] == "none"
    assert "compares whole images" in shown["problem"]
    assert plain_page.client.post("/api/role-models", json={}).status_code == 409


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"timestamp": pd.NaT}, "has a time"),
        ({"author": ""}, "has an author"),
        ({}, "need 5 posts or more"),
    ],
)
def test_what_is_missing_is_told(page: Served, change: dict[str, Any], words: str) -> None:
    opened = page.session.require()
    facts = opened.facts.assign(**change) if change else opened.facts.head(3)
    assert words in obstacle(Opened(facts, opened.searcher))
    assert not obstacle(opened)


@pytest.mark.parametrize("asked", [{"draws": 3}, {"threshold": 1}, {"seed": -1}, {"draws": "many"}])
def test_settings_that_make_no_sense(page: Served, asked: dict[str, Any]) -> None:
    answer = page.client.post("/api/role-models", json=asked)
    assert answer.status_code == 422
    assert next(iter(asked)) in answer.json()["detail"]
