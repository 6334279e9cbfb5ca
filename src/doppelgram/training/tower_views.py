"""The first layers of a backbone, run once on many views of every image, and the layers after them.

Of a pretrained network the first layers cost the most and need no change (`model.frozen_layers`). With a few augmented
views of every image sent through them once, an epoch of training costs only what lies behind them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from doppelgram.errors import DoppelgramError
from doppelgram.images.augment import Augmentation, augment, to_float
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


class LaterLayers(nn.Module):
    """What a network's first layers gave to pooled features (b, dim): the layers after those, the network's own."""

    def __init__(self, network: EmbeddingNetwork, layers: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(*network.backbone.layers_in_order()[layers:])

    def forward(self, maps: Tensor) -> Tensor:
        found: Tensor = self.layers(maps)
        return found.mean((2, 3)) if found.ndim == 4 else found.flatten(1)


@torch.inference_mode()
def check_cut(network: EmbeddingNetwork, layers: int, size: int) -> None:
    """Raise DoppelgramError unless a backbone is the sequence of its layers, so that it can be cut between them."""
    network.eval()
    image = torch.linspace(0, 1, 3 * size * size).view(1, 3, size, size)
    try:
        cut = LaterLayers(network, layers)(FirstLayers(network, layers)(image))
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
    views: int,
    seed: int,
    *,
    mirror: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Maps:
    """What the first layers make of every image and of augmented views of it.

    Args:
        network: whose first layers these are.
        layers: how many.
        pixels: uint8 (n, size, size, 3).
        spec: the augmentation.
        views: augmented views of each image.
        seed: of the augmentation.
        mirror: whether the mirror image stands beside the image.
        progress: called with the number of views of each finished batch.

    Returns:
        float16 (1 + mirror + views, n, c, rows, columns); the image itself comes first.
    """
    run = compiled(FirstLayers(network.eval(), layers), pixels.shape[1])
    generator = torch.Generator().manual_seed(seed)
    plain = 1 + int(mirror)
    found: Maps | None = None
    for view in range(plain + views):
        for start in range(0, len(pixels), _BATCH):
            images = to_float(pixels[start : start + _BATCH])
            if view >= plain:
                images = augment(images, spec, generator)
            elif view == 1:
                images = images.flip(3)
            maps = run(images)
            if found is None:
                found = np.empty((plain + views, len(pixels), *maps.shape[1:]), dtype=np.float16)
            found[view, start : start + len(maps)] = maps
            if progress:
                progress(len(maps))
    if found is None:
        raise DoppelgramError("there is not one image to look at")
    return found
