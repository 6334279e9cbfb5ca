"""How well a forest of parents, a ranking and a grouping agree with the truth, where that is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from doppelgram.rolemodels.scoring import Float64, Int64

Bool = NDArray[np.bool_]


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
    """Compare two forests.

    Args:
        found: (n,) parent of each post, -1 for none.
        true: (n,) likewise.
    """
    a, b = _parts(found), _parts(true)
    agree = [_jaccard(x, y) for x, y in zip(a, b, strict=True)]
    edge = _jaccard(_codes(found, np.arange(len(found))), _codes(true, np.arange(len(true))))
    return ForestScores(agree[0], edge, agree[1], _jaccard(_ancestry(found), _ancestry(true)))


def _parts(parent: Int64) -> tuple[Int64, Int64]:
    """Roots of trees and leaves of trees; a post by itself is neither."""
    followed = np.bincount(parent[parent >= 0], minlength=len(parent)) > 0
    return np.flatnonzero((parent < 0) & followed), np.flatnonzero((parent >= 0) & ~followed)


def _codes(above: Int64, below: Int64) -> Int64:
    linked = above >= 0
    return above[linked] * len(above) + below[linked]


def _ancestry(parent: Int64) -> Int64:
    """A number for each pair of an ancestor and a descendant."""
    everyone = np.arange(len(parent))
    above, found = parent.copy(), []
    while (above >= 0).any():
        found.append(_codes(above, everyone))
        above = np.where(above >= 0, parent[above], -1)
        if len(found) > len(parent):
            raise ValueError("the parents form a circle")
    return np.concatenate(found) if found else np.empty(0, dtype=np.int64)


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


def originators(arrangement: Int64, parent: Int64, time: Float64, *, least: int = 8) -> dict[int, int]:
    """For each true arrangement with ``least`` posts or more the post that truly set it.

    That is the first, by true time, of the posts that any other goes back to. An earlier one that nobody repeated set
    nothing; of an invention that nobody collected, the first repeat that was collected stands in. Arrangements in which
    nothing goes back to anything have none.

    Args:
        arrangement: (n,) number of each post's arrangement, -1 for none.
        parent: (n,) true parent, -1 for none.
        time: (n,) true time.
        least: posts an arrangement must have.
    """
    followed = descendants(parent, time) > 0
    found = {}
    for number in np.unique(arrangement[arrangement >= 0]).tolist():
        members = np.flatnonzero(arrangement == number)
        some = members[followed[members]]
        if len(members) >= least and len(some):
            found[int(number)] = int(some[np.argmin(time[some])])
    return found


def originator_first(score: Float64, arrangement: Int64, origin: dict[int, int]) -> Bool:
    """Whether the originator has the highest score of its true arrangement; ties count against.

    Args:
        score: (n,) of each post, NaN for posts that were not traced.
        arrangement: (n,) true arrangements.
        origin: as `originators` gives it.

    Returns:
        bool (arrangements,), in the order of ``origin``.
    """
    known = np.where(np.isnan(score), -np.inf, score)
    first = []
    for number, post in origin.items():
        others = np.flatnonzero(arrangement == number)
        others = others[others != post]
        first.append(known[post] > known[others].max(initial=-np.inf))
    return np.array(first, dtype=bool)


def adjusted_rand(found: NDArray[np.integer], true: NDArray[np.integer]) -> float:
    """Agreement of two groupings beyond chance: 1 for the same, 0 on average for unrelated ones.

    Hubert and Arabie, Comparing partitions (Journal of Classification 2, 1985).

    Args:
        found: (n,) number of each post's group; -1 means a group of its own.
        true: (n,) likewise.
    """
    a, b = (_alone(np.asarray(labels, dtype=np.int64)) for labels in (found, true))
    both = np.unique(np.column_stack([a, b]), axis=0, return_counts=True)[1]

    def pairs(sizes: NDArray[np.integer]) -> float:
        return float((sizes * (sizes - 1.0)).sum() / 2)

    together, in_a, in_b = pairs(both), pairs(np.bincount(a)), pairs(np.bincount(b))
    every = pairs(np.array([len(a)]))
    expected = in_a * in_b / every if every else 0.0
    most = (in_a + in_b) / 2
    return 1.0 if most == expected else (together - expected) / (most - expected)


def _alone(labels: Int64) -> Int64:
    free = int(labels.max(initial=-1)) + 1
    labels = labels.copy()
    labels[labels < 0] = free + np.arange(int((labels < 0).sum()))
    return labels
