"""The tidy tables of `RoleModels`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from doppelgram.rolemodels.influence import half_lives
from doppelgram.rolemodels.null import Evidence
from doppelgram.rolemodels.posts import PostTable
from doppelgram.rolemodels.scoring import Float64, Int64, sigmoid

if TYPE_CHECKING:
    from doppelgram.rolemodels.trace import Findings, Grouping

# Attributions below this are left out of the table of edges, unless they are a parent's.
SMALLEST = 0.01


def place_codes(posts: PostTable, clusters: Int64) -> Int64:
    """The place of each post as a number: its label, or where it has none its place by the embeddings, (n,)."""
    if posts.place is None:
        return clusters
    labels = posts.place.astype(str)
    _, codes = np.unique(labels, return_inverse=True)
    return np.asarray(np.where(labels == "", int(codes.max(initial=0)) + 1 + clusters, codes), dtype=np.int64)


def _place_names(posts: PostTable, clusters: Int64) -> NDArray[Any]:
    names = np.array([f"place {k + 1}" for k in range(int(clusters.max(initial=-1)) + 1)], dtype=object)
    found = names[clusters] if len(names) else np.empty(0, dtype=object)
    return found if posts.place is None else np.where(posts.place.astype(str) == "", found, posts.place)


def _times(seconds: Float64) -> pd.Series[Any]:
    whole = pd.Series(np.round(seconds), dtype="float64")
    return pd.to_datetime(whole, unit="s", utc=True)


def role_models(posts: PostTable, groups: Grouping, found: Findings, clocks: NDArray[np.bool_]) -> pd.DataFrame:
    """Every post in the order given; columns as `RoleModels.role_models` has them."""
    n, rows, evidence, tree = len(posts), found.rows, found.evidence, found.trees

    def spread(values: NDArray[Any], dtype: str = "float64") -> Any:
        column = np.full(n, np.nan)
        column[rows] = values
        return pd.array(column, dtype="Int64") if dtype == "Int64" else column

    width = max(3, len(str(int(groups.arrangement.max(initial=0)) + 1)))
    names = np.array([f"a{k + 1:0{width}d}" for k in range(int(groups.arrangement.max(initial=-1)) + 1)], dtype=object)
    arrangement = np.full(n, "", dtype=object)
    shared = groups.arrangement >= 0
    arrangement[shared] = names[groups.arrangement[shared]]
    parent = np.full(n, "", dtype=object)
    follows = tree.parent >= 0
    parent[rows[follows]] = posts.path[rows[tree.parent[follows]]]
    status = np.full(n, "traced", dtype=object)
    status[np.isnan(posts.timestamp)] = "undated"
    status[clocks] = "clock not set"
    status[~groups.people] = "nobody in it"
    place, pose = _match_scores(found)
    table = pd.DataFrame(
        {
            "path": posts.path,
            "arrangement": arrangement,
            "place_score": spread(place),
            "pose_score": spread(pose),
            "author": posts.author,
            "timestamp": _times(posts.timestamp),
            "parent": parent,
            "influence": spread(found.influence),
            "originality": spread(found.originality),
            "score": spread(found.score),
            "followers": spread(tree.followers, "Int64"),
            "excess": spread(evidence.attributed - evidence.expected),
            "p_value": spread(evidence.p_value),
            "rank_low": spread(found.rank_low, "Int64"),
            "rank_high": spread(found.rank_high, "Int64"),
            "q_value": spread(evidence.q_value),
            "rank": spread(found.rank, "Int64"),
            "attributed": spread(evidence.attributed),
            "excess_low": spread(evidence.excess_low),
            "excess_high": spread(evidence.excess_high),
            "follower_authors": spread(_follower_authors(posts, found), "Int64"),
            "total_followers": spread(tree.total, "Int64"),
            "depth": spread(tree.depth, "Int64"),
            "half_life": spread(half_lives(found.edges, len(rows))),
            "first_repeat": _times(spread(tree.first)),
            "last_repeat": _times(spread(tree.last)),
            "place": _place_names(posts, groups.place),
            "status": status,
        }
    )
    for name, column in posts.extra.items():
        table[name if name not in table.columns else f"{name}_given"] = column
    return table


def _match_scores(found: Findings) -> tuple[Float64, Float64]:
    """Mean probability of the same place and of the same pose over the matches with others' posts, (m,) each."""
    n, matches = len(found.rows), found.matches
    ends = np.concatenate([matches.left[~matches.own], matches.right[~matches.own]])
    size = np.bincount(ends, minlength=n).astype(np.float64)
    size[size == 0] = np.nan
    place, pose = (
        np.bincount(ends, np.tile(values[~matches.own], 2), n) / size for values in (matches.place, matches.pose)
    )
    return place, pose


def _follower_authors(posts: PostTable, found: Findings) -> Int64:
    """How many different authors a post's followers have, (m,)."""
    n, parent = len(found.rows), found.trees.parent
    follows = np.flatnonzero(parent >= 0)
    pairs = np.unique(np.column_stack([parent[follows], posts.author_codes[found.rows[follows]]]), axis=0)
    return np.bincount(pairs[:, 0], minlength=n)


def best_first(every: pd.DataFrame) -> pd.DataFrame:
    """Posts by score, then influence, then time, then path; those that were not traced last."""
    return every.sort_values(
        ["score", "influence", "timestamp", "path"], ascending=[False, False, True, True], kind="stable"
    ).reset_index(drop=True)


