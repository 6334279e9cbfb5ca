"""Cross-batch memory: the embeddings of earlier batches as further partners of each image."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from doppelgram.learning.tuples import Tuples, all_pairs


class CrossBatchMemory(nn.Module):
    """The last ``size`` embeddings, of ``dim`` numbers each, and their labels (Wang et al., XBM, CVPR 2020).

    Weights change slowly once training is under way, so embeddings of a few batches ago still stand for their images:
    a miner finds harder partners among thousands of them than in one batch. No gradient flows into the memory. It is
    part of the module's state, so that a resumed training has it too.
    """

    embeddings: Tensor
    labels: Tensor
    filled: Tensor
    position: Tensor

    def __init__(self, size: int, dim: int) -> None:
        super().__init__()
        self.size = size
        self.register_buffer("embeddings", torch.zeros(size, dim))
        self.register_buffer("labels", torch.full((size,), -1, dtype=torch.int64))
        self.register_buffer("filled", torch.zeros((), dtype=torch.int64))
        self.register_buffer("position", torch.zeros((), dtype=torch.int64))

    def join(self, embeddings: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """The batch followed by the memory: embeddings (b + m, d) and labels (b + m,)."""
        count = int(self.filled)
        return torch.cat([embeddings, self.embeddings[:count]]), torch.cat([labels, self.labels[:count]])

    @torch.no_grad()
    def store(self, embeddings: Tensor, labels: Tensor) -> None:
        """Put a batch in place of the oldest embeddings; of a batch larger than the memory its last rows."""
        embeddings, labels = embeddings.detach()[-self.size :].float(), labels[-self.size :]
        rows = (int(self.position) + torch.arange(len(labels), device=labels.device)) % self.size
        self.embeddings[rows], self.labels[rows] = embeddings, labels
        self.position.fill_((int(self.position) + len(labels)) % self.size)
        self.filled.fill_(min(self.size, int(self.filled) + len(labels)))


def with_batch_anchors(tuples: Tuples | None, labels: Tensor, batch: int) -> Tuples:
    """The tuples whose anchor is one of the first ``batch`` images; None stands for all pairs.

    Embeddings in the memory get no gradient, so a pair of two of them would teach nothing.
    """
    tuples = all_pairs(labels) if tuples is None else tuples
    if len(tuples) == 3:
        keep = tuples[0] < batch
        return tuples[0][keep], tuples[1][keep], tuples[2][keep]
    a1, p, a2, n = tuples
    positive, negative = a1 < batch, a2 < batch
    return a1[positive], p[positive], a2[negative], n[negative]
