from __future__ import annotations

import pytest
import torch

from doppelgram.learning.cross_batch_memory import CrossBatchMemory, with_batch_anchors
from doppelgram.learning.losses import ContrastiveLoss, TripletMarginLoss
from doppelgram.learning.miners import BatchHardMiner
from doppelgram.learning.tuples import all_pairs


def test_the_oldest_go_first() -> None:
    memory, kept = CrossBatchMemory(5, 2), []
    for step in range(9):
        labels = torch.arange(step, step + 1 + step % 3)
        embeddings = torch.rand(len(labels), 2)
        kept += list(zip(embeddings.tolist(), labels.tolist(), strict=True))
        memory.store(embeddings, labels)
        kept = kept[-5:]
        found, found_labels = memory.join(torch.zeros(1, 2), torch.tensor([-7]))
        assert found_labels[0] == -7
        assert sorted(zip(found[1:].tolist(), found_labels[1:].tolist(), strict=True)) == sorted(kept)


def test_a_batch_larger_than_the_memory_leaves_its_last_rows() -> None:
    memory = CrossBatchMemory(3, 1)
    memory.store(torch.arange(7.0)[:, None], torch.arange(7))
    assert sorted(memory.join(torch.empty(0, 1), torch.empty(0, dtype=torch.int64))[1].tolist()) == [4, 5, 6]


def test_what_is_remembered_survives_a_checkpoint() -> None:
    memory, other = CrossBatchMemory(4, 2), CrossBatchMemory(4, 2)
    for step in range(3):
        memory.store(torch.rand(3, 2), torch.full((3,), step))
    other.load_state_dict(memory.state_dict())
    for each in (memory, other):
        each.store(torch.ones(2, 2), torch.full((2,), 9))
    assert all(
        torch.equal(a, b) for a, b in zip(memory.state_dict().values(), other.state_dict().values(), strict=True)
    )


@pytest.mark.parametrize("mined", [False, True])
def test_anchors_are_of_the_batch(mined: bool) -> None:
    labels = torch.tensor([0, 1, 0, 1, 2, 0])
    embeddings = torch.rand(6, 3, generator=torch.Generator().manual_seed(0))
    tuples = BatchHardMiner()(embeddings, labels) if mined else None
    found = with_batch_anchors(tuples, labels, 2)
    whole = tuples if tuples is not None else all_pairs(labels)
    if len(found) == 3:
        wanted = {t for t in zip(*(part.tolist() for part in whole), strict=True) if t[0] < 2}
        assert set(zip(*(part.tolist() for part in found), strict=True)) == wanted
        assert wanted
    else:
        for mine, all_of_them in ((found[:2], whole[:2]), (found[2:], whole[2:])):
            wanted = {t for t in zip(*(part.tolist() for part in all_of_them), strict=True) if t[0] < 2}
            assert set(zip(*(part.tolist() for part in mine), strict=True)) == wanted


@pytest.mark.parametrize("loss", [ContrastiveLoss(), TripletMarginLoss(margin=0.5)])
def test_the_gradient_is_that_of_the_batch_against_batch_and_memory(loss: torch.nn.Module) -> None:
    generator = torch.Generator().manual_seed(0)
    batch = torch.rand(4, 3, generator=generator, requires_grad=True)
    labels = torch.tensor([0, 0, 1, 1])
    memory = CrossBatchMemory(6, 3)
    memory.store(torch.rand(6, 3, generator=generator), torch.tensor([0, 1, 2, 0, 1, 2]))
    seen, seen_labels = memory.join(batch, labels)
    loss(seen, seen_labels, with_batch_anchors(None, seen_labels, 4)).backward()
    with_memory = batch.grad.clone()
    batch.grad = None
    loss(batch, labels, None).backward()
    assert not torch.allclose(with_memory, batch.grad)
    assert memory.embeddings.grad is None
