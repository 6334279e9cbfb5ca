"""Miners: which pairs or triplets of a batch the loss uses.

A miner is called as ``miner(embeddings, labels)`` with (b, d) float and (b,) int64, takes no gradient, and returns
index tuples (see `doppelgram.learning.tuples`) on the device of the labels. Images without a positive or
without a negative in the batch are not anchors. Time is O(B^2 log B) at most, memory O(B^2).
"""

import torch
from torch import Tensor

from doppelgram.errors import DoppelgramError
from doppelgram.learning.distances import distance_matrix
from doppelgram.learning.tuples import Pairs, Triplets, all_pairs


class RandomMiner:
    """One random positive and one random negative for each anchor, uniformly: training without mining.

    Draws come from ``generator``, by default torch's global one.
    """

    def __init__(self, generator: torch.Generator | None = None) -> None:
        self.generator = generator

    @torch.no_grad()
    def __call__(self, embeddings: Tensor, labels: Tensor) -> Triplets:
        """Return triplets (a, p, n), at most one an image; the embeddings do not matter."""
        batch = len(labels)
        order = torch.argsort(labels, stable=True)
        _, run, sizes = torch.unique_consecutive(labels[order], return_inverse=True, return_counts=True)
        size = sizes[run]
        start = (sizes.cumsum(0) - sizes)[run]
        position = torch.arange(batch, device=labels.device) - start
        # In the order of the labels a class is one run: step ahead inside it for a positive, past it for a negative.
        positive = start + (position + 1 + self._draw(size - 1)) % size
        negative = (start + size + self._draw(batch - size)) % max(batch, 1)
        usable = (size > 1) & (size < batch)
        return order[usable], order[positive[usable]], order[negative[usable]]

    def _draw(self, below: Tensor) -> Tensor:
        """Uniform integers in [0, below), one for each entry; 0 where below is 0."""
        device = self.generator.device if self.generator is not None else below.device
        draws = torch.rand(below.numel(), dtype=torch.float64, generator=self.generator, device=device)
        return (draws.to(below.device) * below).long()


class AllMiner:
    """Every positive and every negative pair of the batch, which is also every triplet."""

    @torch.no_grad()
    def __call__(self, embeddings: Tensor, labels: Tensor) -> Pairs:
        """Return all pairs (a1, p, a2, n) of the batch; the embeddings do not matter."""
        return all_pairs(labels)


class SemiHardMiner:
    """For each positive pair the closest negative that is still farther than the positive (FaceNet).

    Schroff, Kalenichenko and Philbin (2015) call such a negative semi-hard: d(a, p) < d(a, n) < d(a, p) + margin.
    A positive pair without one gives no triplet. Of negatives at the same distance the first in the batch is taken.
    ``margin`` is that of the loss, beyond which a negative would teach nothing; None sets no such bound.
    """

    def __init__(self, margin: float | None = 0.1) -> None:
        if margin is not None and not margin > 0:
            raise DoppelgramError(f"Miner parameter margin must be above 0, not {margin}.")
        self.margin = margin

    @torch.no_grad()
    def __call__(self, embeddings: Tensor, labels: Tensor) -> Triplets:
        """Return triplets (a, p, n), at most one a positive pair."""
        distances = distance_matrix(embeddings)
        same = labels[:, None] == labels[None, :]
        others, order = distances.masked_fill(same, torch.inf).sort(dim=1, stable=True)
        a, p = same.fill_diagonal_(False).nonzero(as_tuple=True)
        counts = torch.bincount(a, minlength=len(labels))
        if not a.numel():
            return a, p, a
        column = torch.arange(a.numel(), device=a.device) - (counts.cumsum(0) - counts)[a]
        positive = distances[a, p]
        queries = distances.new_full((len(labels), int(counts.max())), torch.inf)
        queries[a, column] = positive
        rank = torch.searchsorted(others, queries, right=True)[a, column]
        bound = torch.inf if self.margin is None else positive + self.margin
        rank, beyond = rank.clamp_max(len(labels) - 1), rank >= len(labels)
        kept = (others[a, rank] < bound) & ~beyond
        return a[kept], p[kept], order[a, rank][kept]


class BatchHardMiner:
    """The farthest positive and the closest negative of each anchor.

    Hermans, Beyer and Leibe, "In Defense of the Triplet Loss for Person Re-Identification" (2017). Of equally far
    images any may be taken.
    """

    @torch.no_grad()
    def __call__(self, embeddings: Tensor, labels: Tensor) -> Triplets:
        """Return triplets (a, p, n), at most one an image."""
        if not labels.numel():
            return labels, labels, labels
        squares = distance_matrix(embeddings, squared=True)
        same = labels[:, None] == labels[None, :]
        closest, negative = squares.masked_fill(same, torch.inf).min(dim=1)
        farthest, positive = squares.masked_fill_(~same.fill_diagonal_(False), -1.0).max(dim=1)
        anchor = ((farthest >= 0) & (closest < torch.inf)).nonzero().squeeze(1)
        return anchor, positive[anchor], negative[anchor]
