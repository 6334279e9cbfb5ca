"""Posts that belong together: connected by matches, and matching on average."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from doppelgram.rolemodels.groups import members_of, number_by_first
from doppelgram.rolemodels.louvain import louvain
from doppelgram.rolemodels.scoring import Float64, Int64, Scorer, sigmoid

# Posts up to which a component is clustered from all its pairs.
DENSE = 1_500
# Members that stand for a group when two groups are compared, and posts a group has that may be joined with others.
_SAMPLE = 48
_GROUP = 4
# Share of the pairs between two groups that must match, or the groups are not compared.
_BRIDGES = 0.1
# Gap, in log-odds, between groups that no match connects.
_APART = 1e3


@dataclass(frozen=True)
class Links:
    """Matching pairs of posts: positions of both, and log-odds of the match, (m,) each."""

    left: Int64
    right: Int64
    odds: NDArray[np.floating]

    def within(self, members: Int64, n: int) -> Links:
        """The links of some of n posts, by their position among these; ``members`` is a whole component."""
        rank = np.full(n, -1, dtype=np.int64)
        rank[members] = np.arange(len(members))
        kept = rank[self.left] >= 0
        return Links(rank[self.left[kept]], rank[self.right[kept]], self.odds[kept])


def cluster(scorer: Scorer, links: Links, cut: float, *, seed: int) -> Int64:
    """Groups of posts that match each other on average, (n,), numbered from 0 in the order of their first posts.

    Posts connected by matches form components. A chain of matches may connect what does not belong together, so each
    component is cut by average linkage (Sokal and Michener 1958): groups are joined as long as the mean log-odds of
    the pairs between them reach ``cut``. Components too large for that are first divided into communities by
    `louvain`. A post that matches nothing is alone.

    Args:
        scorer: gives log-odds of any pairs.
        links: the matches.
        cut: mean log-odds from which on groups are one.
        seed: of `louvain` and of the members that stand for large groups.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(scorer.place)
    graph = coo_array((np.ones(len(links.left)), (links.left, links.right)), shape=(n, n))
    labels = connected_components(graph, directed=False)[1].astype(np.int64)
    free = int(labels.max(initial=0)) + 1
    for members in members_of(labels):
        if len(members) > 2:
            if len(members) <= DENSE:
                groups = _linkage_of(scorer, members, cut)
            else:
                groups = _large(scorer, members, links.within(members, n), cut, seed)
            labels[members] = free + groups
            free += int(groups.max()) + 1
    return number_by_first(labels)


def _linkage_of(scorer: Scorer, members: Int64, cut: float) -> Int64:
    """Groups among some posts by average linkage of all their pairs."""
    return _linkage(-scorer.block(members, members).astype(np.float64), -cut)


def _linkage(gaps: Float64, cut: float) -> Int64:
    """Average linkage of a matrix of gaps (m, m), cut where the mean gap passes ``cut``."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    if len(gaps) < 2:
        return np.zeros(len(gaps), dtype=np.int64)
    low = float(gaps.min())
    # SciPy wants distances of 0 and above; means move along with the shift.
    tree = linkage(squareform((gaps + gaps.T) / 2 - low, checks=False), "average")
    return np.asarray(fcluster(tree, cut - low + 1e-9, "distance"), dtype=np.int64) - 1


def _large(scorer: Scorer, members: Int64, links: Links, cut: float, seed: int) -> Int64:
    """Communities of a large component, cut where they do not hang together and joined where they do."""
    community = louvain(len(members), links.left, links.right, sigmoid(links.odds), seed=seed)
    pieces = np.empty(len(members), dtype=np.int64)
    free = 0
    for part in members_of(community):
        for some in np.array_split(part, -(-len(part) // DENSE)):
            groups = _linkage_of(scorer, members[some], cut)
            pieces[some] = free + groups
            free += int(groups.max()) + 1
    return number_by_first(_joined(scorer, members, pieces, links, cut, seed)[pieces])


def _joined(scorer: Scorer, members: Int64, pieces: Int64, links: Links, cut: float, seed: int) -> Int64:
    """For each piece the number of the group that it becomes part of."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    sizes = np.bincount(pieces)
    target = np.arange(len(sizes))
    a, b = pieces[links.left], pieces[links.right]
    bridges = (a != b) & (sizes[a] >= _GROUP) & (sizes[b] >= _GROUP)
    low, high = np.minimum(a, b)[bridges], np.maximum(a, b)[bridges]
    touching, number = np.unique(low * len(sizes) + high, return_counts=True)
    low, high = touching // len(sizes), touching % len(sizes)
    # Groups that match on average are joined by many matches, not by one here and there. Of the most alike posts only
    # some matches may have been kept.
    enough = np.minimum(_BRIDGES * sizes[low] * sizes[high], sizes[low] + sizes[high])
    touching = np.column_stack([low, high])[number >= enough]
    large = np.unique(touching)
    if not len(large):
        return target
    rng = np.random.default_rng([seed, 13])
    inside = members_of(pieces)
    sample = {k: members[rng.permutation(inside[k])[:_SAMPLE]] for k in large.tolist()}
    means = np.array([scorer.block(sample[one], sample[other]).mean() for one, other in touching.tolist()])
    ends = np.searchsorted(large, touching)
    # Groups without a way between them are never joined, so that no table of all groups is needed.
    graph = coo_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(len(large), len(large)))
    connected = connected_components(graph, directed=False)[1]
    place = np.empty(len(large), dtype=np.int64)
    pairs_of = members_of(connected[ends[:, 0]].astype(np.int64), int(connected.max()) + 1)
    for some, pairs in zip(members_of(connected.astype(np.int64)), pairs_of, strict=True):
        place[some] = np.arange(len(some))
        gaps = np.full((len(some), len(some)), _APART)
        i, j = place[ends[pairs]].T
        gaps[i, j] = gaps[j, i] = -means[pairs]
        joined = _linkage(gaps, -cut)
        for groups in members_of(joined):
            target[large[some[groups]]] = large[some[groups[0]]]
    return target
