"""What an arrangement model is made of: towers, each of which sees one thing of a photograph and has a weight."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from doppelgram.errors import DoppelgramError
from doppelgram.images.augment import to_float
from doppelgram.models.compiled import Run, compiled
from doppelgram.models.model import Model
from doppelgram.pose.skeleton import present

Embeddings = NDArray[np.float32]
# Roots of probabilities below this count as this: no single expert rules a class out.
_LEAST = 1e-4
# From so many images on a network is translated for a faster engine, which takes seconds.
_MANY = 48
_BATCH = 16
SEES = ("photograph", "place", "person")


def check_weight(weight: float) -> None:
    """Raise DoppelgramError unless a tower's weight is a finite number above 0."""
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight < math.inf:
        raise DoppelgramError(f"a tower's weight is {weight!r}; it must be a finite number above 0")


@dataclass
class ImageTower:
    """An image network and what of a photograph it is shown.

    Attributes:
        model: network, framing and mirroring; its own calibration is not used.
        sees: ``photograph`` the whole of it, ``place`` the whole of it with the people covered, ``person`` one person,
            cut out.
        weight: of its unit embedding where several towers speak of one thing.
    """

    model: Model
    sees: str
    weight: float = 1.0
    _run: Run | None = field(default=None, repr=False, compare=False)
    _asked: int = field(default=0, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.sees not in SEES:
            raise DoppelgramError(f"a tower sees {self.sees!r}; it is one of {', '.join(SEES)}")
        check_weight(self.weight)

    @property
    def dim(self) -> int:
        """Size of its embedding."""
        return self.model.dim

    @property
    def expert(self) -> bool:
        """Whether it gives roots of class probabilities."""
        return self.model.network.head.posterior > 0

    def embed(self, pixels: NDArray[np.uint8]) -> Embeddings:
        """Embeddings (n, dim) of length one of framed views, uint8 (n, size, size, 3).

        When many have been asked for, the network is translated for the fastest engine at hand; its weights
        must not change any more then.
        """
        self._asked += len(pixels)
        if self._run is None and (self._asked < _MANY or self.model.views != 1):
            return unit(self.model.embed_pixels(pixels))
        if self._run is None:
            self._run = compiled(self.model.network, self.model.framing.size)
        found = np.empty((len(pixels), self.dim), dtype=np.float32)
        for start in range(0, len(pixels), _BATCH):
            images = to_float(pixels[start : start + _BATCH])
            found[start : start + len(images)] = self._run(images)
            if self.model.mirror:
                found[start : start + len(images)] += self._run(images.flip(3))
        return unit(found)


@dataclass
class KeypointTower:
    """A network on normalised keypoints.

    Attributes:
        network: ``models.pose_tower.PoseTower``: (b, 18, 3) to (b, dim).
        weight: of its unit embedding where several towers speak of one thing.
    """

    network: nn.Module
    weight: float = 1.0

    def __post_init__(self) -> None:
        check_weight(self.weight)

    @property
    def dim(self) -> int:
        """Size of its embedding."""
        return int(self.network.dim)  # type: ignore[arg-type]

    @property
    def expert(self) -> bool:
        """Whether it gives roots of class probabilities."""
        return float(self.network.posterior) > 0  # type: ignore[arg-type]

    @torch.inference_mode()
    def embed(self, normalised: NDArray[np.floating[Any]]) -> Embeddings:
        """Embeddings (n, dim) of length one of normalised keypoints (n, 18, 3); zeros where no joint is known."""
        if not len(normalised):
            return np.empty((0, self.dim), dtype=np.float32)
        was_training = self.network.training
        self.network.eval()
        try:
            found = self.network(torch.from_numpy(np.asarray(normalised, dtype=np.float32)))
        finally:
            self.network.train(was_training)
        embeddings = unit(np.asarray(found.cpu().numpy(), dtype=np.float32))
        embeddings[~present(np.asarray(normalised)).any(axis=1)] = 0
        return embeddings


def unit(vectors: NDArray[np.float32]) -> Embeddings:
    """Rows (n, d) scaled to length one; rows of zeros stay."""
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1.0), dtype=np.float32)


def fused(parts: Sequence[Embeddings], weights: Sequence[float], experts: Sequence[bool] = ()) -> Embeddings:
    """Unit embeddings (n, d1), (n, d2), ... as one of length one.

    Parts that are roots of class probabilities over the same classes become one first, the product of experts: each to
    the power of its weight, multiplied, scaled to length one (Hinton 2002). A row of zeros there says nothing. That and
    all other parts, each of these times its weight, then stand side by side: the squared distance of two fused
    embeddings is the mean of the parts' squared distances, weighted by the squared weights.

    Args:
        parts: one embedding of all n by each tower.
        weights: of the towers.
        experts: which parts are roots of class probabilities; none by default.
    """
    side: list[NDArray[Any]] = []
    product: NDArray[Any] | None = None
    for part, weight, expert in zip(parts, weights, experts or [False] * len(parts), strict=True):
        if not expert:
            side.append(part * np.float32(weight))
            continue
        opinion = np.where(part.any(axis=1, keepdims=True), np.maximum(part, _LEAST), 1.0) ** np.float64(weight)
        product = opinion if product is None else product * opinion
    if product is not None:
        told = np.any([part.any(axis=1) for part, expert in zip(parts, experts, strict=True) if expert], axis=0)
        side.insert(0, unit(product) * told[:, None])
    return unit(np.hstack(side))


def fused_dim(towers: Sequence[ImageTower | KeypointTower]) -> int:
    """Size of what `embedded` makes of these towers.

    Raises:
        DoppelgramError: towers that give class probabilities do not know the same number of classes.
    """
    classes = {tower.dim for tower in towers if tower.expert}
    if len(classes) > 1:
        raise DoppelgramError(f"towers give probabilities of {' and '.join(map(str, sorted(classes)))} classes")
    return sum(classes) + sum(tower.dim for tower in towers if not tower.expert)


def embedded(towers: Sequence[ImageTower | KeypointTower], views: Sequence[Sequence[NDArray[Any]]]) -> Embeddings:
    """Fused embeddings by several towers of what each of them is shown, given in pieces of any number of views."""
    parts = [tower.embed(np.concatenate(pieces)) for tower, pieces in zip(towers, views, strict=True)]
    return fused(parts, [tower.weight for tower in towers], [tower.expert for tower in towers])
