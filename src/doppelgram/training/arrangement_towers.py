"""The towers of a model of places and poses, before they are trained, and what they make of a collection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from doppelgram.images.augment import Augmentation
from doppelgram.images.framing import Framing
from doppelgram.models.backbones.registry import make_backbone
from doppelgram.models.networks.embedding import EmbeddingHead, EmbeddingNetwork
from doppelgram.models.networks.keypoints import PoseTower
from doppelgram.models.towers import ImageTower, KeypointTower, fused
from doppelgram.training.recipe import Recipe
from doppelgram.training.tower_inputs import TowerInputs

# A person is cut out by what was found, so that little is left to place and size, and clothes may have any colour.
PERSON_VIEWS = Augmentation(
    brightness=0.4, contrast=0.4, saturation=1.0, hue=0.5, flip=True, rotate=10.0, scale=0.2, shift=0.1, blur=0.6,
    erase=0.3,
)  # fmt: skip
# Temperatures of the class probabilities; below 1 they are bolder than what was trained.
_PLACE_TEMPERATURE, _POSE_TEMPERATURE = 0.5, 1.0
_GENERIC_DIM = 128
# Towers of the place by name: "scene" sees the photograph as it is where "place" sees it with the people covered.
PLACES = ("place", "scene")
_WHITEN = 0.2  # share of the largest variance that is added to all, so that the least ones are not blown up


class Towers:
    """The towers of one training, named, in the order in which the model has them."""

    def __init__(self, recipe: Recipe, weights: Path | None, places: int, poses: int, seed: int) -> None:
        torch.manual_seed(seed)
        settings = recipe.arrangement
        sees = "place" if settings.segmenter else "photograph"
        size = recipe.data.size
        self.image: dict[str, ImageTower] = {
            "place": _image_tower(recipe, weights, sees, size, places, _PLACE_TEMPERATURE)
        }
        if settings.segmenter and settings.uncovered:
            self.image["scene"] = _image_tower(recipe, weights, "photograph", size, places, _PLACE_TEMPERATURE)
            # Two opinions of one photograph are no more certain than one: their geometric mean, not their product.
            for tower in self.image.values():
                tower.weight = 0.5
        if settings.person_size:
            self.image["person"] = _image_tower(
                recipe, weights, "person", settings.person_size, poses, _POSE_TEMPERATURE
            )
        self.keypoints = {"keypoints": KeypointTower(PoseTower(poses, dropout=0.3, posterior=_POSE_TEMPERATURE))}
        if settings.embedding:
            self.keypoints["embedding"] = KeypointTower(PoseTower())
        self.generic: ImageTower | None = None
        if settings.generic:
            backbone = make_backbone(recipe.model.backbone, pretrained=recipe.model.pretrained, weights=weights)
            dim = min(_GENERIC_DIM, backbone.dim)
            network = EmbeddingNetwork(backbone, EmbeddingHead(backbone.dim, dim), "head")
            self.generic = ImageTower(network, Framing(size), mirror=True, sees=sees)

    @property
    def place(self) -> list[ImageTower]:
        """Towers of the place; the tuned ones first."""
        return [*self.tuned, *([self.generic] if self.generic else [])]

    @property
    def tuned(self) -> list[ImageTower]:
        """Towers of the place that are trained; the generic one is shown what the first of them is."""
        return [self.image[name] for name in PLACES if name in self.image]

    @property
    def pose(self) -> list[ImageTower | KeypointTower]:
        """Towers of the pose."""
        return [*(tower for name, tower in self.image.items() if name not in PLACES), *self.keypoints.values()]


def _image_tower(
    recipe: Recipe, weights: Path | None, sees: str, size: int, classes: int, temperature: float
) -> ImageTower:
    settings = recipe.model
    backbone = make_backbone(settings.backbone, pretrained=settings.pretrained, weights=weights, stride=settings.stride)
    head = EmbeddingHead(backbone.dim, classes, dropout=settings.dropout, posterior=temperature)
    # Statistics of a network that learns from nothing are not worth keeping.
    frozen = settings.frozen_norms or settings.pretrained
    network = EmbeddingNetwork(backbone, head, frozen_norms=frozen, frozen_layers=settings.frozen_layers)
    return ImageTower(network, Framing(size), mirror=True, sees=sees)


def fit_generic(tower: ImageTower, features: NDArray[np.float32]) -> None:
    """Make the head of an untrained tower the principal components of untouched features (n, d), whitened."""
    linear = tower.network.head.layers[-1]
    if not isinstance(linear, nn.Linear):
        raise TypeError("a generic tower has a linear head")
    taught = features.astype(np.float64)
    mean = taught.mean(axis=0)
    _, lengths, axes = np.linalg.svd(taught - mean, full_matrices=False)
    count = min(len(axes), linear.out_features)
    variance = lengths[:count] ** 2 / len(taught)
    projection = np.zeros((linear.out_features, features.shape[1]))
    projection[:count] = axes[:count] / np.sqrt(variance + _WHITEN * variance[0])[:, None]
    with torch.no_grad():
        linear.weight.copy_(torch.from_numpy(projection))
        linear.bias.copy_(torch.from_numpy(-projection @ mean))


@dataclass(frozen=True)
class TowerVectors:
    """What every tower makes of some photographs, before that is fused.

    Attributes:
        place: of each place tower (m, d).
        pose: of each pose tower (p, d), of all people of these photographs one after the other.
        photograph: of each person, which of the m photographs, (p,).
        nth: of each person, which of its photograph, (p,); 0 is the most prominent.
    """

    place: list[NDArray[np.float32]]
    pose: list[NDArray[np.float32]]
    photograph: NDArray[np.int64]
    nth: NDArray[np.int64]

    def fused(self, towers: Towers, people: int) -> NDArray[np.float32]:
        """Vectors (m, dim) by the towers' present weights, of at most ``people`` people."""
        place, pose = fused(self.place, towers.place), fused(self.pose, towers.pose)
        slots = np.zeros((len(place), people, pose.shape[1]), dtype=np.float32)
        kept = self.nth < people
        slots[self.photograph[kept], self.nth[kept]] = pose[kept]
        return np.hstack([place, slots.reshape(len(place), -1)])


def tower_vectors(
    towers: Towers, inputs: TowerInputs, rows: NDArray[np.int64], progress: Callable[[int], None] | None = None
) -> TowerVectors:
    """Run every tower on what it is shown of some photographs."""
    counts = inputs.people[rows]
    photograph = np.repeat(np.arange(len(rows)), counts)
    nth = np.arange(len(photograph)) - np.repeat(np.cumsum(counts) - counts, counts)
    persons = inputs.first[rows][photograph] + nth
    shown = [*inputs.place, inputs.place[0]]
    place = [tower.embed(views[rows]) for tower, views in zip(towers.place, shown, strict=False)]
    pose = [tower.embed(views[persons]) for tower, views in zip(towers.pose, inputs.pose, strict=True)]
    if progress:
        progress(len(rows))
    return TowerVectors(place, pose, photograph, nth)
