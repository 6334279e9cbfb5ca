"""The task `classes`: a class-probability head and the later layers of a backbone, on kept maps of the first layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from doppelgram.learning.samplers import ShuffleSampler
from doppelgram.models.networks.embedding import EmbeddingNetwork
from doppelgram.training.optimisation import group
from doppelgram.training.recipes.towers import ClassesTower
from doppelgram.training.task import Task
from doppelgram.training.tasks.class_figures import class_figures
from doppelgram.training.tasks.first_layers import Maps, as_tensor, later_features

_VALIDATION_BATCH = 64


class ClassesTask(Task):
    """A network's later layers and its posterior head, trained by cross-entropy.

    Batch norms keep the statistics that they came with where the network's are frozen. Of every image each epoch shows
    one copy at random.

    Args:
        network: with a head whose ``posterior`` is above 0, and as many frozen layers as the recipe says.
        maps: of the training images, (copies, n, c, rows, columns), from `first_maps`.
        classes: of the n images, from 0.
        recipe: how it is trained.
        validation: maps (m, c, rows, columns) and classes (m,) of images that are not trained on, or None.
        seed: of the run.
    """

    network: EmbeddingNetwork

    def __init__(
        self,
        network: EmbeddingNetwork,
        maps: Maps,
        classes: NDArray[np.int64],
        recipe: ClassesTower,
        *,
        validation: tuple[Maps, NDArray[np.int64]] | None = None,
        seed: int = 0,
    ) -> None:
        nn.init.zeros_(network.head.layers[-1].weight)  # type: ignore[arg-type]
        super().__init__(network, ShuffleSampler(classes, recipe.batch, seed), recipe.optimiser, seed)
        self.maps, self.classes = maps, torch.from_numpy(classes)
        self.layers = recipe.frozen_layers
        self.smoothing = recipe.smoothing
        self.validation = validation if validation is not None and len(validation[1]) else None
        self.validates = self.validation is not None
        self.not_saved = tuple(f"{name}." for name, module in network.named_modules() if module in network.frozen)

    def _logits(self, network: Any, maps: Maps) -> Tensor:
        logits: Tensor = network.head.logits(later_features(network, self.layers, as_tensor(maps).to(self.device)))
        return logits

    def batch_loss(self, batch: Tensor, number: int) -> tuple[Tensor, dict[str, Any]]:
        """Cross-entropy of one copy of each of the batch's images."""
        rows = batch.cpu().numpy()
        copies = torch.randint(len(self.maps), (len(rows),), generator=self.generator).numpy()
        logits = self._logits(self.network, self.maps[copies, rows])
        targets = self.classes[rows].to(self.device)
        return cross_entropy(logits, targets, label_smoothing=self.smoothing), {}

    def validate(self) -> dict[str, float]:
        """Loss and accuracy on the validation images."""
        if self.validation is None:
            return {}
        maps, classes = self.validation
        starts = range(0, len(maps), _VALIDATION_BATCH)
        logits = [self._logits(self.kept, maps[start : start + _VALIDATION_BATCH]) for start in starts]
        return class_figures(torch.cat(logits), torch.from_numpy(classes), self.smoothing)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """The later layers with a learning rate of their own, and the head; everything decays."""
        optimiser: Any = self.optimiser
        return [
            group(self.network.backbone.parameters(), optimiser.backbone_lr, optimiser),
            group(self.network.head.parameters(), 1.0, optimiser),
        ]
