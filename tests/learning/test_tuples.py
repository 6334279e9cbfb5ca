"""Index tuples and distances, against loops over every pair and triplet."""

import itertools
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorch_metric_learning.utils import loss_and_miner_utils as oracle

from doppelgram.learning.distances import distance_matrix, pair_distances
from doppelgram.learning.tuples import active_counts, all_pairs, count_triplets, to_pairs, to_triplets, triplet_blocks

LABELS = [[0, 0, 1, 1, 1, 2], [3, 3, 3, 3], [0, 1, 2], [5], [], [7, 1, 7, 1, 7, 7, 2, 9]]


def triples_of(labels: list[int]) -> set[tuple[int, int, int]]:
    size = range(len(labels))
    return {
        (a, p, n)
        for a, p, n in itertools.product(size, size, size)
        if a != p and labels[a] == labels[p] and labels[a] != labels[n]
    }


def as_set(tuples: tuple[torch.Tensor, ...]) -> set[tuple[int, ...]]:
    rows = list(zip(*(part.tolist() for part in tuples), strict=True))
    assert len(rows) == len(set(rows)), "a tuple was listed twice"
    return set(rows)


@pytest.mark.parametrize("values", LABELS)
def test_all_pairs_and_all_triplets_of_a_batch(values: list[int]) -> None:
    labels = torch.tensor(values, dtype=torch.int64)
    pairs = all_pairs(labels)
    assert all(part.dtype == torch.int64 for part in pairs)
    if values:
        for ours, theirs in zip(pairs, oracle.get_all_pairs_indices(labels), strict=True):
            assert torch.equal(ours, theirs)
    triplets = triples_of(values)
    assert count_triplets(pairs, len(values)) == len(triplets)
    assert as_set(to_triplets(pairs, labels, limit=10**6)) == triplets
    assert as_set(to_triplets(None, labels, limit=10**6)) == triplets


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_blocks_join_unsorted_pairs_exactly(size: int) -> None:
    a1, p = torch.tensor([4, 0, 4, 2]), torch.tensor([5, 1, 3, 9])
    a2, n = torch.tensor([4, 1, 0, 4, 0, 4]), torch.tensor([8, 7, 6, 7, 8, 9])
    blocks = list(triplet_blocks((a1, p, a2, n), 10, size=size))
    listed = [triplet for block in blocks for triplet in zip(*(part.tolist() for part in block), strict=True)]
    wanted = [
        (x, y, w)
        for x, y in zip(a1.tolist(), p.tolist(), strict=True)
        for z, w in zip(a2.tolist(), n.tolist(), strict=True)
        if x == z
    ]
    assert sorted(listed) == sorted(wanted)
    assert all(len(block[0]) < size + 3 for block in blocks)  # no more than one anchor's negatives above the size


def test_triplets_stay_triplets_and_give_pairs() -> None:
    triplets = torch.tensor([0, 1]), torch.tensor([1, 0]), torch.tensor([2, 3])
    labels = torch.tensor([0, 0, 1, 1])
    assert to_triplets(triplets, labels) is triplets
    assert [part.tolist() for part in to_pairs(triplets)] == [[0, 1], [1, 0], [0, 1], [2, 3]]
    assert count_triplets(triplets, 4) == 2


