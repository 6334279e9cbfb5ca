"""Simpler rules for who followed whom, to be measured beside ours on the same matches and arrangements.

Each gives every post one parent, and every post a score by which an arrangement's originator may be named.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from doppelgram.rolemodels.attribution import Attribution, Matches
from doppelgram.rolemodels.scoring import Float64, Int64, sigmoid
from doppelgram.rolemodels.validation.scores import descendants


@dataclass(frozen=True)
class Guess:
    """What a rule says: ``parent`` (n,), -1 for none, and ``score`` (n,), higher for likelier originators."""

    parent: Int64
    score: Float64


def baselines(graph: Attribution, matches: Matches, time: Float64, arrangement: Int64) -> dict[str, Guess]:
    """All rules by name, for posts with ``time`` (n,) in UTC seconds and ``arrangement`` (n,) as found, -1 for none."""
    return {
        "earliest in the cluster": earliest(time, arrangement),
        "nearest earlier neighbour": nearest_earlier(graph, matches, time),
        "PageRank": pagerank(graph, matches, time),
        "NetInf-style best parent": best_parent(graph, matches, time),
    }


def earliest(time: Float64, arrangement: Int64) -> Guess:
    """The first post of an arrangement is everybody's parent."""
    parent = np.full(len(time), -1, dtype=np.int64)
    order = np.lexsort((time, arrangement))
    order = order[arrangement[order] >= 0]
    _, starts, inverse = np.unique(arrangement[order], return_index=True, return_inverse=True)
    first = order[starts][inverse]
    parent[order] = np.where(first == order, -1, first)
    return Guess(parent, -time)


def _best(graph: Attribution, worth: Float64, n: int) -> Int64:
    """For each post the predecessor of the edge that is worth most, others' posts only."""
    allowed = np.flatnonzero(~graph.same_author)
    order = allowed[np.lexsort((worth[allowed], graph.target[allowed]))]
    parent = np.full(n, -1, dtype=np.int64)
    parent[graph.target[order]] = graph.source[order]
    return parent


def nearest_earlier(graph: Attribution, matches: Matches, time: Float64) -> Guess:
    """The earlier post that is most alike is the parent; who is so for most posts leads."""
    parent = _best(graph, matches.odds[graph.match], len(time))
    return Guess(parent, np.bincount(parent[parent >= 0], minlength=len(time)).astype(np.float64))


def pagerank(graph: Attribution, matches: Matches, time: Float64, *, damping: float = 0.85, rounds: int = 100) -> Guess:
    """PageRank on the similarity graph, each post passing its rank on to those that precede and match it.

    Page, Brin, Motwani and Winograd, The PageRank citation ranking (1999); the power method takes ``rounds`` rounds at
    most. The predecessor of the highest rank is the parent.
    """
    n = len(time)
    weight = np.where(graph.same_author, 0.0, sigmoid(matches.odds[graph.match]))
    out = np.bincount(graph.target, weight, n)
    share = weight / np.maximum(out[graph.target], 1e-300)
    rank = np.full(n, 1 / max(n, 1))
    for _ in range(rounds):
        before = rank
        passed = np.bincount(graph.source, share * rank[graph.target], n)
        rank = (1 - damping) / n + damping * (passed + rank[out == 0].sum() / n)
        if np.abs(rank - before).sum() < 1e-10:
            break
    return Guess(_best(graph, rank[graph.source], n), rank)


def best_parent(graph: Attribution, matches: Matches, time: Float64) -> Guess:
    """The parent by which a post most likely came about, as in each cascade of NetInf; the root of most posts leads.

    The transmission likelihood is the probability of the match times an exponential decay with the lag, which is fitted
    to the posts (Gomez-Rodriguez, Leskovec and Krause, Inferring networks of diffusion and influence, KDD 2010).
    """
    likelihood = sigmoid(matches.odds[graph.match]) * np.exp(-graph.lag / graph.decay)
    parent = _best(graph, likelihood, len(time))
    return Guess(parent, descendants(parent, time).astype(np.float64))
