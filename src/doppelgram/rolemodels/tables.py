"""The tidy tables of `RoleModels`; the columns of each are listed there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from doppelgram.rolemodels.influence import half_lives
from doppelgram.rolemodels.posts import PostTable
from doppelgram.rolemodels.scoring import Bool, Float64, Int64, sigmoid
from doppelgram.rolemodels.spread import Spread
from doppelgram.rolemodels.traced import Findings, Grouping

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
    names = np.array([f"place {k + 1}" for k in clusters.tolist()], dtype=object)
    return names if posts.place is None else np.where(posts.place.astype(str) == "", names, posts.place)


def _arrangement_names(numbers: Int64, largest: int) -> NDArray[Any]:
    """Names of arrangements, empty for -1; they sort as the numbers do up to the largest."""
    width = max(3, len(str(largest + 1)))
    return np.array([f"a{k + 1:0{width}d}" if k >= 0 else "" for k in numbers.tolist()], dtype=object)


def _times(seconds: Float64) -> pd.Series[Any]:
    whole = pd.Series(np.round(seconds), dtype="float64")
    return pd.to_datetime(whole, unit="s", utc=True)


def role_models(
    posts: PostTable, groups: Grouping, found: Findings, clocks: Bool, again: Int64, aside: Bool
) -> pd.DataFrame:
    """Every post, in the order given; ``again`` and ``aside`` say which show an earlier one's photograph."""
    n, rows, evidence, tree = len(posts), found.rows, found.evidence, found.trees

    def spread(values: NDArray[Any]) -> Float64:
        column = np.full(n, np.nan)
        column[rows] = values
        return column

    def whole(values: Int64) -> Any:
        return pd.Series(spread(values)).astype("Int64").array

    def of_arrangement(values: Float64) -> Float64:
        column = np.full(n, np.nan)
        inside = groups.arrangement >= 0
        known = inside & (groups.arrangement < len(values))
        column[known] = np.where(found.spread.tested, values, np.nan)[groups.arrangement[known]]
        return column

    parent = np.full(n, "", dtype=object)
    follows = tree.parent >= 0
    parent[rows[follows]] = posts.path[rows[tree.parent[follows]]]
    status = np.full(n, "traced", dtype=object)
    status[np.isnan(posts.timestamp)] = "undated"
    status[clocks] = "clock not set"
    status[aside] = "repost"
    status[~groups.people] = "nobody in it"
    place, pose = _match_scores(found)
    table = pd.DataFrame(
        {
            "path": posts.path,
            "arrangement": _arrangement_names(groups.arrangement, int(groups.arrangement.max(initial=0))),
            "place_score": spread(place),
            "pose_score": spread(pose),
            "author": posts.author,
            "timestamp": _times(posts.timestamp),
            "parent": parent,
            "influence": spread(found.influence),
            "originality": spread(found.originality),
            "score": spread(found.score),
            "followers": whole(tree.followers),
            "excess": spread(evidence.attributed - evidence.expected),
            "origin": spread(found.origin),
            "rank_low": whole(found.rank_low),
            "rank_high": whole(found.rank_high),
            "spread_p": of_arrangement(found.spread.p_value),
            "spread_q": of_arrangement(found.spread.q_value),
            "rank": whole(found.rank),
            "attributed": spread(evidence.attributed),
            "excess_low": spread(evidence.excess_low),
            "excess_high": spread(evidence.excess_high),
            "follower_authors": whole(_follower_authors(posts, found)),
            "total_followers": whole(tree.total),
            "depth": whole(tree.depth),
            "half_life": spread(half_lives(found.edges, len(rows))),
            "first_repeat": _times(spread(tree.first)),
            "last_repeat": _times(spread(tree.last)),
            "place": _place_names(posts, groups.place),
            "reposts": np.bincount(again[again >= 0], minlength=n),
            "repost_of": np.where(again >= 0, posts.path[again] if n else "", ""),
            "status": status,
        }
    )
    for name, column in posts.extra.items():
        table[name if name not in table.columns else f"{name}_given"] = column
    return table


