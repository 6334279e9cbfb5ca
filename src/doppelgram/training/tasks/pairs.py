"""The task `pairs`: a pair network, trained by binary cross-entropy on balanced pairs."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from doppelgram.errors import DivergedError
from doppelgram.images.augmentation import Augmentation
from doppelgram.models.networks.pairs import PairNetwork
from doppelgram.training.optimisation import decayed_groups
from doppelgram.training.recipes.schema import PairsRecipe
from doppelgram.training.task import BatchPlan, Index, Task

_CHUNK = 128  # photographs described at a time


class PairSource(Protocol):
    """What a pair network is shown of n photographs."""

    @property
    def cached(self) -> bool:
        """Whether images are features of a frozen backbone."""
        ...

    def plain(self, rows: NDArray[Any]) -> tuple[Tensor, Tensor | None]:
        """Images (m, 3, h, w) in [0, 1], or features (m, d), and drawn skeletons or None, as they are."""
        ...

    def changed(
        self, rows: NDArray[Any], augmentation: Augmentation, generator: torch.Generator
    ) -> tuple[Tensor, Tensor | None]:
        """The same, changed at random."""
        ...


class PairsTask(Task):
    """A pair network and the pairs that it is shown.

    Args:
        network: what is trained.
        inputs: of all photographs.
        plan: the pairs (m, 3) of each epoch's batches.
        validation: pairs (m, 3) of other photographs.
        recipe: for the optimiser and the augmentation.
        seed: of the run.
    """

    network: PairNetwork

    def __init__(
        self,
        network: PairNetwork,
        inputs: PairSource,
        plan: BatchPlan,
        validation: Index,
        recipe: PairsRecipe,
        *,
        seed: int = 0,
    ) -> None:
        super().__init__(network, plan, recipe.optimiser, seed)
        self.inputs = inputs
        self.validation = validation
        self.validates = True
        self.augmentation = recipe.augment.changes
        if inputs.cached:
            self.not_saved = ("tower.backbone.",)
        elif network.tower.backbone.convolutional:
            self.to(memory_format=torch.channels_last)

    def batch_loss(self, batch: Tensor, number: int) -> tuple[Tensor, dict[str, Any]]:
        """The loss of a batch of pairs (m, 3); each photograph is changed and described once."""
        rows, first, second = unique_rows(batch.cpu().numpy())
        images, masks = self.inputs.changed(rows, self.augmentation, self.generator)
        described = self.network.describe(images.to(self.device), None if masks is None else masks.to(self.device))
        logits = self.network(described[first], described[second])
        return binary_cross_entropy_with_logits(logits, batch[:, 2].to(logits.dtype)), {}

    def validate(self) -> dict[str, float]:
        """Loss and accuracy of the validation pairs."""
        network: Any = self.kept
        logits = pair_log_odds(network, self.inputs, self.validation)
        if not np.isfinite(logits).all():
            raise DivergedError
        same = self.validation[:, 2] == 1
        loss = np.where(same, np.logaddexp(0, -logits), np.logaddexp(0, logits)).mean()
        return {"val_loss": float(loss), "val_accuracy": float(((logits > 0) == same).mean())}

    def parameter_groups(self) -> list[dict[str, Any]]:
        """The backbone may have its own learning rate; biases and norms do not decay."""
        optimiser: Any = self.optimiser
        backbone = list(self.network.tower.backbone.parameters())
        known = {id(parameter) for parameter in backbone}
        rest = [parameter for parameter in self.network.parameters() if id(parameter) not in known]
        return decayed_groups([(backbone, optimiser.backbone_lr), (rest, 1.0)], optimiser)


@torch.inference_mode()
def pair_log_odds(network: PairNetwork, inputs: PairSource, pairs: NDArray[Any]) -> NDArray[np.float64]:
    """Log-odds of "the same arrangement" of pairs, each photograph described once.

    Args:
        network: used in evaluation mode.
        inputs: of all photographs.
        pairs: rows of both photographs, (m, 2) or more columns.

    Returns:
        float64 (m,).
    """
    was_training = network.training
    network.eval()
    device = next(network.parameters()).device
    try:
        rows, first, second = unique_rows(pairs)
        described = []
        for start in range(0, len(rows), _CHUNK):
            images, masks = inputs.plain(rows[start : start + _CHUNK])
            described.append(network.describe(images.to(device), None if masks is None else masks.to(device)))
        all_described = torch.cat(described)
        return np.asarray(network(all_described[first], all_described[second]).double().cpu().numpy())
    finally:
        network.train(was_training)


def unique_rows(pairs: NDArray[Any]) -> tuple[Index, Index, Index]:
    """The photographs of pairs (m, 3), each once, and the positions of both of each pair among them (m,) each."""
    rows, places = np.unique(pairs[:, :2], return_inverse=True)
    places = places.reshape(-1, 2)
    return rows, places[:, 0], places[:, 1]
