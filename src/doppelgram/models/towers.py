"""What an arrangement model is made of: towers, each of which sees one thing of a photograph and has a weight."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from doppelgram.errors import DoppelgramError
from doppelgram.models.model import Model
from doppelgram.pose.skeleton import present

Embeddings = NDArray[np.float32]
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

    def __post_init__(self) -> None:
        if self.sees not in SEES:
            raise DoppelgramError(f"a tower sees {self.sees!r}; it is one of {', '.join(SEES)}")
        check_weight(self.weight)

    @property
    def dim(self) -> int:
        """Size of its embedding."""
        return self.model.dim

    def embed(self, pixels: NDArray[np.uint8]) -> Embeddings:
        """Embeddings (n, dim) of length one of framed views, uint8 (n, size, size, 3)."""
        return unit(self.model.embed_pixels(pixels))


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


def fused(parts: Sequence[Embeddings], weights: Sequence[float]) -> Embeddings:
    """Unit embeddings (n, d1), (n, d2), ... side by side, each times its weight, scaled to length one.

    The squared distance of two fused embeddings is the mean of the parts' squared distances, weighted by the squared
    weights.
    """
    return unit(np.hstack([part * np.float32(weight) for part, weight in zip(parts, weights, strict=True)]))


def embedded(towers: Sequence[ImageTower | KeypointTower], views: Sequence[Sequence[NDArray[Any]]]) -> Embeddings:
    """Fused embeddings by several towers of what each of them is shown, given in pieces of any number of views."""
    parts = [tower.embed(np.concatenate(pieces)) for tower, pieces in zip(towers, views, strict=True)]
    return fused(parts, [tower.weight for tower in towers])
