"""Groups of posts that match on average, and the communities they start from where there are many."""

import numpy as np
import pytest

from doppelgram.rolemodels import clusters
from doppelgram.rolemodels.candidates import find_pairs
from doppelgram.rolemodels.groups import number_by_first
from doppelgram.rolemodels.louvain import louvain
from doppelgram.rolemodels.scoring import JointScorer, logit
from doppelgram.rolemodels.validation.scores import adjusted_rand
from doppelgram.rolemodels.validation.simulate import WorldSettings, simulate
from helpers.made_up_posts import SPACE, vectors


def cliques(sizes: list[int], bridges: int, seed: int = 0) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
    """Full groups with a few edges between them; the number of nodes, both ends, and the true groups."""
    rng = np.random.default_rng(seed)
    true = np.repeat(np.arange(len(sizes)), sizes)
    a, b = np.triu_indices(len(true), 1)
    inside = true[a] == true[b]
    across = rng.permutation(np.flatnonzero(~inside))[:bridges]
    chosen = np.concatenate([np.flatnonzero(inside), across])
    return len(true), a[chosen], b[chosen], true


def modularity(n: int, left: np.ndarray, right: np.ndarray, groups: np.ndarray) -> float:
    degree = np.bincount(np.concatenate([left, right]), minlength=n)
    m = len(left)
    inside = np.bincount(groups[left][groups[left] == groups[right]], minlength=n) / m
    share = np.bincount(groups, weights=degree, minlength=n) / (2 * m)
    return float((inside - share**2).sum())


def test_louvain_finds_cliques():
    """Full groups with few bridges are found exactly, whatever the seed."""
    n, left, right, true = cliques([12, 9, 7, 20], 10)
    for seed in range(3):
        found = louvain(n, left, right, np.ones(len(left)), seed=seed)
        assert adjusted_rand(found, true) == 1


def test_louvain_beside_networkx():
    """The modularity is as high as networkx's own Louvain method reaches, within a hundredth."""
    import networkx as nx

    graph = nx.gaussian_random_partition_graph(300, 25, 5, 0.3, 0.02, seed=4)
    left, right = np.array(graph.edges).T
    ours = modularity(300, left, right, louvain(300, left, right, np.ones(len(left)), seed=0))
    groups = np.empty(300, dtype=np.int64)
    for number, members in enumerate(nx.community.louvain_communities(graph, seed=0)):
        groups[list(members)] = number
    assert ours > modularity(300, left, right, groups) - 0.01


def test_louvain_without_edges():
    """Nodes without edges stay alone."""
    nothing = np.empty(0, dtype=np.int64)
    assert louvain(3, nothing, nothing, np.empty(0), seed=0).tolist() == [0, 1, 2]


def test_numbers_in_order_of_first_posts():
    assert number_by_first(np.array([7, 7, 2, 9, 2])).tolist() == [0, 0, 1, 2, 1]


def test_a_chain_is_cut():
    """Two groups that one chance match connects remain two."""
    some = vectors([(0, 0)] * 6 + [(0, 1)] * 6, noise=0.05)
    between = some[:1] + some[6:7]
    between[:, :6] /= np.linalg.norm(between[:, :6])
    between[:, 6:] /= np.linalg.norm(between[:, 6:])
    scorer = JointScorer(np.concatenate([some, between]), SPACE, 0.0)
    left, right = np.triu_indices(13, 1)
    odds = scorer.pairs(left, right)
    odds = np.where((left == 0) & (right == 12) | (left == 6) & (right == 12), 1.0, odds)
    strong = odds >= 0
    found = clusters.cluster(scorer, clusters.Links(left[strong], right[strong], odds[strong]), 0.0, seed=0)
    assert len(set(found[:6].tolist())) == len(set(found[6:12].tolist())) == 1
    assert found[0] != found[6]


@pytest.mark.parametrize("dense", [1500, 60])
def test_simulated_arrangements(dense: int, monkeypatch: pytest.MonkeyPatch):
    """Arrangements are recovered both from all pairs and, as in large components, by way of communities."""
    monkeypatch.setattr(clusters, "DENSE", dense)
    world = simulate(WorldSettings(posts=800, places=6), seed=2)
    cut = logit(world.space.calibration.threshold)
    scorer = JointScorer(world.vectors, world.space, cut)
    pairs = find_pairs(scorer, cut, neighbours=1000, exact=True, seed=0)
    odds = scorer.pairs(pairs.left, pairs.right)
    links = clusters.Links(pairs.left, pairs.right, odds)
    found = [clusters.cluster(scorer, links, cut, seed=seed) for seed in range(3)]
    assert adjusted_rand(found[0], world.arrangement) > 0.9
    assert all(adjusted_rand(found[0], other) > 0.95 for other in found[1:])
