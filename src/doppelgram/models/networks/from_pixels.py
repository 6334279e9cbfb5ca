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
        embedding, *others = (self.network(copy) for copy in self._copies(images))
        if not others:
            return embedding
        embedding = torch.stack([embedding, *others]).mean(0)
        return functional.normalize(embedding, dim=1) if self.unit else embedding

    def _copies(self, images: Tensor) -> Iterator[Tensor]:
        for enlarged, right, down in TEST_TIME_COPIES[: self.copies]:
            copy = images
            if (enlarged, right, down) != (1.0, 0.0, 0.0):
                to_image = torch.tensor([[1 / enlarged, 0.0, right], [0.0, 1 / enlarged, down]], device=images.device)
                # One grid, repeated afterwards: its size is then known when the network is translated.
                grid = functional.affine_grid(to_image[None], [1, 3, images.shape[2], images.shape[3]], False)
                grid = grid.expand(images.shape[0], -1, -1, -1)
                copy = functional.grid_sample(images, grid, "bilinear", "reflection", align_corners=False)
            yield copy
            if self.mirror:
                yield copy.flip(3)
