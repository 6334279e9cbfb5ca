"""Posts that belong together: connected by matches, and matching on average."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from doppelgram.rolemodels.louvain import in_order, louvain
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


def cluster(scorer: Scorer, left: Int64, right: Int64, odds: NDArray[np.floating], cut: float, *, seed: int) -> Int64:
    """Groups of posts that match each other on average.

    Posts connected by matches form components. A chain of matches may connect what does not belong together, so each
    component is cut by average linkage (Sokal and Michener 1958): groups are joined as long as the mean log-odds of
    the pairs between them reach ``cut``. Components too large for that are first divided into communities by
    `louvain`.

    Args:
        scorer: gives log-odds of any pairs.
        left: (m,) one end of each match.
        right: (m,) its other end.
        odds: (m,) log-odds of the matches.
        cut: mean log-odds from which on groups are one.
        seed: of `louvain` and of the members that stand for large groups.

    Returns:
        (n,) group of each post, numbered from 0 in order of their first posts; a post that matches nothing is alone.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(scorer.place)
    _, component = connected_components(coo_array((np.ones(len(left)), (left, right)), shape=(n, n)), directed=False)
    sizes = np.bincount(component, minlength=1)
    labels = component.astype(np.int64)
    free = int(labels.max(initial=0)) + 1
    order = np.argsort(component, kind="stable")
    ends = np.cumsum(sizes)
    for number in np.flatnonzero(sizes > 2).tolist():
        members = order[ends[number] - sizes[number] : ends[number]]
        if len(members) <= DENSE:
            groups = _linkage(-scorer.block(members, members).astype(np.float64), -cut)
        else:
            groups = _large(scorer, members, left, right, odds, component == number, cut, seed)
        labels[members] = free + groups
        free += int(groups.max()) + 1
    return in_order(labels)


def _linkage(gaps: Float64, cut: float) -> Int64:
    """Average linkage of a matrix of gaps (m, m), cut where the mean gap passes ``cut``."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    if len(gaps) < 2:
        return np.zeros(len(gaps), dtype=np.int64)
    low = float(gaps.min())
    # Gaps are moved to 0 and above, as the library wants distances; means move with them.
    condensed = squareform((gaps + gaps.T) / 2 - low, checks=False)
    tree = linkage(condensed, "average")
    return np.asarray(fcluster(tree, cut - low + 1e-9, "distance"), dtype=np.int64) - 1


def _large(
    scorer: Scorer,
    members: Int64,
    left: Int64,
    right: Int64,
    odds: NDArray[np.floating],
    inside: NDArray[np.bool_],
    cut: float,
    seed: int,
) -> Int64:
    """Communities of a large component, cut where they do not hang together and joined where they do."""
    rank = np.full(len(inside), -1, dtype=np.int64)
    rank[members] = np.arange(len(members))
    edges = inside[left]
    community = louvain(len(members), rank[left[edges]], rank[right[edges]], sigmoid(odds[edges]), seed=seed)
    pieces = np.empty(len(members), dtype=np.int64)
    free = 0
    for number in range(int(community.max()) + 1):
        part = np.flatnonzero(community == number)
        for some in np.array_split(part, -(-len(part) // DENSE)):
            groups = _linkage(-scorer.block(members[some], members[some]).astype(np.float64), -cut)
            pieces[some] = free + groups
            free += int(groups.max()) + 1
    return in_order(_joined(scorer, members, pieces, rank[left[edges]], rank[right[edges]], cut, seed)[pieces])


def _joined(scorer: Scorer, members: Int64, pieces: Int64, left: Int64, right: Int64, cut: float, seed: int) -> Int64:
    """For each piece the number of the group that it becomes part of."""
    sizes = np.bincount(pieces)
    target = np.arange(len(sizes))
    a, b = pieces[left], pieces[right]
    bridges = (a != b) & (sizes[a] >= _GROUP) & (sizes[b] >= _GROUP)
    low, high = np.minimum(a, b)[bridges], np.maximum(a, b)[bridges]
    touching, number = np.unique(low * len(sizes) + high, return_counts=True)
    low, high = touching // len(sizes), touching % len(sizes)
    # Groups that match on average are joined by many matches, not by one here and there; of the most alike only some
    # matches per post may have been kept.
    enough = np.minimum(_BRIDGES * sizes[low] * sizes[high], sizes[low] + sizes[high])
    touching = np.column_stack([low, high])[number >= enough]
    large = np.unique(touching)
    if not len(large):
        return target
    rng = np.random.default_rng([seed, 13])
    order, ends = np.argsort(pieces, kind="stable"), np.cumsum(sizes)
    stand = {k: members[rng.permutation(order[ends[k] - sizes[k] : ends[k]])[:_SAMPLE]] for k in large.tolist()}
    gaps = np.full((len(large), len(large)), _APART)
    for one, other in touching.tolist():
        mean = float(scorer.block(stand[one], stand[other]).mean())
        i, j = np.searchsorted(large, [one, other])
        gaps[i, j] = gaps[j, i] = -mean
    joined = _linkage(gaps, -cut)
    for group in range(int(joined.max()) + 1):
        target[large[joined == group]] = large[np.argmax(joined == group)]
    return target