def test_cubic_expansion_is_refused() -> None:
    labels = torch.arange(2).repeat_interleave(32)  # 64 * 31 * 32 triplets
    with pytest.raises(ValueError, match="imply 63488 triplets"):
        to_triplets(None, labels)
    assert len(to_triplets(None, labels, limit=63488)[0]) == 63488


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=14), st.integers(0, 10**6), st.sampled_from([0.0, 0.25, 1.0]))
def test_active_counts_against_loops_with_ties(values: list[int], seed: int, margin: float) -> None:
    random = np.random.default_rng(seed)
    labels, batch = torch.tensor(values), len(values)
    table = torch.from_numpy(random.integers(0, 8, (batch, batch)) / 4.0)  # exact in binary, so ties are ties
    a1, p, a2, n = all_pairs(labels)
    shuffle_p, shuffle_n = (torch.from_numpy(random.permutation(len(part))) for part in (a1, a2))
    a1, p, a2, n = a1[shuffle_p], p[shuffle_p], a2[shuffle_n], n[shuffle_n]
    k, w = active_counts(table[a1, p], a1, table[a2, n], a2, margin, batch)
    active = [(x, y, z) for x, y, z in triples_of(values) if table[x, y] - table[x, z] + margin > 0]
    near, far = Counter((x, y) for x, y, _ in active), Counter((x, z) for x, _, z in active)
    assert k.tolist() == [near[pair] for pair in zip(a1.tolist(), p.tolist(), strict=True)]
    assert w.tolist() == [far[pair] for pair in zip(a2.tolist(), n.tolist(), strict=True)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_distances_against_cdist(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    points = torch.randn(30, 12, dtype=dtype)
    wanted = torch.cdist(points.double(), points.double(), compute_mode="donot_use_mm_for_euclid_dist")
    tight = {torch.float32: 1e-5, torch.float64: 1e-12}[dtype]
    off = ~torch.eye(30, dtype=torch.bool)
    assert torch.allclose(distance_matrix(points).double()[off], wanted[off], atol=tight)
    assert torch.allclose(distance_matrix(points, squared=True).double()[off], wanted[off] ** 2, atol=30 * tight)
    i, j = off.nonzero(as_tuple=True)
    for chosen in (slice(0, 40), slice(None)):  # few pairs go row by row, many through one product
        found = pair_distances(points, i[chosen], j[chosen])
        assert found.dtype == dtype
        assert torch.allclose(found.double(), wanted[i[chosen], j[chosen]], atol=tight)


@pytest.mark.parametrize("count", [6, 600])
def test_gradient_of_pair_distances(count: int) -> None:
    torch.manual_seed(1)
    points = torch.randn(9, 5, dtype=torch.float64, requires_grad=True)
    i = torch.randint(0, 9, (count,))
    j = (i + torch.randint(1, 9, (count,))) % 9
    assert torch.autograd.gradcheck(lambda x: pair_distances(x, i, j), (points,))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("repeat", [1, 200])
def test_identical_embeddings_have_distance_and_gradient_zero(dtype: torch.dtype, repeat: int) -> None:
    points = torch.nn.functional.normalize(torch.randn(1, 64), dim=1).repeat(8, 1).to(dtype)
    points[7] *= -1
    points.requires_grad_()
    i, j = torch.tensor([0, 3, 5]).repeat(repeat), torch.tensor([1, 2, 6]).repeat(repeat)
    distances = pair_distances(points, i, j)
    distances.sum().backward()
    assert distances.dtype == (dtype if dtype.itemsize > 2 else torch.float32)
    assert distances.abs().max() == 0
    assert points.grad is not None
    assert points.grad.abs().max() == 0


def test_collapsed_embeddings_keep_their_order() -> None:
    """A cloud of width 1e-3 on the unit sphere, where |x|^2 + |y|^2 - 2xy alone would lose two digits of three."""
    torch.manual_seed(2)
    points = torch.nn.functional.normalize(torch.ones(40, 64) + 1e-3 * torch.randn(40, 64), dim=1)
    wanted = torch.cdist(points.double(), points.double(), compute_mode="donot_use_mm_for_euclid_dist")
    off = ~torch.eye(40, dtype=torch.bool)
    assert ((distance_matrix(points).double() - wanted).abs() / wanted)[off].max() < 1e-3


def test_mixed_precision_does_not_reach_the_distances() -> None:
    torch.manual_seed(3)
    points = torch.randn(20, 8)
    i, j = (torch.ones(20, 20) - torch.eye(20)).nonzero(as_tuple=True)
    plain = pair_distances(points, i, j), distance_matrix(points)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = pair_distances(points, i, j), distance_matrix(points)
    assert torch.equal(plain[0], mixed[0])
    assert torch.equal(plain[1], mixed[1])
