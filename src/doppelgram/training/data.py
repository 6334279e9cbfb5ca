"""Batches for training: rows of one array in memory, in an order that depends on seed and epoch alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from doppelgram.training.task import BatchPlan, Index


@dataclass(frozen=True)
class Part:
    """One part of the data: rows of an array that all parts share, so that nothing of it is copied.

    Attributes:
        inputs: framed images uint8 (n, h, w, 3), cached features (n, copies, d), or maps of a backbone's first layers
            (n, copies, c, rows, columns); may be memory-mapped.
        codes: class code of each of the part's rows, (m,).
        rows: which rows of ``inputs`` are the part's, (m,).
    """

    inputs: NDArray[Any]
    codes: Index
    rows: Index

    @classmethod
    def whole(cls, inputs: NDArray[Any], codes: Index) -> Part:
        """A part that is all of an array."""
        return cls(inputs, codes, np.arange(len(inputs)))

    def __len__(self) -> int:
        return len(self.codes)

    def batch(self, index: Index, device: torch.device) -> tuple[Tensor, Tensor]:
        """Inputs and class codes of some of the part's rows.

        A whole batch is one gather, which is why no worker processes are needed: at 64x64 it takes a hundredth of the
        training step.
        """
        inputs = np.ascontiguousarray(self.inputs[self.rows[index]])
        return torch.from_numpy(inputs).to(device), torch.from_numpy(self.codes[index]).to(device)


class EpochBatches(Sampler[Index]):
    """Index batches of the current epoch; Lightning calls `set_epoch` before each."""

    def __init__(self, plan: BatchPlan, epoch: int) -> None:
        self.plan = plan
        self.epoch = epoch
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


class _AsTensors(Dataset[Tensor]):
    """Batches of rows are their own content: the task gathers what stands in them."""

    def __getitem__(self, index: Index) -> Tensor:
        return torch.from_numpy(np.asarray(index))


def plan_loader(plan: BatchPlan, epoch: int = 0) -> DataLoader[Any]:
    """Loader of a plan's batches as int64 tensors, beginning with those of ``epoch``.

    A resumed run has to name its first epoch: Lightning draws the first batches before it sets the epoch.
    """
    # A generator of its own: a DataLoader draws one number each time it is started, and from torch's global generator
    # that would shift the dropout of a resumed run, which starts its loaders at another moment.
    batches = EpochBatches(plan, epoch)
    return DataLoader(_AsTensors(), sampler=batches, batch_size=None, generator=torch.Generator())


def single_loader() -> DataLoader[Any]:
    """Loader of one empty batch, at which a task validates all that it has."""
    return DataLoader(_AsTensors(), sampler=[np.zeros(0, np.int64)], batch_size=None, generator=torch.Generator())
