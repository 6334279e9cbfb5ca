"""A head on features, learned by the losses and miners that networks on photographs are trained with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from doppelgram.errors import DivergedError
from doppelgram.learning.registry import make_loss, make_miner
from doppelgram.learning.samplers import MPerClassSampler, ShuffleSampler
from doppelgram.models.networks.embedding import EmbeddingHead
from doppelgram.training.optimisation import decayed_groups, group, make_optimiser, make_schedule
from doppelgram.training.recipes.sections import Optimiser

# Of a class in a batch, where the loss compares the samples of a batch.
PER_CLASS = 4
# Rows that are embedded at a time: no copy of all features in double precision is made.
_AT_ONCE = 8192


@dataclass(frozen=True)
class HeadSettings:
    """How a head is made and trained.

    Attributes:
        dim: size of the embedding.
        hidden: width of a hidden layer; 0 for none.
        loss: name of the loss.
        loss_params: its parameters.
        miner: name of the miner; empty for none.
        miner_params: its parameters.
        batch: samples in a batch.
        optimiser: epochs, learning rate and schedule.
    """

    dim: int
    hidden: int
    loss: str
    loss_params: Mapping[str, Any]
    miner: str
    miner_params: Mapping[str, Any]
    batch: int
    optimiser: Optimiser


def train_head(
    features: NDArray[np.float32], codes: NDArray[np.int64], settings: HeadSettings, seed: int
) -> tuple[EmbeddingHead, list[float]]:
    """A trained head, in double precision, and the mean loss of each epoch.

    Torch's own random numbers are left as they were.

    Args:
        features: (n, d).
        codes: class of each, (n,), from 0, of two classes at least.
        settings: of the head and its training.
        seed: the same features, classes, settings and seed give the same head again.

    Raises:
        DoppelgramError: the loss or the miner cannot be used, or the training diverged.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        head = EmbeddingHead(features.shape[1], settings.dim, hidden=settings.hidden)
        curve = _train(head, features, codes, settings, seed)
        return head.double().eval(), curve


def _train(
    head: EmbeddingHead, features: NDArray[np.float32], codes: NDArray[np.int64], settings: HeadSettings, seed: int
) -> list[float]:
    classes = int(codes.max()) + 1
    loss = make_loss(settings.loss, embedding_dim=head.dim, classes=classes, params=settings.loss_params)
    miner = make_miner(settings.miner or None, params=settings.miner_params, loss=loss)
    options, size = settings.optimiser, min(settings.batch, max(4, len(codes)))
    per_class = min(PER_CLASS, size // 2)
    plan = (
        ShuffleSampler(codes, size, seed)
        if loss.needs_classes
        else MPerClassSampler(codes, size // per_class, per_class, seed)
    )
    groups = [*decayed_groups([(head.parameters(), 1.0)], options), group(loss.parameters(), 1.0, options, decay=False)]
    optimiser = make_optimiser([one for one in groups if one["params"]], options)
    schedule = make_schedule(optimiser, options, len(plan) * options.epochs)
    inputs, targets = torch.tensor(features), torch.tensor(codes)
    curve = []
    for epoch in range(options.epochs):
        losses = []
        for rows in plan.epoch_batches(epoch):
            embeddings, labels = head(inputs[rows]), targets[rows]
            value = loss(embeddings, labels, miner(embeddings.detach(), labels))
            optimiser.zero_grad()
            value.backward()
            optimiser.step()
            schedule.step()
            losses.append(float(value.detach()))
        curve.append(float(np.mean(losses)))
        if not np.isfinite(curve[-1]):
            raise DivergedError
    return curve


@torch.inference_mode()
def embed(head: EmbeddingHead, features: NDArray[Any]) -> NDArray[np.float64]:
    """Embeddings (n, dim) of features (n, d), in double precision.

    A row then has the same numbers whatever it is embedded with; in single precision the last digits differ.
    """
    found = np.empty((len(features), head.dim))
    for start in range(0, len(features), _AT_ONCE):
        piece = torch.tensor(features[start : start + _AT_ONCE], dtype=torch.float64)
        found[start : start + len(piece)] = torch.nn.functional.normalize(head.layers(piece), dim=1).numpy()
    return found