def _match_scores(found: Findings) -> tuple[Float64, Float64]:
    """Mean probability of the same place and of the same pose over the matches with others' posts, (m,) each."""
    n, matches = len(found.rows), found.matches.take(~found.matches.same_author)
    ends = np.concatenate([matches.left, matches.right])
    size = np.bincount(ends, minlength=n).astype(np.float64)
    size[size == 0] = np.nan
    place, pose = (np.bincount(ends, np.tile(values, 2), n) / size for values in (matches.place, matches.pose))
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
    """Edges between posts of different authors, by source and then by attribution."""
    graph = found.edges
    parents = np.zeros(len(graph.source), dtype=bool)
    parents[found.trees.edge[found.trees.edge >= 0]] = True
    kept = np.flatnonzero(~graph.same_author & ((graph.share >= SMALLEST) | parents))
    kept = kept[np.lexsort((-graph.share[kept], graph.source[kept]))]
    source, target = found.rows[graph.source[kept]], found.rows[graph.target[kept]]
    match = graph.match[kept]
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
            "arrangement": _arrangement_names(groups.arrangement[target], int(groups.arrangement.max(initial=0))),
            "view_points": pd.array([pd.NA] * len(kept), dtype="Int64"),
        }
    )


def _leaders(table: pd.DataFrame, by: str) -> pd.DataFrame:
    """The best post of each group, indexed by the group."""
    return best_first(table[table[by] != ""]).drop_duplicates(by).set_index(by)


def _groups(table: pd.DataFrame, by: str) -> pd.DataFrame:
    """What posts add up to in each group, and its best post."""
    some = table[table[by] != ""]
    grouped = some.groupby(by, sort=True)
    sums = ["influence", "score", "attributed", "excess", "followers"]
    result = grouped[sums].sum().assign(posts=grouped.size(), best=_leaders(table, by)["path"])
    authors = some[some["author"] != ""].groupby(by)["author"].nunique()
    return result.assign(authors=authors.reindex(result.index).fillna(0).astype("int64"))


def arrangements(every: pd.DataFrame, test: Spread) -> pd.DataFrame:
    """Every arrangement, the largest first."""
    sums, leader = _groups(every, "arrangement"), _leaders(every, "arrangement")
    dated = every[(every["arrangement"] != "") & (every["status"] == "traced")].sort_values(["timestamp", "path"])
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
    for name in ("author", "score", "followers", "total_followers", "excess"):
        result[name] = leader[name]
    result["earliest"] = result["earliest"].fillna("")
    # The tests are in the order of the names.
    tests = {
        "spread_authors": test.authors.astype(np.float64),
        "spread_p": np.where(test.tested, test.p_value, np.nan),
        "spread_q": np.where(test.tested, test.q_value, np.nan),
        "shuffles": np.where(test.tested, test.draws, np.nan),
    }
    for name, values in tests.items():
        result[name] = pd.Series(values, result.index[: len(values)])
    for name in ("spread_authors", "shuffles"):
        result[name] = result[name].fillna(0).astype("int64")
    likeliest = dated.sort_values(["origin", "timestamp", "path"], ascending=[False, True, True], kind="stable")
    origin = likeliest.drop_duplicates("arrangement").set_index("arrangement")
    result["originator"], result["origin"] = origin["path"], origin["origin"]
    result["originator"] = result["originator"].fillna("")
    return result.reset_index(names="arrangement")


def authors(every: pd.DataFrame) -> pd.DataFrame:
    """Every author, by score; posts without an author are left out."""
    result = _groups(every, "author")
    leaders = _leaders(every, "arrangement")
    led = leaders[leaders["score"] > 0]["author"].value_counts()
    result["follower_authors"] = every[every["author"] != ""].groupby("author")["follower_authors"].sum()
    result["arrangements_led"] = led.reindex(result.index).fillna(0).astype("int64")
    order = ["posts", "influence", "score", "attributed", "excess", "followers", "follower_authors"]
    order += ["arrangements_led", "best"]
    return result[order].sort_values("score", ascending=False, kind="stable").reset_index(names="author")


def places(every: pd.DataFrame) -> pd.DataFrame:
    """Every place, by influence."""
    result = _groups(every, "place")
    number = every[every["arrangement"] != ""].groupby("place")["arrangement"].nunique()
    result["arrangements"] = number.reindex(result.index).fillna(0).astype("int64")
    order = ["posts", "authors", "arrangements", "influence", "attributed", "excess", "best"]
    return result[order].sort_values("influence", ascending=False, kind="stable").reset_index(names="place")
