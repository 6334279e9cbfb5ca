"""Validation figures of networks that name classes."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy


class ClassFigures:
    """Loss and accuracy, summed up over batches.

    Args:
        smoothing: of the targets, as in training.
    """

    def __init__(self, smoothing: float) -> None:
        self.smoothing = smoothing
        self._losses: list[Tensor] = []
        self._right: list[Tensor] = []

    def add(self, logits: Tensor, classes: Tensor) -> None:
        """Take a batch in: logits (b, classes) and classes (b,)."""
        logits = logits.float().cpu()
        self._losses.append(cross_entropy(logits, classes, label_smoothing=self.smoothing, reduction="none"))
        self._right.append(logits.argmax(1) == classes)

    def means(self) -> dict[str, float]:
        """``val_loss`` and ``val_accuracy``."""
        return {
            "val_loss": float(torch.cat(self._losses).mean()),
            "val_accuracy": float(torch.cat(self._right).float().mean()),
        }