def edges(posts: PostTable, groups: Grouping, found: Findings) -> pd.DataFrame:
    """Edges between posts of different authors, as `RoleModels.edges` has them, by source and then by attribution."""
    graph = found.edges
    parents = np.zeros(len(graph.source), dtype=bool)
    parents[found.trees.edge[found.trees.edge >= 0]] = True
    kept = np.flatnonzero(~graph.own & ((graph.share >= SMALLEST) | parents))
    kept = kept[np.lexsort((-graph.share[kept], graph.source[kept]))]
    source, target = found.rows[graph.source[kept]], found.rows[graph.target[kept]]
    match = graph.match[kept]
    number = groups.arrangement[target]
    width = max(3, len(str(int(groups.arrangement.max(initial=0)) + 1)))
    return pd.DataFrame(
        {
            "source": posts.path[source],
            "target": posts.path[target],
            "attribution": graph.share[kept],
            "probability": sigmoid(found.matches.odds[match]),
            "place_score": found.matches.place[match],
            "pose_score": found.matches.pose[match],
            "lag_days": graph.lag[kept],
            "is_parent": parents[kept],
            "arrangement": np.array([f"a{k + 1:0{width}d}" if k >= 0 else "" for k in number.tolist()], dtype=object),
        }
    )


def _leaders(table: pd.DataFrame, by: str) -> pd.DataFrame:
    """The best post of each group, indexed by the group."""
    return best_first(table[table[by] != ""]).drop_duplicates(by).set_index(by)


def _groups(table: pd.DataFrame, by: str) -> pd.DataFrame:
    """What posts add up to in each group, and its best post."""
    some = table[table[by] != ""]
    grouped = some.groupby(by, sort=True)
    result = pd.DataFrame(
        {
            "posts": grouped.size(),
            "authors": some[some["author"] != ""].groupby(by)["author"].nunique(),
            "influence": grouped["influence"].sum(),
            "score": grouped["score"].sum(),
            "attributed": grouped["attributed"].sum(),
            "excess": grouped["excess"].sum(),
            "followers": grouped["followers"].sum(),
            "best": _leaders(table, by)["path"],
        }
    )
    result["authors"] = result["authors"].fillna(0).astype("int64")
    return result


def arrangements(every: pd.DataFrame, evidence: Evidence) -> pd.DataFrame:
    """As `RoleModels.arrangements`, the largest first."""
    sums, leader = _groups(every, "arrangement"), _leaders(every, "arrangement")
    some = every[every["arrangement"] != ""]
    dated = some[some["status"] == "traced"].sort_values(["timestamp", "path"])
    first = dated.drop_duplicates("arrangement").set_index("arrangement")
    last = dated.drop_duplicates("arrangement", keep="last").set_index("arrangement")
    result = pd.DataFrame(
        {
            "posts": sums["posts"],
            "authors": sums["authors"],
            "place": leader["place"],
            "role_model": leader["path"],
            "earliest": first["path"],
            "first": first["timestamp"],
            "last": last["timestamp"],
        }
    )
    for name in ("author", "score", "followers", "total_followers", "excess", "p_value", "q_value"):
        result[name] = leader[name]
    result["earliest"] = result["earliest"].fillna("")
    # Names sort as numbers do.
    spread = {"spread_excess": evidence.group_excess, "spread_p": evidence.group_p, "spread_q": evidence.group_q}
    for name, values in spread.items():
        column = np.full(len(result), np.nan)
        column[: len(values)] = values
        result[name] = column
    return result.reset_index(names="arrangement")


def authors(every: pd.DataFrame) -> pd.DataFrame:
    """As `RoleModels.authors`, by score; posts without an author are left out."""
    result = _groups(every, "author").drop(columns="authors")
    leaders = _leaders(every, "arrangement")
    led = leaders[leaders["score"] > 0]["author"].value_counts()
    distinct = every[every["author"] != ""].groupby("author")["follower_authors"].sum()
    result["follower_authors"] = distinct
    result["arrangements_led"] = led.reindex(result.index).fillna(0).astype("int64")
    order = [
        "posts",
        "influence",
        "score",
        "attributed",
        "excess",
        "followers",
        "follower_authors",
        "arrangements_led",
        "best",
    ]
    return result[order].sort_values("score", ascending=False, kind="stable").reset_index(names="author")


def places(every: pd.DataFrame) -> pd.DataFrame:
    """As `RoleModels.places`, by influence."""
    result = _groups(every, "place")
    some = every[every["arrangement"] != ""]
    number = some.groupby("place")["arrangement"].nunique()
    result["arrangements"] = number.reindex(result.index).fillna(0).astype("int64")
    order = ["posts", "authors", "arrangements", "influence", "attributed", "excess", "best"]
    return result[order].sort_values("influence", ascending=False, kind="stable").reset_index(names="place")


def curve(evidence: Evidence) -> pd.DataFrame:
    """As `RoleModels.curve`."""
    names = ("days", "observed", "expected", "low", "high")
    return pd.DataFrame({name: getattr(evidence.curve, name) for name in names})


def robustness(found: Findings, threshold: float) -> pd.DataFrame:
    """As `RoleModels.robustness`."""
    names = ["threshold", "decay_days", "kept", "same_first", "correlation"]
    table = pd.DataFrame([[getattr(line, name) for name in names] for line in found.robustness], columns=names)
    table["used"] = (table["threshold"] == threshold) & (table["decay_days"] == found.edges.decay)
    return table
