"""Fine-tuning one image tower of an arrangement model: class probabilities from the later layers of a backbone."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from doppelgram.models.networks.embedding import EmbeddingNetwork
from doppelgram.training.tower_views import LaterLayers, Maps

# Share of the target that is spread over all classes (Szegedy et al. 2016), so that a handful of photographs of a place
# does not end in certainty.
_SMOOTHING = 0.1


@dataclass(frozen=True)
class TowerSchedule:
    """How a tower is stepped: AdamW with a linear warm-up and a cosine, and a running average of the weights.

    Attributes:
        epochs: each shows one view of every image.
        batch: images to a step.
        lr: of the head.
        backbone_lr: of the layers before it, as a share of ``lr``.
        weight_decay: of all weights.
        warmup: share of all steps.
        average: share of the old in the running average of the weights, which is what is kept.
    """

    epochs: int = 12
    batch: int = 32
    lr: float = 0.01
    backbone_lr: float = 0.03
    weight_decay: float = 0.02
    warmup: float = 0.2
    average: float = 0.98


def fit_tower(
    network: EmbeddingNetwork,
    layers: int,
    maps: Maps,
    rows: NDArray[np.int64],
    classes: NDArray[np.int64],
    schedule: TowerSchedule,
    seed: int,
    progress: Callable[[int], None] | None = None,
) -> float:
    """Train a network's later layers and its posterior head by cross-entropy; the network's own weights change.

    Batch norms keep the statistics that they came with where the network's are frozen. Of every image each epoch shows
    one view at random.

    Args:
        network: with a head whose ``posterior`` is above 0.
        layers: how many first layers ``maps`` are the output of.
        maps: (views, n, c, rows, columns), from `first_maps`.
        rows: which of the n images are trained on, (m,).
        classes: of these, (m,), from 0.
        schedule: see there.
        seed: the same seed gives the same weights.
        progress: called with 1 after each epoch.

    Returns:
        Mean loss of the last epoch.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    later = LaterLayers(network, layers)
    trained = nn.ModuleList([later, network.head])
    trained.requires_grad_(True)
    nn.init.zeros_(network.head.layers[-1].weight)  # type: ignore[arg-type]
    targets = torch.from_numpy(classes)
    steps = schedule.epochs * len(_batches(np.arange(len(rows)), schedule.batch))
    optimiser = torch.optim.AdamW(
        [
            {"params": list(later.parameters()), "lr": schedule.lr * schedule.backbone_lr},
            {"params": list(network.head.parameters()), "lr": schedule.lr},
        ],
        weight_decay=schedule.weight_decay,
    )
    rates = [group["lr"] for group in optimiser.param_groups]
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, rates, total_steps=max(steps, 2), pct_start=schedule.warmup
    )
    average = copy.deepcopy(trained)
    trained.train()
    for module in later.modules():
        if isinstance(module, nn.BatchNorm2d) and network.frozen_norms:
            module.eval()
    losses: list[float] = []
    step = 0
    for _ in range(schedule.epochs):
        losses.clear()
        for some in _batches(rng.permutation(len(rows)), schedule.batch):
            views = rng.integers(len(maps), size=len(some))
            logits = network.head.logits(later(as_maps(maps[views, rows[some]])))
            loss = nn.functional.cross_entropy(logits, targets[some], label_smoothing=_SMOOTHING)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            scheduler.step()
            losses.append(loss.item())
            step += 1
            follow(average, trained, min(schedule.average, step / (step + 10)))
        if progress:
            progress(1)
    trained.load_state_dict(average.state_dict())
    network.eval()
    return float(np.mean(losses))


@torch.no_grad()
def follow(average: nn.Module, trained: nn.Module, kept: float) -> None:
    """Move a running average of the weights by the share ``1 - kept`` towards the trained ones, in place.

    Statistics of batch norms, which are running averages already, are taken over.
    """
    for mine, theirs in zip(average.parameters(), trained.parameters(), strict=True):
        mine.mul_(kept).add_(theirs, alpha=1 - kept)
    for kept_statistics, statistics in zip(average.buffers(), trained.buffers(), strict=True):
        kept_statistics.copy_(statistics)


@torch.inference_mode()
def tower_features(network: EmbeddingNetwork, layers: int, maps: Maps, batch: int = 64) -> NDArray[np.float32]:
    """Pooled features (n, dim) of what the first layers made of images, (n, c, rows, columns)."""
    later = LaterLayers(network, layers).eval()
    parts = [later(as_maps(maps[start : start + batch])).numpy() for start in range(0, len(maps), batch)]
    return np.concatenate(parts)


def as_maps(maps: Maps) -> Tensor:
    """Stored maps (b, c, rows, columns) as float32 in the memory order that convolutions like best."""
    return torch.from_numpy(maps.astype(np.float32)).contiguous(memory_format=torch.channels_last)


def _batches(order: NDArray[np.int64], size: int) -> list[NDArray[np.int64]]:
    """Batches of about ``size``, none of them much smaller than the others."""
    return list(_split(order, max(1, round(len(order) / size))))


def _split(order: NDArray[np.int64], count: int) -> Iterator[NDArray[np.int64]]:
    yield from np.array_split(order, count)
