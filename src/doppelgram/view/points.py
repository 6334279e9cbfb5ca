"""Points of a photograph that are found again in another one, each with a descriptor; and XFeat, which finds them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from doppelgram.weights import find_weights

if TYPE_CHECKING:
    from doppelgram.view.network import XFeatNetwork

WEIGHTS = "xfeat"
"""Name of the network's weights."""

SIDE = 640
"""Long side in pixels of what the network is shown."""

_MOST, _SURE, _APART = 2048, 0.05, 5
# Descriptors have unit length; their numbers, nearly all of them below a half, are kept as whole ones.
_STEPS = 254.0


@dataclass(frozen=True)
class ViewPoints:
    """Points of one photograph, the best first.

    Attributes:
        places: x and y as shares of the photograph's width and height, float32 (n, 2).
        descriptors: of unit length, kept in 254 steps a unit, int8 (n, 64).
        width: of the upright photograph in pixels.
        height: of it.
    """

    places: NDArray[np.float32]
    descriptors: NDArray[np.int8]
    width: int
    height: int

    def __len__(self) -> int:
        return len(self.places)

    def outside(self, mask: NDArray[np.bool_] | None) -> ViewPoints:
        """The points where nobody covers the view.

        Args:
            mask: where people are, bool (h, w) of any size; None for nowhere.
        """
        if mask is None or not len(self):
            return self
        rows, columns = mask.shape
        x, y = (self.places * (columns, rows)).astype(np.int64).T
        free = ~mask[np.minimum(y, rows - 1), np.minimum(x, columns - 1)]
        return ViewPoints(self.places[free], self.descriptors[free], self.width, self.height)

    @property
    def units(self) -> NDArray[np.float32]:
        """The descriptors with unit length, float32 (n, 64)."""
        found = self.descriptors.astype(np.float32)
        return np.asarray(found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9), dtype=np.float32)

    @property
    def pixels(self) -> NDArray[np.float64]:
        """The points in pixels of the photograph made 640 pixels long, float64 (n, 2)."""
        scale = SIDE / max(self.width, self.height)
        return np.asarray(self.places.astype(np.float64) * (self.width * scale, self.height * scale))


class XFeat:
    """Finds points by XFeat, in a photograph made 640 pixels long; for several threads at a time.

    Attributes:
        file: of the weights.
        key: what decides its answers, fit for a file name.
    """

    def __init__(self, file: Path) -> None:
        """Name the file of weights; it is read when the first photograph is looked at."""
        self.file = file
        self.key = f"xfeat-{hashlib.sha256(file.read_bytes()).hexdigest()[:12]}-{SIDE}-1"

    @cached_property
    def _network(self) -> XFeatNetwork:
        from doppelgram.view.network import load_network

        return load_network(self.file)

    def points(self, image: Image.Image, size: tuple[int, int]) -> ViewPoints:
        """The points of a photograph, people included.

        Args:
            image: upright, RGB, in any resolution.
            size: width and height of the whole photograph.

        Raises:
            DoppelgramError: the weights are another network's.
        """
        import torch
        from torch.nn.functional import grid_sample, max_pool2d

        from doppelgram.view.network import STRIDE

        scale = SIDE / max(image.size)
        width, height = (max(1, round(side * scale / STRIDE)) * STRIDE for side in image.size)
        grey = np.array(image.convert("RGB").resize((width, height), Image.Resampling.BILINEAR), np.float32).mean(2)
        with torch.inference_mode():
            maps, chances, reliable = self._network(torch.from_numpy(grey / 255)[None, None])
            chance = chances[0, 0]
            peaks = (chance == max_pool2d(chances, _APART, 1, _APART // 2)[0, 0]) & (chance > _SURE)
            at = peaks.nonzero().flip(1)
            shares = (at + 0.5) / torch.tensor([width, height])
            grid = (2 * shares - 1)[None, None]
            score = chance[at[:, 1], at[:, 0]] * grid_sample(reliable, grid, align_corners=False)[0, 0, 0]
            best = score.argsort(descending=True, stable=True)[:_MOST]
            maps = maps / maps.norm(dim=1, keepdim=True).clamp_min(1e-9)
            found = grid_sample(maps, grid[:, :, best], mode="bicubic", align_corners=False)[0, :, 0].T
            found = found / found.norm(dim=1, keepdim=True).clamp_min(1e-9)
            whole = (found * _STEPS).round().clamp(-127, 127).to(torch.int8)
        return ViewPoints(shares[best].numpy(), whole.numpy(), *size)


def open_xfeat(weights: Path | None = None) -> XFeat:
    """XFeat with its weights, which the pip extra ``view`` brings.

    Args:
        weights: folder to look them up in first.

    Raises:
        DoppelgramError: they are not there.
    """
    return XFeat(find_weights(WEIGHTS, weights))
