"""Index tuples, by which a miner tells a loss which images of a batch to compare.

There are two forms, both with positions in the batch. They are those of pytorch-metric-learning, so that its miners
and losses can be mixed with ours:

* triplets ``(a, p, n)``: three (t,) int64 tensors, anchor, positive, negative;
* pairs ``(a1, p, a2, n)``: two (tp,) tensors of positive pairs and two (tn,) tensors of negative pairs.

Pairs also stand for triplets: each positive pair with each negative pair of the same anchor. "All triplets" of a
batch of B are cubically many, so they are always kept as the pairs that imply them, O(B^2), and losses work on the
pairs (`active_counts`) or go through the triplets in blocks (`triplet_blocks`).
"""

from collections.abc import Iterator
from typing import TypeAlias

import torch
from torch import Tensor

Triplets: TypeAlias = tuple[Tensor, Tensor, Tensor]
Pairs: TypeAlias = tuple[Tensor, Tensor, Tensor, Tensor]
Tuples: TypeAlias = Triplets | Pairs


def all_pairs(labels: Tensor) -> Pairs:
    """Every ordered positive and negative pair of a batch with these labels, (b,) int64, sorted by anchor.

    No image is paired with itself; there are b (b - 1) pairs in all.
    """
    same = labels[:, None] == labels[None, :]
    a2, n = (~same).nonzero(as_tuple=True)
    a1, p = same.fill_diagonal_(False).nonzero(as_tuple=True)
    return a1, p, a2, n


def to_pairs(tuples: Tuples) -> Pairs:
    """Read either form as pairs; a triplet gives its positive and its negative pair, duplicates kept."""
    if len(tuples) == 4:
        return tuples
    a, p, n = tuples
    return a, p, a, n


def to_triplets(tuples: Tuples | None, labels: Tensor, *, limit: int | None = None) -> Triplets:
    """Write the tuples out as triplets.

    Args:
        tuples: triplets (returned as they are), pairs (joined on the anchor), or None for all of the batch.
        labels: (b,) int64 of the batch.
        limit: most triplets to write out; 4 b^2 by default, which is room for four images a class.

    Raises:
        ValueError: the pairs imply more triplets than ``limit``. Hand the pairs themselves to the loss instead.
    """
    if tuples is not None and len(tuples) == 3:
        return tuples
    pairs = all_pairs(labels) if tuples is None else to_pairs(tuples)
    batch = len(labels)
    limit = 4 * batch * batch if limit is None else limit
    count = count_triplets(pairs, batch)
    if count > limit:
        raise ValueError(f"The pairs imply {count} triplets, more than the {limit} allowed; use the pairs themselves.")
    blocks = list(triplet_blocks(pairs, batch, size=max(count, 1)))
    if not blocks:
        empty = labels.new_zeros(0, dtype=torch.int64)
        return empty, empty, empty
    return torch.cat([b[0] for b in blocks]), torch.cat([b[1] for b in blocks]), torch.cat([b[2] for b in blocks])


def count_triplets(tuples: Tuples, batch: int) -> int:
    """How many triplets the tuples hold or imply, in a batch of ``batch`` images."""
    if len(tuples) == 3:
        return tuples[0].numel()
    a1, _, a2, _ = tuples
    return int((torch.bincount(a1, minlength=batch) * torch.bincount(a2, minlength=batch)).sum())


def triplet_blocks(pairs: Pairs, batch: int, *, size: int | None = None) -> Iterator[Triplets]:
    """Yield every triplet that pairs imply exactly once, a block at a time.

    Args:
        pairs: ``(a1, p, a2, n)``.
        batch: number of images in the batch.
        size: triplets in a block, b^2 by default; a block may be larger by one anchor's negatives.
    """
    a1, p, a2, n = pairs
    size = max(batch * batch, 1) if size is None else size
    n = n[torch.argsort(a2, stable=True)]
    counts = torch.bincount(a2, minlength=batch)
    starts = counts.cumsum(0) - counts
    lengths = counts[a1]
    before = lengths.cumsum(0) - lengths
    for block in torch.unique_consecutive(before // size):
        chosen = (before // size == block).nonzero().squeeze(1)
        row = torch.repeat_interleave(chosen, lengths[chosen])
        if row.numel():
            position = torch.arange(row.numel(), device=row.device) - (before[row] - before[chosen[0]])
            yield a1[row], p[row], n[starts[a1[row]] + position]


def active_counts(
    positive: Tensor, a1: Tensor, negative: Tensor, a2: Tensor, margin: float, batch: int
) -> tuple[Tensor, Tensor]:
    """In how many violated triplets each pair takes part.

    A triplet is violated (active) if d(a, n) < d(a, p) + margin. The hinge is linear in its active triplets, so
    the sum over all of them is ``sum(k * (positive + margin)) - sum(w * negative)``, and k and -w are also its
    gradient. Each anchor's thresholds d(a, p) + margin are sorted and every negative is looked up among them,
    which finds k and w in O(B^2 log B) time and O(B^2) memory without forming a triplet.

    Args:
        positive, a1: (tp,) distances of the positive pairs, and their anchors.
        negative, a2: (tn,) distances of the negative pairs, and their anchors.
        margin: of the triplet loss.
        batch: number of images in the batch.

    Returns:
        k (tp,) and w (tn,), int64.
    """
    thresholds, row_p, column_p = _rows(positive + margin, a1, batch)
    values, row_n, column_n = _rows(negative, a2, batch)
    thresholds, order = thresholds.sort(dim=1)
    # thresholds not above a negative leave it alone; ties are not violations
    satisfied = torch.searchsorted(thresholds, values, right=True)[row_n, column_n]
    w = torch.bincount(a1, minlength=batch)[row_n] - satisfied
    width = thresholds.shape[1]
    histogram = torch.bincount(row_n * (width + 1) + satisfied, minlength=batch * (width + 1))
    below = histogram.view(batch, width + 1).cumsum(1)[:, :width]
    k = torch.empty_like(below).scatter_(1, order, below)[row_p, column_p]
    return k, w


def _rows(values: Tensor, anchors: Tensor, batch: int) -> tuple[Tensor, Tensor, Tensor]:
    """Lay values out one row an anchor, filled up with infinity; also where each value went (row, column)."""
    counts = torch.bincount(anchors, minlength=batch)
    starts = counts.cumsum(0) - counts
    column = torch.arange(anchors.numel(), device=anchors.device)
    if anchors.numel() and bool((anchors[1:] < anchors[:-1]).any()):
        order = torch.argsort(anchors, stable=True)
        column = torch.empty_like(order).scatter_(0, order, column)
    column = column - starts[anchors]
    width = int(counts.max()) if counts.numel() else 0
    table = values.new_full((batch, width), torch.inf)
    table[anchors, column] = values
    return table, anchors, column
