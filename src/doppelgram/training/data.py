"""Batches for training: rows gathered from one array in memory, in an order that depends on seed and epoch alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

Index = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Part:
    """One part of the data: rows of an array that all parts share, so that nothing of it is copied.

    Attributes:
        inputs: framed images uint8 (n, h, w, 3), or cached features (n, views, d); may be memory-mapped.
        codes: class code of each of the part's rows, (m,).
        rows: which rows of ``inputs`` are the part's, (m,).
    """

    inputs: np.ndarray[Any, Any]
    codes: Index
    rows: Index

    @classmethod
    def whole(cls, inputs: np.ndarray[Any, Any], codes: Index) -> Part:
        """A part that is all of an array."""
        return cls(inputs, codes, np.arange(len(inputs)))

    def __len__(self) -> int:
        return len(self.codes)


class BatchPlan(Protocol):
    """What the samplers offer: the index batches of an epoch."""

    def epoch_batches(self, epoch: int) -> list[Index]:
        """Index arrays, one a batch."""
        ...


class ArrayDataset(Dataset[tuple[Tensor, Tensor]]):
    """Rows of an array (framed images or cached features) with their class codes; an index array gives a batch.

    A whole batch is one gather, which is why no worker processes are needed: at 64x64 it takes a hundredth of
    the training step, and the array may be memory-mapped.
    """

    def __init__(self, part: Part) -> None:
        self.part = part

    def __len__(self) -> int:
        return len(self.part)

    def __getitem__(self, index: Any) -> tuple[Tensor, Tensor]:
        inputs = self.part.inputs[self.part.rows[index]]
        return torch.from_numpy(np.ascontiguousarray(inputs)), torch.from_numpy(self.part.codes[index])


class EpochBatches(Sampler[Index]):
    """Index batches of the current epoch; Lightning calls `set_epoch` before each."""

    def __init__(self, plan: BatchPlan) -> None:
        self.plan = plan
        self.epoch = 0
        self._drawn: tuple[int, list[Index]] | None = None

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose batches are drawn next."""
        self.epoch = epoch

    def _batches(self) -> list[Index]:
        if self._drawn is None or self._drawn[0] != self.epoch:
            self._drawn = (self.epoch, self.plan.epoch_batches(self.epoch))
        return self._drawn[1]

    def __iter__(self) -> Iterator[Index]:
        return iter(self._batches())

    def __len__(self) -> int:
        return len(self._batches())


class _InOrder(Sampler[Index]):
    def __init__(self, rows: int, batch: int) -> None:
        self.rows, self.batch = rows, batch

    def __iter__(self) -> Iterator[Index]:
        return (np.arange(s, min(s + self.batch, self.rows)) for s in range(0, self.rows, self.batch))

    def __len__(self) -> int:
        return -(-self.rows // self.batch)


def train_loader(part: Part, plan: BatchPlan, epoch: int = 0) -> DataLoader[Any]:
    """Loader of (inputs, class codes) batches in the order of ``plan``, beginning with that of ``epoch``.

    A resumed run has to name its first epoch: Lightning draws the first batches before it sets the epoch.
    """
    batches = EpochBatches(plan)
    batches.set_epoch(epoch)
    return _loader(part, batches)


def ordered_loader(part: Part, batch: int = 256) -> DataLoader[Any]:
    """Loader of (inputs, class codes) batches in row order."""
    return _loader(part, _InOrder(len(part), batch))


def _loader(part: Part, batches: Sampler[Index]) -> DataLoader[Any]:
    # A generator of its own: a DataLoader draws one number each time it is started, and from torch's global generator
    # that would shift the dropout of a resumed run, which starts its loaders at another moment.
    return DataLoader(ArrayDataset(part), sampler=batches, batch_size=None, generator=torch.Generator())
