"""Groups of posts as arrays of labels, (n,) int64: numbering and members."""

from __future__ import annotations

import numpy as np

from doppelgram.rolemodels.scoring import Int64


def number_by_first(labels: Int64) -> Int64:
    """Groups numbered from 0 in the order of their first posts, (n,)."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return np.asarray(rank[inverse])


def number_by_size(labels: Int64, min_posts: int) -> Int64:
    """Groups numbered from the largest on, of equal ones the lower label first; -1 for smaller than ``min_posts``."""
    sizes = np.bincount(labels, minlength=1)
    number = np.empty(len(sizes), dtype=np.int64)
    number[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    return np.asarray(np.where(sizes[labels] >= min_posts, number[labels], -1), dtype=np.int64)


def members_of(labels: Int64, count: int = 0) -> list[Int64]:
    """Positions of the members of each group from 0 on, in ascending order; ``count`` groups or more."""
    ends = np.cumsum(np.bincount(labels, minlength=count))
    return np.split(np.argsort(labels, kind="stable"), ends[:-1])
