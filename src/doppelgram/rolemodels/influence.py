"""What the shares add up to: influence, originality, trees of followers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from doppelgram.rolemodels.attribution import Attribution, Float64, Int64, Matches
from doppelgram.rolemodels.scoring import sigmoid


def influence(found: Attribution, time: Float64, passing_on: float) -> Float64:
    """Influence of each post, float64 (n,): ``R_i = sum_j share(i -> j) * (1 + passing_on * R_j)``.

    As in PageRank (Page, Brin, Motwani and Winograd 1999), being followed by the influential counts for more; since
    time has a direction, one pass from the last post to the first gives it exactly.
    """
    result = np.zeros(len(time))
    ends = np.searchsorted(found.source, np.arange(len(time) + 1))
    share = np.where(found.own, 0.0, found.share)
    some = np.flatnonzero(np.diff(ends))
    for post in some[np.argsort(-time[some], kind="stable")].tolist():
        part = slice(ends[post], ends[post + 1])
        result[post] = share[part] @ (1 + passing_on * result[found.target[part]])
    return result


def originality(found: Attribution, matches: Matches, n: int) -> Float64:
    """One less the highest probability that an earlier post, by anybody, shows the same; 1 for the first, (n,)."""
    best = np.zeros(n)
    np.maximum.at(best, found.target, sigmoid(matches.odds[found.match]))
    return 1 - best


@dataclass(frozen=True)
class Trees:
    """Each post with at most one parent; arrays (n,).

    Attributes:
        parent: most likely predecessor, by another author; -1 where nobody is likelier.
        edge: the edge from the parent, -1 for none.
        followers: posts whose parent this is.
        total: posts below it, followers' followers and so on included.
        depth: longest chain of followers below it.
        first, last: time of the first and of the last post below it; NaN without any.
    """

    parent: Int64
    edge: Int64
    followers: Int64
    total: Int64
    depth: Int64
    first: Float64
    last: Float64


def trees(found: Attribution, time: Float64) -> Trees:
    """Give each post its most likely predecessor, unless nobody is at least as likely.

    Of equally likely ones the earliest is taken.
    """
    n = len(time)
    allowed = np.flatnonzero(~found.own)
    order = allowed[np.lexsort((-time[found.source[allowed]], found.share[allowed], found.target[allowed]))]
    edge = np.full(n, -1, dtype=np.int64)
    edge[found.target[order]] = order  # the last of each target stays: the largest share, the earliest source
    likely = np.flatnonzero(edge >= 0)
    edge[likely[found.share[edge[likely]] <= found.nobody[likely]]] = -1
    parent = np.where(edge >= 0, found.source[edge], -1) if len(found.source) else np.full(n, -1, dtype=np.int64)
    followers = np.bincount(parent[parent >= 0], minlength=n)
    total, depth = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    first, last = np.full(n, np.inf), np.full(n, -np.inf)
    some = np.flatnonzero(parent >= 0)
    order = some[np.argsort(-time[some], kind="stable")]
    for post, above, when in zip(order.tolist(), parent[order].tolist(), time[order].tolist(), strict=True):
        total[above] += 1 + total[post]
        depth[above] = max(depth[above], 1 + depth[post])
        first[above] = min(first[above], when)
        last[above] = max(last[above], when, last[post])
    first[total == 0] = last[total == 0] = np.nan
    return Trees(parent, edge, followers, total, depth, first, last)


def half_lives(found: Attribution, n: int) -> Float64:
    """Days until half of the shares that others' posts give to a post had come about, (n,); NaN without any."""
    kept = np.flatnonzero(~found.own & (found.share > 0))
    order = kept[np.lexsort((found.lag[kept], found.source[kept]))]
    result = np.full(n, np.nan)
    if not len(order):
        return result
    source, share = found.source[order], found.share[order]
    running = np.cumsum(share)
    totals = np.bincount(source, share, n)
    before = np.concatenate([[0.0], np.cumsum(totals)])
    reached = running - before[source] >= totals[source] / 2 - 1e-12
    posts, where = np.unique(source[reached], return_index=True)
    result[posts] = found.lag[order[reached][where]]
    return result
