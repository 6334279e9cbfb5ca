"""A backbone whose features are pooled where no people stand."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from doppelgram.models.backbones.backbone import Backbone

# Weight of a position that people cover wholly, so that a photograph full of people still has features.
_LEAST = 1e-3


class MaskedPooling(nn.Module):
    """Images in [0, 1] with a mask of people, (b, 4, h, w), to features (b, dim): the weighted mean of the map.

    A position of the map counts by ``(1 - share)^2``, where share is how much of it people cover.

    Args:
        backbone: with a map of features.

    Attributes:
        channels: of what it is shown: red, green, blue, and 1 where people are.
    """

    mean: Tensor
    std: Tensor
    channels = 4
    posterior = 0.0

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.backbone = backbone
        self.dim = backbone.dim
        self.register_buffer("mean", torch.tensor(backbone.mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(backbone.std).view(1, 3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Features (b, dim), not scaled."""
        maps = self.backbone.maps((images[:, :3] - self.mean) / self.std)
        share = functional.adaptive_avg_pool2d(images[:, 3:], (maps.shape[2], maps.shape[3]))
        weight = (1 - share) ** 2 + _LEAST
        pooled: Tensor = (maps * weight).sum((2, 3)) / weight.sum((2, 3))
        return pooled
