"""Training a pose tower on normalised keypoints, and the augmentation that makes it see past an estimator's errors."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from doppelgram.models.networks.keypoints import PoseTower
from doppelgram.training.tower_fit import follow

_BATCH = 128
_LR, _WEIGHT_DECAY, _WARMUP, _AVERAGE = 2e-3, 0.05, 0.15, 0.99
_SMOOTHING = 0.1
_SCALE, _MARGIN = 16.0, 0.2  # of the cosine-margin loss, for towers that give an embedding

# How far keypoints are changed at random. Lengths are in trunk lengths.
_ROTATE = math.radians(12)  # the camera held askew
_STRETCH = 0.25  # the body turned away from the camera, or bent towards it: axes scaled by up to exp(this)
_SHEAR = 0.2
_PERSPECTIVE = 0.08  # one end nearer to the camera than the other
_JITTER = 0.06  # of a joint of half confidence
_WILD, _WILD_JITTER = 0.03, 0.6  # share of joints that were found somewhere else, and how far
_DROPPED = 0.1  # mean share of joints that are missing
_CONFIDENCE = 0.3


def augmented(keypoints: Tensor, generator: torch.Generator) -> Tensor:
    """Randomly changed normalised keypoints (b, 18, 3): camera, jitter, outliers and missing joints."""
    n, joints = keypoints.shape[:2]

    def evenly(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator) * 2 - 1

    xy, confidence = keypoints[..., :2], keypoints[..., 2:]
    angle = evenly(n) * _ROTATE
    cos, sin = angle.cos(), angle.sin()
    turn = torch.stack([torch.stack([cos, -sin], -1), torch.stack([sin, cos], -1)], -2)
    stretch = torch.diag_embed((evenly(n, 2) * _STRETCH).exp())
    shear = torch.eye(2).repeat(n, 1, 1)
    shear[:, 0, 1] = evenly(n) * _SHEAR
    xy = xy @ (turn @ shear @ stretch).transpose(1, 2)
    nearer = (torch.nan_to_num(xy) * (evenly(n, 2) * _PERSPECTIVE)[:, None]).sum(-1, keepdim=True)
    xy = xy / (1 + nearer).clamp(min=0.5)
    xy = xy + torch.randn(xy.shape, generator=generator) * _JITTER * (1.5 - confidence)
    wild = torch.rand(n, joints, 1, generator=generator) < _WILD
    xy = xy + wild * torch.randn(xy.shape, generator=generator) * _WILD_JITTER
    confidence = (confidence * (1 + _CONFIDENCE * evenly(n, joints, 1))).clamp(0, 1)
    share = 2 * _DROPPED * torch.rand(n, 1, generator=generator)
    missing = (torch.rand(n, joints, generator=generator) < share)[..., None]
    return torch.cat([xy.masked_fill(missing, math.nan), confidence.masked_fill(missing, 0.0)], dim=-1)


def fit_pose_tower(
    tower: PoseTower,
    keypoints: NDArray[np.float32],
    classes: NDArray[np.int64],
    epochs: int,
    seed: int,
    progress: Callable[[int], None] | None = None,
) -> float:
    """Train a pose tower; its weights become a running average of those that were stepped.

    A tower that gives class probabilities learns by cross-entropy, one that gives an embedding by a cosine-margin
    loss (Wang et al., CosFace, 2018).

    Args:
        tower: see `PoseTower`.
        keypoints: (n, 18, 3), normalised, of the people trained on.
        classes: their poses, (n,), from 0.
        epochs: each shows everybody once, changed at random.
        seed: the same seed gives the same weights.
        progress: called with 1 after each epoch.

    Returns:
        Mean loss of the last epoch.
    """
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    people, targets = torch.from_numpy(keypoints.astype(np.float32)), torch.from_numpy(classes)
    count = int(classes.max()) + 1
    centres = nn.Parameter(0.1 * torch.randn(count, tower.dim))
    parameters = [*tower.parameters(), *([] if tower.posterior else [centres])]
    optimiser = torch.optim.AdamW(parameters, lr=_LR, weight_decay=_WEIGHT_DECAY)
    batches = max(1, round(len(people) / _BATCH))
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, _LR, total_steps=max(2, epochs * batches), pct_start=_WARMUP
    )
    average = copy.deepcopy(tower)
    tower.train()
    losses: list[float] = []
    step = 0
    for _ in range(epochs):
        losses.clear()
        for some in torch.tensor_split(torch.randperm(len(people), generator=generator), batches):
            logits = tower.logits(augmented(people[some], generator))
            if not tower.posterior:
                cosine = nn.functional.normalize(logits, dim=1) @ nn.functional.normalize(centres, dim=1).T
                logits = _SCALE * (cosine - _MARGIN * nn.functional.one_hot(targets[some], count))
            loss = nn.functional.cross_entropy(logits, targets[some], label_smoothing=_SMOOTHING)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            scheduler.step()
            losses.append(loss.item())
            step += 1
            follow(average, tower, min(_AVERAGE, step / (step + 10)))
        if progress:
            progress(1)
    tower.load_state_dict(average.state_dict())
    tower.eval()
    return float(np.mean(losses))
