"""Miners against loops over the batch and against pytorch-metric-learning."""

from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorch_metric_learning import miners as oracle
from torch import Tensor

from doppelgram.errors import DoppelgramError
from doppelgram.learning.miners import AllMiner, BatchHardMiner, RandomMiner, SemiHardMiner
from doppelgram.learning.tuples import all_pairs

MINERS = [RandomMiner(), AllMiner(), SemiHardMiner(), BatchHardMiner()]


def batch(size: int, dtype: torch.dtype = torch.float32, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    points = torch.nn.functional.normalize(torch.randn(size, 8, generator=generator, dtype=torch.float64), dim=1)
    return points.to(dtype), torch.randint(0, max(2, size // 4), (size,), generator=generator)


def grid(values: list[int], seed: int) -> tuple[Tensor, Tensor]:
    """Integers on a line, with many ties and coincident points; their mean is 0, so that distances are exact."""
    half = np.random.default_rng(seed).integers(0, 4, len(values) // 2)
    points = np.concatenate((half, [0] * (len(values) % 2), -half[::-1])).astype(np.float64)
    return torch.from_numpy(points[:, None]), torch.tensor(values)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("size", [5, 30, 100])
def test_batch_hard_against_library(size: int, dtype: torch.dtype) -> None:
    points, labels = batch(size, dtype)
    for ours, theirs in zip(BatchHardMiner()(points, labels), oracle.BatchHardMiner()(points, labels), strict=True):
        assert torch.equal(ours, theirs)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=12), st.integers(0, 10**6))
def test_batch_hard_against_loop_with_ties(values: list[int], seed: int) -> None:
    points, labels = grid(values, seed)
    table = (points - points.T).abs()
    found = {a: (p, n) for a, p, n in zip(*(part.tolist() for part in BatchHardMiner()(points, labels)), strict=True)}
    for a in range(len(values)):
        positives = [i for i in range(len(values)) if i != a and values[i] == values[a]]
        negatives = [i for i in range(len(values)) if values[i] != values[a]]
        assert (a in found) == bool(positives and negatives)
        if a in found:
            p, n = found[a]
            assert p in positives
            assert n in negatives
            assert table[a, p] == max(table[a, i] for i in positives)
            assert table[a, n] == min(table[a, i] for i in negatives)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=12), st.integers(0, 10**6), st.sampled_from([None, 0.5, 1.0, 2.5])
)
def test_semi_hard_against_loop_with_ties(values: list[int], seed: int, margin: float | None) -> None:
    points, labels = grid(values, seed)
    table = (points - points.T).abs()
    triplets = list(zip(*(part.tolist() for part in SemiHardMiner(margin)(points, labels)), strict=True))
    found = {(a, p): n for a, p, n in triplets}
    assert len(found) == len(triplets)
    for a, p in zip(*(part.tolist() for part in all_pairs(labels)[:2]), strict=True):
        bound = table[a, p] + (np.inf if margin is None else margin)
        semi = [i for i in range(len(values)) if values[i] != values[a] and table[a, p] < table[a, i] < bound]
        assert ((a, p) in found) == bool(semi)
        if semi:
            assert found[a, p] in semi
            assert table[a, found[a, p]] == min(table[a, i] for i in semi)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_semi_hard_is_the_closest_of_the_librarys_semihard(dtype: torch.dtype) -> None:
    points, labels = batch(60, dtype)
    table = torch.cdist(points, points)
    closest: dict[tuple[int, int], int] = {}
    a, p, n = oracle.TripletMarginMiner(margin=0.2, type_of_triplets="semihard")(points, labels)
    for x, y, z in zip(a.tolist(), p.tolist(), n.tolist(), strict=True):
        if (x, y) not in closest or table[x, z] < table[x, closest[x, y]]:
            closest[x, y] = z
    ours = SemiHardMiner(0.2)(points, labels)
    assert {(x, y): z for x, y, z in zip(*(part.tolist() for part in ours), strict=True)} == closest
    assert len(closest) > 50


def test_all_miner_gives_every_pair() -> None:
    points, labels = batch(20)
    found = AllMiner()(points, labels)
    assert all(torch.equal(x, y) for x, y in zip(found, all_pairs(labels), strict=True))


def test_random_miner_is_uniform_and_reproducible() -> None:
    labels = torch.tensor([4, 1, 4, 1, 4, 9, 1, 4])
    miner = RandomMiner(torch.Generator().manual_seed(0))
    points = torch.zeros(8, 2)
    positives: Counter[tuple[int, int]] = Counter()
    negatives: Counter[tuple[int, int]] = Counter()
    for _ in range(500):
        a, p, n = (part.tolist() for part in miner(points, labels))
        assert sorted(a) == [0, 1, 2, 3, 4, 6, 7]  # the only image of its class is no anchor
        positives.update(zip(a, p, strict=True))
        negatives.update(zip(a, n, strict=True))
    for counts, kind in ((positives, True), (negatives, False)):
        for a in (0, 1):
            wanted = {(a, i) for i in range(8) if i != a and bool(labels[i] == labels[a]) == kind}
            assert {pair for pair in counts if pair[0] == a} == wanted
            assert all(abs(counts[pair] / 500 - 1 / len(wanted)) < 0.1 for pair in wanted)
    again = [RandomMiner(torch.Generator().manual_seed(7))(points, labels) for _ in range(2)]
    assert all(torch.equal(x, y) for x, y in zip(*again, strict=True))


@pytest.mark.parametrize("miner", MINERS)
@pytest.mark.parametrize("labels", [[], [3], [3, 3, 3], [1, 2, 3]])
def test_tiny_batches_and_batches_of_one_kind(miner: AllMiner, labels: list[int]) -> None:
    found = miner(torch.randn(len(labels), 4), torch.tensor(labels, dtype=torch.int64))
    assert all(part.dtype == torch.int64 for part in found)
    if not isinstance(miner, AllMiner):
        assert [len(part) for part in found] == [0, 0, 0]


@pytest.mark.parametrize("miner", MINERS)
def test_miners_take_no_gradient_and_allow_large_batches(miner: AllMiner) -> None:
    points = torch.randn(2048, 4, requires_grad=True)  # B^3 bytes would be 8 GB
    labels = torch.arange(2048) // 4 if isinstance(miner, SemiHardMiner) else torch.arange(2048) % 2
    found = miner(points, labels)
    a, p, n = found[0], found[1], found[-1]
    anchors = found[2] if len(found) == 4 else a
    assert not any(part.requires_grad for part in found)
    assert bool((labels[a] == labels[p]).all())
    assert bool((a != p).all())
    assert bool((labels[anchors] != labels[n]).all())


def test_semi_hard_margin_is_checked() -> None:
    with pytest.raises(DoppelgramError, match="margin must be above 0"):
        SemiHardMiner(0.0)
