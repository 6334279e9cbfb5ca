"""What the shares add up to: influence, originality, trees of followers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from doppelgram.rolemodels.attribution import Attribution, Matches
from doppelgram.rolemodels.scoring import Float64, Int64, sigmoid


def influence(graph: Attribution, time: Float64, damping: float) -> Float64:
    """Influence of each post, float64 (n,): ``R_i = sum_j share(i -> j) * (1 + damping * R_j)``.

    As in PageRank (Page, Brin, Motwani and Winograd 1999), being followed by the influential counts for more; since
    time has a direction, one pass from the last post to the first gives it exactly.
    """
    result = np.zeros(len(time))
    ends = np.searchsorted(graph.source, np.arange(len(time) + 1))
    share = np.where(graph.same_author, 0.0, graph.share)
    followed = np.flatnonzero(np.diff(ends))
    for post in followed[np.argsort(-time[followed], kind="stable")].tolist():
        part = slice(ends[post], ends[post + 1])
        result[post] = share[part] @ (1 + damping * result[graph.target[part]])
    return result


def originality(graph: Attribution, matches: Matches, n: int) -> Float64:
    """One less the highest probability that an earlier post, by anybody, shows the same; 1 for the first, (n,)."""
    best = np.zeros(n)
    np.maximum.at(best, graph.target, sigmoid(matches.odds[graph.match]))
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


def trees(graph: Attribution, time: Float64) -> Trees:
    """Give each post its most likely predecessor, of equally likely ones the earliest, unless nobody is as likely."""
    n = len(time)
    allowed = np.flatnonzero(~graph.same_author)
    order = allowed[np.lexsort((-time[graph.source[allowed]], graph.share[allowed], graph.target[allowed]))]
    edge = np.full(n, -1, dtype=np.int64)
    edge[graph.target[order]] = order  # the last of each target stays: the largest share, the earliest source
    likely = np.flatnonzero(edge >= 0)
    edge[likely[graph.share[edge[likely]] <= graph.nobody[likely]]] = -1
    parent = np.full(n, -1, dtype=np.int64)
    parent[edge >= 0] = graph.source[edge[edge >= 0]]
    followers = np.bincount(parent[parent >= 0], minlength=n)
    total, depth = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    first, last = np.full(n, np.inf), np.full(n, -np.inf)
    following = np.flatnonzero(parent >= 0)
    order = following[np.argsort(-time[following], kind="stable")]
    for post, above, when in zip(order.tolist(), parent[order].tolist(), time[order].tolist(), strict=True):
        total[above] += 1 + total[post]
        depth[above] = max(depth[above], 1 + depth[post])
        first[above] = min(first[above], when)
        last[above] = max(last[above], when, last[post])
    first[total == 0] = last[total == 0] = np.nan
    return Trees(parent, edge, followers, total, depth, first, last)


def half_lives(graph: Attribution, n: int) -> Float64:
    """Days until half of the shares that others' posts give to a post had come about, (n,); NaN without any."""
    kept = np.flatnonzero(~graph.same_author & (graph.share > 0))
    order = kept[np.lexsort((graph.lag[kept], graph.source[kept]))]
    result = np.full(n, np.nan)
    source, share = graph.source[order], graph.share[order]
    running = np.cumsum(share)
    totals = np.bincount(source, share, n)
    before = np.concatenate([[0.0], np.cumsum(totals)])
    reached = running - before[source] >= totals[source] / 2 - 1e-12
    posts, where = np.unique(source[reached], return_index=True)
    result[posts] = graph.lag[order[reached][where]]
    return result
