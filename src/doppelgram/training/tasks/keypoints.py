"""The task `keypoints`: a network on normalised keypoints that names pose classes or gives an embedding of poses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize, one_hot

from doppelgram.learning.samplers import ShuffleSampler
from doppelgram.models.networks.keypoints import PoseTower
from doppelgram.training.optimisation import group
from doppelgram.training.recipes.towers import KeypointAugment, KeypointsTower
from doppelgram.training.task import Task
from doppelgram.training.tasks.class_figures import class_figures

Keypoints = NDArray[np.float32]


class KeypointsTask(Task):
    """A pose network; classes are learned by cross-entropy, an embedding by CosFace's margin (Wang et al., 2018).

    Args:
        network: see `PoseTower`.
        keypoints: (n, 18, 3), normalised, of the people trained on.
        classes: their poses, (n,), from 0.
        recipe: how it is trained.
        validation: keypoints (m, 18, 3) and classes (m,) of people who are not trained on, or None.
        seed: of the run.

    Attributes:
        centres: one point a class, from which an embedding learns; they are not kept.
    """

    network: PoseTower

    def __init__(
        self,
        network: PoseTower,
        keypoints: Keypoints,
        classes: NDArray[np.int64],
        recipe: KeypointsTower,
        *,
        validation: tuple[Keypoints, NDArray[np.int64]] | None = None,
        seed: int = 0,
    ) -> None:
        torch.manual_seed(seed)
        super().__init__(network, ShuffleSampler(classes, recipe.batch, seed), recipe.optimiser, seed)
        self.keypoints, self.classes = torch.from_numpy(keypoints.astype(np.float32)), torch.from_numpy(classes)
        self.recipe = recipe
        self.count = int(classes.max()) + 1
        self.centres = None if network.posterior else nn.Parameter(0.1 * torch.randn(self.count, network.dim))
        self.validation = validation if validation is not None and len(validation[1]) else None
        self.validates = self.validation is not None

    def _logits(self, network: Any, keypoints: Tensor) -> Tensor:
        """Logits (b, classes); of an embedding its cosine with each class's centre, scaled."""
        logits: Tensor = network.logits(keypoints.to(self.device))
        if self.centres is not None:
            logits = self.recipe.loss_scale * (normalize(logits, dim=1) @ normalize(self.centres, dim=1).T)
        return logits

    def batch_loss(self, batch: Tensor, number: int) -> tuple[Tensor, dict[str, Any]]:
        """Cross-entropy of the batch's people, changed at random."""
        rows = batch.cpu()
        logits = self._logits(self.network, augmented(self.keypoints[rows], self.recipe.augment, self.generator))
        targets = self.classes[rows].to(self.device)
        if self.centres is not None:
            logits = logits - self.recipe.loss_scale * self.recipe.loss_margin * one_hot(targets, self.count)
        return cross_entropy(logits, targets, label_smoothing=self.recipe.smoothing), {}

    def validate(self) -> dict[str, float]:
        """Loss and accuracy on the validation people."""
        if self.validation is None:
            return {}
        keypoints, classes = self.validation
        logits = self._logits(self.kept, torch.from_numpy(keypoints.astype(np.float32)))
        return class_figures(logits, torch.from_numpy(classes), self.recipe.smoothing)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """One group; everything decays."""
        centres = [] if self.centres is None else [self.centres]
        return [group([*self.network.parameters(), *centres], 1.0, self.optimiser)]


def augmented(keypoints: Tensor, spec: KeypointAugment, generator: torch.Generator) -> Tensor:
    """Randomly changed normalised keypoints (b, 18, 3): camera, jitter, outliers and missing keypoints."""
    n, count = keypoints.shape[:2]

    def evenly(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator) * 2 - 1

    xy, confidence = keypoints[..., :2], keypoints[..., 2:]
    angle = evenly(n) * math.radians(spec.rotate)
    cos, sin = angle.cos(), angle.sin()
    turn = torch.stack([torch.stack([cos, -sin], -1), torch.stack([sin, cos], -1)], -2)
    stretch = torch.diag_embed((evenly(n, 2) * spec.stretch).exp())
    shear = torch.eye(2).repeat(n, 1, 1)
    shear[:, 0, 1] = evenly(n) * spec.shear
    xy = xy @ (turn @ shear @ stretch).transpose(1, 2)
    nearer = (torch.nan_to_num(xy) * (evenly(n, 2) * spec.perspective)[:, None]).sum(-1, keepdim=True)
    xy = xy / (1 + nearer).clamp(min=0.5)
    xy = xy + torch.randn(xy.shape, generator=generator) * spec.jitter * (1.5 - confidence)
    outlier = torch.rand(n, count, 1, generator=generator) < spec.outliers
    xy = xy + outlier * torch.randn(xy.shape, generator=generator) * spec.outlier_jitter
    confidence = (confidence * (1 + spec.confidence * evenly(n, count, 1))).clamp(0, 1)
    share = 2 * spec.dropped * torch.rand(n, 1, generator=generator)
    missing = (torch.rand(n, count, generator=generator) < share)[..., None]
    return torch.cat([xy.masked_fill(missing, math.nan), confidence.masked_fill(missing, 0.0)], dim=-1)
