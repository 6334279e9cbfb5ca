"""A network behind pixels as they are kept: what every runtime runs, and what is exported."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

# Test-time augmentation, the copies of an image that an embedding may be averaged over: enlarged by what factor, and
# moved right and down by what share of half the side. The image itself, enlarged and reduced, then moved to corners.
TEST_TIME_COPIES = (
    (1.0, 0.0, 0.0),
    (1.1, 0.0, 0.0),
    (1 / 1.1, 0.0, 0.0),
    (1.0, 0.06, 0.06),
    (1.0, -0.06, 0.06),
    (1.0, 0.06, -0.06),
    (1.0, -0.06, -0.06),
)


class FromPixels(nn.Module):
    """Pixels, uint8 (b, h, w, channels), to what a network makes of them: the mean over their copies.

    Args:
        network: takes (b, channels, h, w) from 0 to 1.
        copies: how many of `TEST_TIME_COPIES` are shown.
        mirror: whether the mirror image of each is shown, too.
        unit: whether a mean of several is brought back to length one.
    """

    def __init__(self, network: nn.Module, copies: int = 1, mirror: bool = False, unit: bool = False) -> None:
        super().__init__()
        self.network, self.copies, self.mirror, self.unit = network, copies, mirror, unit

    def forward(self, pixels: Tensor) -> Tensor:
        """Embeddings (b, dim)."""
        images = pixels.permute(0, 3, 1, 2).to(torch.float32).div(255)
        found: list[Tensor] = [self.network(copy) for copy in self._copies(images)]
        if len(found) == 1:
            return found[0]
        embedding = torch.stack(found).mean(0)
        return functional.normalize(embedding, dim=1) if self.unit else embedding

    def _copies(self, images: Tensor) -> Iterator[Tensor]:
        for enlarged, right, down in TEST_TIME_COPIES[: self.copies]:
            copy = images
            if (enlarged, right, down) != (1.0, 0.0, 0.0):
                # Written out, since OpenVINO has no affine_grid; one grid for all, whose size is known.
                rows, columns = (_centres(int(side), images) / enlarged for side in images.shape[2:])
                grid = torch.stack(torch.meshgrid(columns + right, rows + down, indexing="xy"), dim=-1)
                grid = grid[None].expand(images.shape[0], -1, -1, -1)
                copy = functional.grid_sample(images, grid, "bilinear", "reflection", align_corners=False)
            yield copy
            if self.mirror:
                yield copy.flip(3)


def _centres(side: int, like: Tensor) -> Tensor:
    """Centres of so many pixels in a row that reaches from -1 to 1."""
    return (2 * torch.arange(side, dtype=like.dtype, device=like.device) + 1) / side - 1
