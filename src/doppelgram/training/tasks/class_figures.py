"""Validation figures of networks that name classes."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy


def class_figures(logits: Tensor, classes: Tensor, smoothing: float) -> dict[str, float]:
    """``val_loss`` and ``val_accuracy`` of logits (n, classes), the targets (n,) smoothed as in training."""
    logits = logits.float().cpu()
    losses = cross_entropy(logits, classes, label_smoothing=smoothing, reduction="none")
    return {
        "val_loss": float(losses.mean()),
        "val_accuracy": float((logits.argmax(1) == classes).to(torch.float32).mean()),
    }
