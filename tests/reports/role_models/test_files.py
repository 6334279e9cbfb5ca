from __future__ import annotations

import json
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from doppelgram.reports.role_models import files as tracing_files
from doppelgram.reports.role_models.files import TABLES, write_summary, write_tables
from doppelgram.rolemodels.posts import PostTable
from doppelgram.rolemodels.result import RoleModels
from doppelgram.rolemodels.settings import TraceSettings
from doppelgram.rolemodels.trace import trace_posts
from doppelgram.rolemodels.validation.simulate import WorldSettings, simulate

QUICK = TraceSettings(draws=19, bootstraps=10)
ODD = 'a\x00b\x1b ,"<é>\n'


@pytest.fixture(scope="module")
def found() -> RoleModels:
    world = simulate(WorldSettings(posts=120, places=2, poses=2, undated=0.1), seed=3)
    authors = np.array([f"{ODD}{author}" for author in world.posts.author], dtype=object)
    posts = PostTable(world.posts.path, authors, world.posts.timestamp, world.posts.place)
    return trace_posts(posts, world.vectors, world.space, QUICK)


def test_the_tables_hold_what_a_trace_found(found: RoleModels, tmp_path: Path) -> None:
    written = write_tables(found, tmp_path / "new")
    tables = {f"{name}.csv" for name in (*TABLES, "codebook")}
    assert {file.name for file in written} == {*tables, "graph.gexf", "graph.graphml"}
    assert {file.name for file in (tmp_path / "new").iterdir()} == {file.name for file in written}
    table = pd.read_csv(tmp_path / "new/role_models.csv", keep_default_na=False)
    assert list(table.columns[:15]) == [
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
    assert table["path"].tolist() == found.role_models["path"].tolist()
    first = found.role_models["timestamp"].iloc[0]
    assert table["timestamp"].iloc[0] == first.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert (table["timestamp"] == "").sum() == found.role_models["timestamp"].isna().sum() > 0
    scores = pd.to_numeric(table["score"].head(20))
    assert np.allclose(scores, found.role_models["score"].head(20), rtol=1e-5)


def test_the_edges_make_the_graph_again(found: RoleModels, tmp_path: Path) -> None:
    write_tables(found, tmp_path)
    edges = pd.read_csv(tmp_path / "edges.csv")
    made = nx.from_pandas_edgelist(edges, "source", "target", ["attribution"], create_using=nx.DiGraph)
    graph = found.graph()
    for other in (made, nx.read_gexf(tmp_path / "graph.gexf"), nx.read_graphml(tmp_path / "graph.graphml")):
        assert set(other.edges) == set(graph.edges)
    assert nx.is_directed_acyclic_graph(graph)
    whole = nx.read_graphml(tmp_path / "graph.graphml")
    node = found.role_models["path"].iloc[0]
    assert whole.nodes[node]["score"] == pytest.approx(found.role_models["score"].iloc[0])
    assert "\ufffd" in whole.nodes[node]["author"]
    source, target = next(iter(graph.edges))
    assert whole.edges[source, target]["weight"] == pytest.approx(graph.edges[source, target]["weight"])


def test_a_graph_of_many_edges_keeps_parents(
    found: RoleModels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parents = int(found.edges["is_parent"].sum())
    monkeypatch.setattr(tracing_files, "MOST_EDGES", parents + 5)
    write_tables(found, tmp_path)
    kept = nx.read_gexf(tmp_path / "graph.gexf").edges(data=True)
    assert len(kept) == parents + 5
    assert sum(facts["is_parent"] for _, _, facts in kept) == parents
    assert len(pd.read_csv(tmp_path / "edges.csv")) == len(found.edges) > parents + 5


def test_nothing_to_write_is_written_too(tmp_path: Path) -> None:
    world = simulate(WorldSettings(posts=40), seed=0)
    nothing = PostTable(world.posts.path[:0], world.posts.author[:0], world.posts.timestamp[:0])
    write_tables(trace_posts(nothing, world.vectors[:0], world.space, QUICK), tmp_path)
    assert len(pd.read_csv(tmp_path / "role_models.csv")) == 0
    assert len(nx.read_gexf(tmp_path / "graph.gexf")) == 0


def test_a_summary_is_json(tmp_path: Path) -> None:
    file = write_summary({"notes": ["é"], "counts": {"posts": 3}}, tmp_path)
    assert json.loads(file.read_text(encoding="utf-8")) == {"notes": ["é"], "counts": {"posts": 3}}
