"""The first layers of a backbone, run once on many augmented copies of every image, and the layers after them.

Of a pretrained network the first layers cost the most and need no change (`model.frozen_layers`). With a few augmented
copies of every image sent through them once, an epoch of training costs only what lies behind them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from doppelgram.errors import DoppelgramError
from doppelgram.images.augment import augment, to_float
from doppelgram.images.augmentation import Augmentation
from doppelgram.models.compiled import compiled
from doppelgram.models.networks.embedding import EmbeddingNetwork

Maps = NDArray[np.float16]
_BATCH = 16


class FirstLayers(nn.Module):
    """Images in [0, 1] (b, 3, h, w) to what a network's first layers make of them, (b, c, rows, columns)."""

    mean: Tensor
    std: Tensor

    def __init__(self, network: EmbeddingNetwork, layers: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(*network.backbone.layers_in_order()[:layers])
        self.register_buffer("mean", network.mean.clone())
        self.register_buffer("std", network.std.clone())

    def forward(self, images: Tensor) -> Tensor:
        found: Tensor = self.layers((images - self.mean) / self.std)
        return found


def later_features(network: EmbeddingNetwork, layers: int, maps: Tensor) -> Tensor:
    """Pooled features (b, dim) of what a network's first layers gave: the layers after those are run."""
    for layer in network.backbone.layers_in_order()[layers:]:
        maps = layer(maps)
    return maps.mean((2, 3)) if maps.ndim == 4 else maps.flatten(1)


@torch.inference_mode()
def check_cut(network: EmbeddingNetwork, layers: int, size: int) -> None:
    """Raise DoppelgramError unless a backbone is the sequence of its layers, so that it can be cut between them."""
    network.eval()
    image = torch.linspace(0, 1, 3 * size * size).view(1, 3, size, size)
    try:
        cut = later_features(network, layers, FirstLayers(network, layers)(image))
        same = cut.shape == network.features(image).shape and torch.allclose(cut, network.features(image), atol=1e-3)
    except (RuntimeError, TypeError, AttributeError, ValueError):
        same = False
    if not same:
        raise DoppelgramError(
            f"backbone '{network.backbone.spec['kind']}' cannot be cut after {layers} layers; "
            "take a MobileNetV2, or the small net"
        )


@torch.inference_mode()
def first_maps(
    network: EmbeddingNetwork,
    layers: int,
    pixels: NDArray[np.uint8],
    spec: Augmentation,
    copies: int,
    seed: int,
    *,
    mirror: bool = False,
    before: Callable[[NDArray[np.uint8]], NDArray[np.uint8]] | None = None,
    progress: Callable[[int], None] | None = None,
) -> Maps:
    """What the first layers make of every image and of augmented copies of it.

    Args:
        network: whose first layers these are.
        layers: how many.
        pixels: uint8 (n, size, size, 3).
        spec: the augmentation.
        copies: augmented copies of each image.
        seed: of the augmentation.
        mirror: whether the mirror image stands beside the image.
        before: what becomes of the pixels of a copy before it is augmented.
        progress: called with the number of images of each finished batch.

    Returns:
        float16 (1 + mirror + copies, n, c, rows, columns); the image itself comes first.
    """
    run = compiled(FirstLayers(network.eval(), layers), to_float(pixels[:1]))
    generator = torch.Generator().manual_seed(seed)
    plain = 1 + int(mirror)
    found: Maps | None = None
    for copy in range(plain + copies):
        for start in range(0, len(pixels), _BATCH):
            shown = pixels[start : start + _BATCH]
            images = to_float(before(shown) if before and copy >= plain else shown)
            if copy >= plain:
                images = augment(images, spec, generator)
            elif copy == 1:
                images = images.flip(3)
            maps = run(images.numpy())
            if found is None:
                found = np.empty((plain + copies, len(pixels), *maps.shape[1:]), dtype=np.float16)
            found[copy, start : start + len(maps)] = maps
            if progress:
                progress(len(maps))
    if found is None:
        raise DoppelgramError("there is not one image to look at")
    return found


@torch.inference_mode()
def pooled_features(network: EmbeddingNetwork, layers: int, maps: Maps, batch: int = 64) -> NDArray[np.float32]:
    """Pooled features (n, dim) of what the first layers made of images, (n, c, rows, columns)."""
    network.eval()
    starts = range(0, len(maps), batch)
    parts = [later_features(network, layers, as_tensor(maps[at : at + batch])).numpy() for at in starts]
    return np.concatenate(parts)


def as_tensor(maps: Maps) -> Tensor:
    """Stored maps (b, c, rows, columns) as float32 in the memory order that convolutions like best."""
    return torch.from_numpy(maps.astype(np.float32)).contiguous(memory_format=torch.channels_last)


@torch.inference_mode()
def image_features(network: EmbeddingNetwork, pixels: NDArray[np.uint8], batch: int = 32) -> NDArray[np.float32]:
    """Backbone features (n, dim) of images, uint8 (n, size, size, 3)."""
    network.eval()
    starts = range(0, len(pixels), batch)
    return np.concatenate([network.features(to_float(pixels[at : at + batch])).numpy() for at in starts])
