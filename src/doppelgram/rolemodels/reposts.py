"""Posts that show the photograph of an earlier post again."""

from __future__ import annotations

import numpy as np

from doppelgram.rolemodels.posts import PostTable
from doppelgram.rolemodels.scoring import Bool, Int64


def reposts_of(posts: PostTable, photograph: Int64 | None, clocks: Bool) -> Int64:
    """For each post the position of the first post of the same photograph, -1 for that post itself, (n,).

    The first is the earliest; posts without a usable time come after all others, and of equal ones the first
    in the table is.

    Args:
        posts: the posts.
        photograph: (n,) number of the photograph that each shows, from whatever tells copies; None if not known.
        clocks: (n,) whether the time is that of a clock that was never set.
    """
    n = len(posts)
    if photograph is None or not n:
        return np.full(n, -1, dtype=np.int64)
    time = np.where(np.isnan(posts.timestamp) | clocks, np.inf, posts.timestamp)
    order = np.lexsort((np.arange(n), time, photograph))
    _, starts, inverse = np.unique(photograph[order], return_index=True, return_inverse=True)
    first = np.empty(n, dtype=np.int64)
    first[order] = order[starts][inverse]
    return np.where(first == np.arange(n), -1, first)
