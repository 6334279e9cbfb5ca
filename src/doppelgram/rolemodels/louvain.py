"""Communities of a weighted graph by the Louvain method, many posts at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

from doppelgram.rolemodels.groups import number_by_first
from doppelgram.rolemodels.scoring import Float64, Int64

_SWEEPS = 24
_LEVELS = 12


def louvain(n: int, left: Int64, right: Int64, weight: Float64, *, seed: int) -> Int64:
    """Communities of high modularity, (n,), numbered in the order of their first nodes.

    Blondel, Guillaume, Lambiotte and Lefebvre, Fast unfolding of communities in large networks (Journal of
    Statistical Mechanics, 2008). As in Staudt and Meyerhenke's parallel method (IEEE TPDS 27, 2016) a random half of
    the nodes moves at a time; each sweep is one sparse matrix product.

    Args:
        n: number of nodes.
        left, right: (m,) the two ends of each edge.
        weight: (m,) above 0.
        seed: the same seed gives the same communities.
    """
    from scipy.sparse import coo_array

    rng = np.random.default_rng([seed, 12])
    both = (np.concatenate([weight, weight]), (np.concatenate([left, right]), np.concatenate([right, left])))
    graph = coo_array(both, shape=(n, n)).tocsr()
    community = np.arange(n)
    for _ in range(_LEVELS):
        _, moved = np.unique(_local_moves(graph, rng), return_inverse=True)
        community = moved[community]
        if moved.max(initial=-1) + 1 == graph.shape[0]:
            break
        members = _membership(moved)
        graph = (members.T @ graph @ members).tocsr()
    return number_by_first(community)


def _membership(community: Int64) -> Any:
    from scipy.sparse import csr_array

    n = len(community)
    return csr_array((np.ones(n), community, np.arange(n + 1)), shape=(n, int(community.max()) + 1))


def _local_moves(graph: Any, rng: np.random.Generator) -> Int64:
    """Move nodes into the neighbouring community that gains most, until few move."""
    n = graph.shape[0]
    degree = np.asarray(graph.sum(axis=1)).ravel()
    total = degree.sum()
    community = np.arange(n)
    if not total:
        return community
    own_loop = graph.diagonal()
    for _ in range(_SWEEPS):
        count = 0
        half = rng.random(n) < 0.5
        for chosen in (np.flatnonzero(half), np.flatnonzero(~half)):
            if not len(chosen):
                continue
            links = (graph[chosen] @ _membership(community)).tocsr()
            rows = np.repeat(np.arange(len(chosen)), np.diff(links.indptr))
            size = np.bincount(community, weights=degree, minlength=links.shape[1])
            here = community[chosen][rows] == links.indices
            k = degree[chosen]
            # A node does not count as a member of its own community.
            inside = links.data - np.where(here, own_loop[chosen][rows], 0.0)
            gain = inside - k[rows] * (size[links.indices] - np.where(here, k[rows], 0.0)) / total
            now = -k * (size[community[chosen]] - k) / total
            now[rows[here]] = gain[here]
            order = np.lexsort((links.indices, -gain, rows))
            first = order[np.flatnonzero(np.append(True, np.diff(rows[order]) > 0))] if len(order) else order
            better = gain[first] > now[rows[first]] + 1e-12 * total
            moving = chosen[rows[first[better]]]
            community[moving] = links.indices[first[better]]
            count += len(moving)
        if count <= n // 1000:
            break
    return community
