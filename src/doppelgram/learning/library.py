"""Losses and miners of pytorch-metric-learning behind the interface of ours.

This module holds the wrappers only and does not import the library; see `doppelgram.learning.registry`.
"""

from typing import Any

import torch
from torch import Tensor

from doppelgram.errors import DoppelgramError
from doppelgram.learning.distances import at_least_float32, pair_distances
from doppelgram.learning.losses import MetricLoss
from doppelgram.learning.tuples import Tuples, all_pairs, to_pairs

# They use the whole batch; the library refuses tuples (or, for smooth_ap, silently ignores them).
_WITHOUT_TUPLES = ("InstanceLoss", "P2SGradLoss", "PNPLoss", "RankedListLoss", "SmoothAPLoss")


class LibraryMiner:
    """A miner of pytorch-metric-learning that also accepts batches without a positive or a negative pair."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    @torch.no_grad()
    def __call__(self, embeddings: Tensor, labels: Tensor) -> Tuples:
        """Return the library's tuples, on the device of the labels."""
        codes = torch.unique(labels, return_inverse=True)[1]
        counts = torch.bincount(codes)
        if len(counts) < 2 or int(counts.max()) < 2:
            empty = labels.new_zeros(0, dtype=torch.int64)
            return empty, empty, empty
        with torch.autocast(embeddings.device.type, enabled=False):
            found: Tuples = tuple(part.to(labels.device) for part in self.inner(at_least_float32(embeddings), codes))
        return found


class LibraryLoss(MetricLoss):
    """The loss ``inner`` of pytorch-metric-learning; ``name`` is for messages.

    Labels are numbered anew in every batch (the library casts them), except for a classification loss, whose labels
    are codes below ``classes``. All pairs of the batch are passed on as None, because the library writes out pair
    tuples as triplets by comparing every pair with every other. Some of its losses take cubic memory themselves
    (NT-Xent with many positives).
    """

    def __init__(self, name: str, inner: Any, classes: int | None) -> None:
        super().__init__()
        self.name = name
        self.inner = inner
        self.classes = classes
        self.needs_classes = classes is not None
        self.takes_tuples = type(inner).__name__ not in _WITHOUT_TUPLES
        self._last: tuple[Tensor, Tensor, Tuples | None] | None = None

    def forward(self, embeddings: Tensor, labels: Tensor, tuples: Tuples | None = None) -> Tensor:
        """Return the scalar loss of a batch; raises DoppelgramError for labels or tuples that it cannot take."""
        if tuples is not None and not self.takes_tuples:
            raise DoppelgramError(f"{self.title} uses the whole batch and takes no tuples; leave out the miner")
        embeddings, labels = at_least_float32(embeddings), labels.long()
        self._last = embeddings.detach(), labels, tuples
        if self.classes is None:
            labels = torch.unique(labels, return_inverse=True)[1]
        elif labels.numel() and not 0 <= int(labels.min()) <= int(labels.max()) < self.classes:
            raise DoppelgramError(
                f"{self.title} knows classes 0 to {self.classes - 1}, but the batch has labels from "
                f"{int(labels.min())} to {int(labels.max())}; it can only be computed for classes trained on"
            )
        if tuples is not None and _are_all_pairs(tuples, labels):
            tuples = None
        self._forget_graphs()
        try:
            with torch.autocast(embeddings.device.type, enabled=False):
                loss: Tensor = self.inner(embeddings, labels, tuples)
        except (ValueError, AssertionError) as problem:
            raise DoppelgramError(f"{self.title} refuses the batch: {first_line(problem)}") from problem
        loss = loss.reshape(())
        return loss if loss.requires_grad else loss + self._zero(embeddings)

    @property
    def title(self) -> str:
        """How messages call it."""
        return f"loss '{self.name}'"

    def stats(
        self, embeddings: Tensor | None = None, labels: Tensor | None = None, tuples: Tuples | None = None
    ) -> dict[str, float]:
        """As for every loss, but without "active", which the library does not compute."""
        if embeddings is not None and labels is not None:
            self._last = embeddings.detach(), labels, tuples
        if self._last is None:
            return {}
        embeddings, labels, tuples = self._last
        tuples = all_pairs(labels) if tuples is None else tuples
        a1, p, a2, n = to_pairs(tuples)
        count = len(a1) if len(tuples) == 3 else len(a1) + len(a2)
        positive, negative = pair_distances(embeddings, a1, p), pair_distances(embeddings, a2, n)
        self._record(positive, negative, 0.0, count)
        del self._stats["active"]
        return super().stats()

    def _forget_graphs(self) -> None:
        """Cut running averages loose from the last step; DynamicSoftMarginLoss would go back through it."""
        for name, value in vars(self.inner).items():
            if isinstance(value, Tensor) and value.grad_fn is not None:
                setattr(self.inner, name, value.detach())


def _are_all_pairs(tuples: Tuples, labels: Tensor) -> bool:
    batch = len(labels)
    if len(tuples) == 3 or len(tuples[0]) + len(tuples[2]) != batch * (batch - 1):
        return False
    sizes = torch.unique(labels, return_counts=True)[1]
    return len(tuples[0]) == int(sizes.square().sum()) - batch


def first_line(problem: Exception) -> str:
    """The first line of an error's text."""
    text = str(problem).strip()
    return text.splitlines()[0] if text else "it gives no reason"
