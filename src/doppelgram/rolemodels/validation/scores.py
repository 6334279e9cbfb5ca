"""How well a forest of parents, a ranking and a grouping agree with the truth, where that is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from doppelgram.rolemodels.scoring import Bool, Float64, Int64


@dataclass(frozen=True)
class ForestScores:
    """Agreement of two forests over the same posts, each from 0 to 1, as shares of what either has.

    The four scores of image phylogeny forests (Dias, Goldenstein and Rocha, Toward image phylogeny forests:
    automatically recovering semantically similar image relationships, Forensic Science International 231, 2013):
    |A and B| / |A or B|.

    Attributes:
        root: of the posts without a parent that have followers.
        edge: of the pairs of a parent and its follower.
        leaf: of the posts with a parent and no followers.
        ancestry: of the pairs of a post and one below it.
    """

    root: float
    edge: float
    leaf: float
    ancestry: float


def forest_scores(found: Int64, true: Int64) -> ForestScores:
    """Compare two forests, each given as the parent of each post, (n,), -1 for none."""
    parts = zip(_parts(found), _parts(true), strict=True)
    return ForestScores(*(_jaccard(a, b) for a, b in parts))


def _parts(parent: Int64) -> tuple[Int64, Int64, Int64, Int64]:
    """Roots, edges, leaves and pairs of an ancestor and a descendant; a post by itself is neither root nor leaf."""
    followed = np.bincount(parent[parent >= 0], minlength=len(parent)) > 0
    roots, leaves = np.flatnonzero((parent < 0) & followed), np.flatnonzero((parent >= 0) & ~followed)
    above, levels = parent, [_codes(parent)]
    while (above >= 0).any():
        above = np.where(above >= 0, parent[above], -1)
        levels.append(_codes(above))
        if len(levels) > len(parent) + 1:
            raise ValueError("the parents form a circle")
    return roots, levels[0], leaves, np.concatenate(levels)


def _codes(above: Int64) -> Int64:
    """A number for each pair of a post and the one above it."""
    linked = np.flatnonzero(above >= 0)
    return above[linked] * len(above) + linked


def _jaccard(a: Int64, b: Int64) -> float:
    """Share of what is in either that is in both; 1 if both are empty."""
    either = len(np.union1d(a, b))
    return len(np.intersect1d(a, b)) / either if either else 1.0


def descendants(parent: Int64, time: Float64) -> Int64:
    """How many posts lie below each, (n,); parents are earlier than their followers."""
    total = np.zeros(len(parent), dtype=np.int64)
    for post in np.argsort(-time, kind="stable").tolist():
        if parent[post] >= 0:
            total[parent[post]] += 1 + total[post]
    return total


def originators(arrangement: Int64, parent: Int64, time: Float64, *, min_posts: int = 8) -> dict[int, int]:
    """For each true arrangement with ``min_posts`` posts or more the post that truly set it.

    That is the first, by true time, of the posts that any other goes back to. An earlier one that nobody repeated set
    nothing; of an invention that nobody collected, the first repeat that was collected stands in. Arrangements in which
    nothing goes back to anything have none. All arrays are (n,) and true; -1 is for no arrangement and no parent.
    """
    followed = descendants(parent, time) > 0
    origin = {}
    for number in np.unique(arrangement[arrangement >= 0]).tolist():
        members = np.flatnonzero(arrangement == number)
        some = members[followed[members]]
        if len(members) >= min_posts and len(some):
            origin[int(number)] = int(some[np.argmin(time[some])])
    return origin


def originator_first(score: Float64, arrangement: Int64, origin: dict[int, int]) -> Bool:
    """Whether the originator has the highest score of its true arrangement; ties count against.

    ``score`` (n,) is NaN for posts that were not traced, ``arrangement`` (n,) true, and ``origin`` from `originators`,
    whose order the result, bool (arrangements,), has.
    """
    traced = np.where(np.isnan(score), -np.inf, score)
    first = []
    for number, post in origin.items():
        others = np.flatnonzero(arrangement == number)
        others = others[others != post]
        first.append(traced[post] > traced[others].max(initial=-np.inf))
    return np.array(first, dtype=bool)


def adjusted_rand(found: NDArray[np.integer], true: NDArray[np.integer]) -> float:
    """Agreement of two groupings beyond chance: 1 for the same, 0 on average for unrelated ones.

    Hubert and Arabie, Comparing partitions (Journal of Classification 2, 1985). Both are (n,) numbers of each post's
    group; -1 means a group of its own.
    """
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score(*(_alone(np.asarray(labels, dtype=np.int64)) for labels in (true, found))))


def _alone(labels: Int64) -> Int64:
    free = int(labels.max(initial=-1)) + 1
    return np.where(labels < 0, free + np.arange(len(labels)), labels)
