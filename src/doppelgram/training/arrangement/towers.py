"""The towers of a model of places and poses, made from a recipe and before they are trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from doppelgram.images.framing import Framing
from doppelgram.models.networks.embedding import EmbeddingHead, EmbeddingNetwork
from doppelgram.models.networks.keypoints import PoseTower
from doppelgram.models.towers import ImageTower, KeypointTower
from doppelgram.training.arrangement.inputs import TowerInputs
from doppelgram.training.networks import recipe_backbone
from doppelgram.training.recipes.schema import ArrangementRecipe
from doppelgram.training.recipes.towers import ClassesTower, KeypointsTower, UntrainedTower

AnyTower = ImageTower | KeypointTower
AnyTowerRecipe = ClassesTower | KeypointsTower | UntrainedTower


@dataclass
class PlannedTower:
    """A tower and what the recipe says of it.

    Attributes:
        recipe: its table.
        tower: the network, what it sees, its weight.
    """

    recipe: AnyTowerRecipe
    tower: AnyTower

    @property
    def name(self) -> str:
        """Its name in the recipe."""
        return self.recipe.name

    @property
    def input_key(self) -> tuple[Any, ...]:
        """What decides what it is shown: towers of equal keys share it."""
        return tuple(getattr(self.recipe, key, "") for key in ("of", "sees", "size"))

    @property
    def backbone_key(self) -> tuple[Any, ...]:
        """What decides its features before it is trained: of image towers of equal keys they are the same."""
        keys = ("backbone", "pretrained", "stride")
        return (*self.input_key, *(getattr(self.recipe, key, "") for key in keys))


def make_towers(
    recipe: ArrangementRecipe, weights: Path | None, classes: dict[str, int], seed: int
) -> list[PlannedTower]:
    """The untrained towers of a recipe, in its order.

    Args:
        recipe: whose towers.
        weights: folder to look pretrained weights up in.
        classes: how many places and poses there are: ``place``, ``pose``.
        seed: of the random weights; a tower's follow from the seed alone, so that one more tower changes no other.
    """
    made = []
    for each in distinct_towers(recipe):
        torch.manual_seed(seed)
        made.append(PlannedTower(each, _make(each, weights, classes)))
    return made


def distinct_towers(recipe: ArrangementRecipe) -> list[AnyTowerRecipe]:
    """A recipe's towers as they are trained.

    Without a segmenter nobody is covered, and a tower that sees the place sees the photograph. Towers that are then
    alike are one, with the sum of their weights.
    """
    found: list[AnyTowerRecipe] = []
    for each in recipe.towers:
        if (
            isinstance(each, (ClassesTower, UntrainedTower))
            and each.sees == "place"
            and not recipe.arrangement.segmenter
        ):
            each = each.changed(sees="photograph")
        alike = [k for k, other in enumerate(found) if _settings(other) == _settings(each)]
        if not alike:
            found.append(each)
        elif not isinstance(each.weight, str) and not isinstance(found[alike[0]].weight, str):
            found[alike[0]] = found[alike[0]].changed(weight=float(found[alike[0]].weight) + float(each.weight))
    return found


def _settings(tower: AnyTowerRecipe) -> dict[str, Any]:
    return tower.model_dump(exclude={"name", "weight"})


def _make(recipe: AnyTowerRecipe, weights: Path | None, classes: dict[str, int]) -> AnyTower:
    weight = 1.0 if isinstance(recipe.weight, str) else float(recipe.weight)
    if isinstance(recipe, KeypointsTower):
        posterior = recipe.temperature if recipe.output == "classes" else 0.0
        dim = classes["pose"] if recipe.output == "classes" else recipe.dim
        return KeypointTower(PoseTower(dim, recipe.hidden, recipe.dropout, posterior), weight)
    backbone = recipe_backbone(recipe, weights)
    if isinstance(recipe, UntrainedTower):
        network = EmbeddingNetwork(backbone, EmbeddingHead(backbone.dim, min(recipe.dim, backbone.dim)), "head")
    else:
        head = EmbeddingHead(backbone.dim, classes[recipe.of], dropout=recipe.dropout, posterior=recipe.temperature)
        # Statistics of a network that learns from nothing are not worth keeping.
        frozen = recipe.frozen_norms and recipe.pretrained
        network = EmbeddingNetwork(backbone, head, frozen_norms=frozen, frozen_layers=recipe.frozen_layers)
    return ImageTower(network, Framing(recipe.size), mirror=True, sees=recipe.sees, weight=weight)


def whiten_head(tower: ImageTower, features: NDArray[np.float32], extra: float) -> None:
    """Make the head of an untrained tower the principal components of untouched features (n, d), whitened.

    Args:
        tower: with a linear head.
        features: of the training photographs.
        extra: share of the largest variance that is added to all.
    """
    linear = tower.network.head.layers[-1]
    if not isinstance(linear, nn.Linear):
        raise TypeError("an untrained tower has a linear head")
    values = features.astype(np.float64)
    mean = values.mean(axis=0)
    _, lengths, axes = np.linalg.svd(values - mean, full_matrices=False)
    count = min(len(axes), linear.out_features)
    variance = lengths[:count] ** 2 / len(values)
    projection = np.zeros((linear.out_features, features.shape[1]))
    projection[:count] = axes[:count] / np.sqrt(variance + extra * variance[0])[:, None]
    with torch.no_grad():
        linear.weight.copy_(torch.from_numpy(projection))
        linear.bias.copy_(torch.from_numpy(-projection @ mean))


class TowerViews:
    """What each tower is shown of a collection.

    Args:
        towers: of one recipe.
    """

    def __init__(self, towers: Sequence[PlannedTower]) -> None:
        self.shown: dict[tuple[Any, ...], PlannedTower] = {}
        for each in towers:
            self.shown.setdefault(each.input_key, each)

    def of(self, kind: str) -> list[AnyTower]:
        """Of the towers of places or of poses one for each thing that is seen."""
        return [each.tower for each in self.shown.values() if each.recipe.of == kind]

    def take(self, inputs: TowerInputs) -> dict[tuple[Any, ...], NDArray[Any]]:
        """What is seen by the towers' `PlannedTower.input_key`: of every photograph, or of every person."""
        keys = {kind: [key for key, each in self.shown.items() if each.recipe.of == kind] for kind in ("place", "pose")}
        place = dict(zip(keys["place"], inputs.place, strict=True))
        return place | dict(zip(keys["pose"], inputs.pose, strict=True))
