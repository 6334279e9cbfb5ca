"""What every backbone offers, and our own two: the small net and VGG16."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from doppelgram.errors import DoppelgramError

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
CENTRED = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


class Backbone(nn.Module):
    """Base of all backbones: ``forward(images (b, 3, h, w)) -> features (b, dim)``, the pooled `maps`.

    Attributes:
        spec: JSON-serialisable description from which `rebuild_backbone` makes the same architecture again.
        dim: number of features.
        mean, std: what images in [0, 1] are normalised with, by channel.
        convolutional: whether the channels_last memory layout helps.
    """

    spec: dict[str, Any]
    dim: int
    mean: tuple[float, float, float] = CENTRED[0]
    std: tuple[float, float, float] = CENTRED[1]
    convolutional = True

    def maps(self, x: Tensor) -> Tensor:
        """Features by place (b, dim, rows, columns), before they are pooled, where the backbone has such."""
        raise DoppelgramError(f"backbone '{self.spec['kind']}' has no map of features; leave model.pooling empty")

    def last_layer(self) -> list[nn.Module]:
        """Modules that are trained when only the last layer is."""
        raise NotImplementedError

    def layers_in_order(self) -> list[nn.Module]:
        """Stem and blocks from the image on, for freezing the first of them."""
        raise NotImplementedError


def _conv(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class _Residual(nn.Module):
    """Basic residual block (He et al. 2016), its last scale starting at zero so that the block starts as identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _conv(channels, channels)
        self.second = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.norm(self.second(self.first(x))))


class SmallNet(Backbone):
    """Our small residual net for 64x64 images: four stages, each halving the side; about 1.9 million parameters."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.spec = {"kind": "small", "width": width}
        self.dim = 8 * width
        sizes = [width, 2 * width, 4 * width, 8 * width]
        stages = [nn.Sequential(_conv(i, o, 2), _Residual(o)) for i, o in zip([3, *sizes[:-1]], sizes, strict=True)]
        self.stages = nn.ModuleList(stages)

    def maps(self, x: Tensor) -> Tensor:
        for stage in self.stages:
            x = stage(x)
        return x

    def forward(self, x: Tensor) -> Tensor:
        return self.maps(x).mean((2, 3))

    def last_layer(self) -> list[nn.Module]:
        return [self.stages[-1]]

    def layers_in_order(self) -> list[nn.Module]:
        return list(self.stages)


class VGG16(Backbone):
    """VGG16 (Simonyan and Zisserman 2015, configuration D), its 2x2 map at 64x64 flattened to 2,048 features."""

    PLAN = (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0)
    mean, std = IMAGENET

    def __init__(self, batch_norm: bool = False) -> None:
        super().__init__()
        self.spec = {"kind": "vgg16", "batch_norm": batch_norm}
        self.dim = 2048
        layers: list[nn.Module] = []
        channels = 3
        for width in self.PLAN:
            if width == 0:
                layers.append(nn.MaxPool2d(2))
                continue
            layers.append(nn.Conv2d(channels, width, 3, padding=1))
            nn.init.kaiming_normal_(layers[-1].weight, nonlinearity="relu")  # type: ignore[arg-type]
            if batch_norm:
                layers.append(nn.BatchNorm2d(width))
            layers.append(nn.ReLU(inplace=True))
            channels = width
        self.layers = nn.Sequential(*layers)
        self.pool = nn.AdaptiveAvgPool2d(2)

    def forward(self, x: Tensor) -> Tensor:
        features: Tensor = self.pool(self.layers(x)).flatten(1)
        return features

    def last_layer(self) -> list[nn.Module]:
        return [next(layer for layer in reversed(self.layers) if isinstance(layer, nn.Conv2d))]

    def layers_in_order(self) -> list[nn.Module]:
        return [layer for layer in self.layers if isinstance(layer, nn.Conv2d)]
