"""Section of `ready_made.py`: whether one calibration serves both kinds of a place shown again.

A place is shown again in another view, as in `posts`, or in the very same one, as in `posts_views`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from doppelgram.evaluation.joint_fit import Kinds, fit_joint, pair_kinds
from doppelgram.evaluation.verification import pair_metrics
from doppelgram.space.arrangement import ArrangementSpace
from doppelgram.studies.role_model.protocols import open_protocol, read_grouped_posts
from posts import Questions
from ready_made import Options, Table
from ready_made_places import Embedded, embedded, figure, ready

Array = NDArray[Any]

# What `fit_joint` chose on the posts that the shipped calibration was fitted to.
_OF_POSTS = 0.273


def kinds_of_places(options: Options) -> Table:
    """One calibration for both kinds, by what it was fitted to."""
    table = Table(
        "One calibration for places shown again in another view (the test part of the open protocol of `posts`) and in "
        "the same view (pairs of `pairs.csv` of `posts_views` of which both photographs show one of every second "
        "place, from the second on). It is fitted to the pairs of every second place and pose of `posts`, to those of "
        "`pairs.csv` among the other places, or to as many of each; poses and people are the same in both halves of "
        "`posts_views`. Accuracy weighs same and different pairs equally."
    )
    model = ready(options)["ready-made"]
    bare = replace(model.space, offset=(), shift=())
    names = {name: embedded(options, name, model, everything=True) for name in ("posts", "posts_views")}
    posts, asked_posts = _of_posts(options, names["posts"])
    views, asked_views = _of_views(options, names["posts_views"])
    centred = {name: _centred(found) for name, found in names.items()}
    vectors, offset = np.vstack(list(centred.values())), len(centred["posts"])
    views = Kinds(views.same + offset, views.place + offset, views.pose + offset)
    asked = {"posts": asked_posts, "posts_views": (asked_views[0] + offset, asked_views[1])}
    shipped = model.space.calibration
    ways = {
        "as shipped": shipped,
        "as shipped, from the threshold on that suits posts best": replace(shipped, threshold=_OF_POSTS),
        "fitted to `posts`": fit_joint(bare, vectors, posts, "posts"),
        "fitted to `posts_views`": fit_joint(bare, vectors, views, "posts_views"),
        "fitted to both": fit_joint(bare, vectors, _both(posts, views), "both"),
    }
    for way, calibration in ways.items():
        space = replace(bare, calibration=calibration)
        row: dict[str, Any] = {"threshold": round(calibration.threshold, 3)}
        for name, (pairs, same) in asked.items():
            distance = space.distance(vectors[pairs[:, 0]], vectors[pairs[:, 1]])
            metrics, _ = pair_metrics(distance, same, pairs[:, 0], pairs[:, 1], threshold=space.threshold)
            row |= {f"{name}: told rightly": figure(metrics["pair_accuracy"])}
            row |= {f"{name}: AUC": figure(metrics["pair_auc"])}
        table.rows[way] = row
    return table


def _centred(found: Embedded) -> Array:
    """Vectors whose places are centred as in a search of the whole set, for a space that centres nothing."""
    space: ArrangementSpace = found.space
    return np.hstack([space.split(found.vectors)[0], found.vectors[:, space.place_dim :]])


def _of_posts(options: Options, found: Embedded) -> tuple[Kinds, tuple[Array, Array]]:
    """Pairs to fit to, and pairs (m, 2) of the open protocol's test part with whether they are the same."""
    posts = read_grouped_posts(options.data / "posts")
    row_of = {path: row for row, path in enumerate(found.rows["path"])}
    rows = np.array([row_of[str(name)] for name in posts.names])
    place, pose, person, photo = (posts.column(name) for name in ("place", "pose", "person", "photo"))
    half = np.isin(place, sorted(set(place) - {""})[::2]) & np.isin(pose, sorted(set(pose) - {""})[::2])
    chosen = np.flatnonzero(half)
    apart = np.logical_and(*(group[chosen][:, None] != group[chosen][None] for group in (person, photo)))
    kinds = pair_kinds(place[chosen], pose[chosen], apart, seed=0)
    a, b, same = Questions.of(posts, open_protocol(posts, seed=0)).pairs["test"]
    here = rows[chosen]
    return Kinds(here[kinds.same], here[kinds.place], here[kinds.pose]), (rows[np.stack([a, b], 1)], same)


def _of_views(options: Options, found: Embedded) -> tuple[Kinds, tuple[Array, Array]]:
    """Pairs of `pairs.csv` among every second place to fit to, and those among the others with what is true."""
    folder = options.data / "posts_views"
    place = pd.read_csv(folder / "truth.csv").set_index("path")["place"].reindex(found.rows["path"]).to_numpy()
    half = np.isin(place, sorted(set(place))[::2])
    pairs = pd.read_csv(folder / "pairs.csv", dtype={"path_a": str, "path_b": str})
    row_of = {path: row for row, path in enumerate(found.rows["path"])}
    ends = np.stack([pairs[column].map(row_of).to_numpy() for column in ("path_a", "path_b")], 1)
    fitted, asked, kind = half[ends].all(1), ~half[ends].any(1), pairs["kind"].to_numpy()
    names = ("same", "same-view-other-pose", "same-pose-other-place")
    kinds = Kinds(*(ends[fitted & (kind == name)] for name in names))
    return kinds, (ends[asked], kind[asked] == "same")


def _both(first: Kinds, second: Kinds) -> Kinds:
    """As many pairs of the first as of the second, kind by kind."""
    rng, found = np.random.default_rng(0), []
    for one, other in zip((first.same, first.place, first.pose), (second.same, second.place, second.pose), strict=True):
        count = min(len(one), len(other))
        found.append(np.concatenate([rng.permutation(one)[:count], rng.permutation(other)[:count]]))
    return Kinds(*found)
