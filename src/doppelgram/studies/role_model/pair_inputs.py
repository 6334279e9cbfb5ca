"""What a pair network sees of every photograph: pixels or cached features, and drawn skeletons, plain and mirrored."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from doppelgram.images.augment import augment, to_float
from doppelgram.images.augmentation import Augmentation
from doppelgram.images.framing import Framing
from doppelgram.models.networks.embedding import EmbeddingNetwork
from doppelgram.training.features import cached_features

PLAIN = Augmentation()


@dataclass(frozen=True)
class PairInputs:
    """The inputs of n photographs.

    Attributes:
        images: framed photographs uint8 (n, h, w, 3), or features float32 (n, 2, copies, d) of a frozen backbone:
            of the photograph and of its mirror image, the first copy of each without any change of colour.
        masks: drawn skeletons uint8 (n, 2, channels, side, side) of the photograph and of its mirror image, or None.
    """

    images: NDArray[Any]
    masks: NDArray[np.uint8] | None = None

    @property
    def cached(self) -> bool:
        """Whether the images are features."""
        return self.images.dtype != np.uint8

    def plain(self, rows: NDArray[Any]) -> tuple[Tensor, Tensor | None]:
        """Images (or features) and masks of these rows as they are."""
        if self.cached:
            images = torch.from_numpy(np.ascontiguousarray(self.images[rows, 0, 0]))
        else:
            images = to_float(self.images[rows])
        return images, self._masks(rows, np.zeros(len(rows), dtype=np.int64))

    def changed(
        self, rows: NDArray[Any], augmentation: Augmentation, generator: torch.Generator
    ) -> tuple[Tensor, Tensor | None]:
        """The same, changed at random; what is mirrored is mirrored with its skeleton."""
        draws = torch.rand(2, len(rows), generator=generator).numpy()
        side = ((draws[0] < 0.5) & augmentation.flip).astype(np.int64)
        if self.cached:
            copy = (draws[1] * self.images.shape[2]).astype(np.int64)
            images = torch.from_numpy(np.ascontiguousarray(self.images[rows, side, copy]))
        else:
            images = augment(to_float(self.images[rows]), replace(augmentation, flip=False), generator)
            turned = torch.from_numpy(np.flatnonzero(side))
            images[turned] = images[turned].flip(3)
        return images, self._masks(rows, side)

    def _masks(self, rows: NDArray[Any], side: NDArray[np.int64]) -> Tensor | None:
        if self.masks is None:
            return None
        return torch.from_numpy(np.ascontiguousarray(self.masks[rows, side])).float().div_(255)


def mirrored_features(
    network: EmbeddingNetwork,
    pixels: NDArray[np.uint8],
    hashes: Sequence[str],
    folder: Path,
    *,
    augmentation: Augmentation = PLAIN,
    copies: int = 1,
    progress: Callable[[int], None] | None = None,
) -> NDArray[np.float32]:
    """Features of photographs and of their mirror images through a frozen backbone, computed once and kept on disk.

    Args:
        network: its backbone is used.
        pixels: uint8 (n, size, size, 3), photographs squashed to squares.
        hashes: content hash of each photograph's file.
        folder: where the features are kept; see `cached_features`.
        augmentation: changes of colour for the copies after the first.
        copies: how many copies of the photograph and of its mirror image each.
        progress: called with the number of images embedded, 2 n in all.

    Returns:
        float32 (n, 2, copies, d), as `PairInputs` takes them.
    """
    colour, framing = replace(augmentation, flip=False), Framing(pixels.shape[1])
    turned = [hashlib.sha256(f"mirrored {content}".encode()).hexdigest() for content in hashes]
    sides = [
        cached_features(network, images, names, framing, folder, augmentation=colour, copies=copies, progress=progress)
        for images, names in ((pixels, list(hashes)), (np.ascontiguousarray(pixels[:, :, ::-1]), turned))
    ]
    return np.stack(sides, 1)
