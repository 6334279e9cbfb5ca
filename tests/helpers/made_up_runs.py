"""Runs of a comparison that never happened, with known answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from doppelgram.comparison.result import RunResult, Setting


def made_up(
    loss: str = "triplet",
    miner: str = "none",
    dim: int = 16,
    seed: int = 0,
    *,
    right: float = 0.5,
    queries: int = 400,
    noise: int = 0,
    accuracy: Sequence[float] = (0.2, 0.4, 0.5),
    seconds: float = 1.0,
    active: float | None = 0.5,
    **flags: Any,
) -> RunResult:
    """A run in which the first share ``right`` of the queries is answered; ``noise`` of all answers are turned."""
    nearest = np.arange(queries) < round(right * queries)
    turned = np.random.default_rng([seed, 7]).permutation(queries)[:noise]
    nearest[turned] = ~nearest[turned]
    history = []
    for epoch, reached in enumerate(accuracy, 1):
        figures = {"epoch": float(epoch), "seconds": seconds, "train_loss": 1 / epoch, "val_precision_at_1": reached}
        history.append(figures if active is None else {**figures, "train_active": active})
    return RunResult(Setting(loss, miner, dim), seed, nearest, nearest.copy(), nearest.astype(float), history, **flags)
