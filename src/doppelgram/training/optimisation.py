"""How weights are stepped: optimiser, its parameter groups, schedule, and the running average of the weights."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from doppelgram.models.networks.embedding import EmbeddingNetwork
from doppelgram.training.recipes.sections import Optimiser


def decayed_groups(parts: Iterable[tuple[Iterable[nn.Parameter], float]], optimiser: Optimiser) -> list[dict[str, Any]]:
    """Groups in which weight matrices decay, and biases and norms do not.

    Args:
        parts: parameters, each with its learning rate as a share of the optimiser's.
        optimiser: learning rate and weight decay.
    """
    groups = []
    for parameters, share in parts:
        trained = [parameter for parameter in parameters if parameter.requires_grad]
        for decay in (True, False):
            chosen = [parameter for parameter in trained if (parameter.ndim >= 2) == decay]
            groups.append(group(chosen, share, optimiser, decay=decay))
    return [each for each in groups if each["params"]]


def group(
    parameters: Iterable[nn.Parameter], share: float, optimiser: Optimiser, *, decay: bool = True
) -> dict[str, Any]:
    """One group: parameters with a share of the learning rate, with weight decay or without."""
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    return {"params": trained, "lr": optimiser.lr * share, "weight_decay": optimiser.weight_decay if decay else 0.0}


def make_optimiser(groups: list[dict[str, Any]], recipe: Optimiser) -> torch.optim.Optimizer:
    """AdamW or SGD."""
    if recipe.name == "sgd":
        return torch.optim.SGD(groups, lr=recipe.lr, momentum=recipe.momentum)
    return torch.optim.AdamW(groups, lr=recipe.lr)


def make_schedule(
    optimiser: torch.optim.Optimizer, recipe: Optimiser, steps: int
) -> torch.optim.lr_scheduler.LRScheduler:
    """The schedule of the learning rate over all steps of a training."""
    if recipe.schedule == "onecycle":
        rates = [group["lr"] for group in optimiser.param_groups]
        return torch.optim.lr_scheduler.OneCycleLR(optimiser, rates, total_steps=max(2, steps), pct_start=recipe.warmup)
    return torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: learning_rate(step, steps, recipe))


def learning_rate(step: int, steps: int, recipe: Optimiser) -> float:
    """Share of the full learning rate at a step: a linear warm-up, then half a cosine, or constant."""
    warm = recipe.warmup * steps
    if step < warm:
        return (step + 1) / (warm + 1)
    if recipe.schedule == "constant":
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warm) / max(1.0, steps - warm))))


def averaged_model(network: nn.Module, old: float) -> AveragedModel:
    """A running average of a network's weights and of its norms' statistics.

    Args:
        network: at its start; the average starts from it.
        old: share of the old average that stays at each step; less in the first steps, when the average knows little.
    """
    average = AveragedModel(network, multi_avg_fn=partial(_move, old), use_buffers=True)
    average.n_averaged.fill_(1)  # torch's own start would forget the network that training starts from
    return average.requires_grad_(False)


@torch.no_grad()
def _move(old: float, averages: Any, weights: Any, step: Tensor | int) -> None:
    """Move averages towards the weights of a step; not a function within one, since a task can be sent elsewhere."""
    share = min(old, (1 + int(step)) / (10 + int(step)))
    for average, weight in zip(averages, weights, strict=True):
        if average.is_floating_point():
            average.lerp_(weight, 1 - share)
        else:
            average.copy_(weight)


@torch.no_grad()
def mix_start(network: EmbeddingNetwork, start: Mapping[str, Tensor], share: float) -> None:
    """Move a trained backbone's weights back towards those that it started from (Wortsman et al. 2022, WiSE-FT).

    A fine-tuned network keeps more of what it knew of things that it was not tuned on.

    Args:
        network: changed in place.
        start: its backbone's tensors before it was trained.
        share: of the weights at the start in the result; 0 changes nothing.
    """
    for name, tensor in network.backbone.state_dict().items():
        if share and tensor.is_floating_point():
            tensor.lerp_(start[name].to(tensor), share)
