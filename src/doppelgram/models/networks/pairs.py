"""The pair network: one tower for both photographs of a pair, and a head that sees what it says of either."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from doppelgram.models.networks.embedding import EmbeddingNetwork


class PoseMaskNet(nn.Module):
    """A small convolutional net that reads drawn skeletons: masks (b, channels, side, side) to (b, dim).

    Three stages of stride 2 over a mask, then a mean over places and one fully connected layer.

    Args:
        channels: of the mask.
        width: channels after the first stage; each further stage has twice as many.
        dim: size of the description.
    """

    def __init__(self, channels: int = 3, width: int = 16, dim: int = 64) -> None:
        super().__init__()
        self.channels, self.dim = channels, dim
        sizes = [channels, width, 2 * width, 4 * width]
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(sizes):
            layers += [nn.Conv2d(inputs, outputs, 3, 2, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
        # A mean over all places would forget where a limb lies, which is all that a drawn skeleton says.
        self.layers = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(16 * sizes[-1], dim))

    def forward(self, masks: Tensor) -> Tensor:
        """Masks (b, channels, side, side) in [0, 1] to descriptions (b, dim)."""
        described: Tensor = self.layers(masks)
        return described


class PairHead(nn.Module):
    """Descriptions of two photographs, joined end to end, to the log-odds that they show the same.

    The joined vector goes through dropout, one fully connected hidden layer with ReLU, dropout, and a last layer. A
    joined vector has an order and a pair has none: in training each pair is shown in a random order, otherwise both
    orders are asked and their log-odds averaged.

    Args:
        dim: numbers that describe one photograph.
        hidden: width of the hidden layer.
        dropout: share of numbers dropped in training, from 0 to below 1.
    """

    def __init__(self, dim: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(2 * dim, hidden),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(hidden, 1),
        )

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Log-odds (m,) of the pairs (a[i], b[i]) of descriptions (m, dim)."""
        if self.training:
            swapped = (torch.rand(len(a), device=a.device) < 0.5)[:, None]
            logits: Tensor = self.layers(torch.cat([torch.where(swapped, b, a), torch.where(swapped, a, b)], 1))
        else:
            logits = (self.layers(torch.cat([a, b], 1)) + self.layers(torch.cat([b, a], 1))) / 2
        return logits[:, 0]


class PairNetwork(nn.Module):
    """The siamese network of the role-model study: image tower, perhaps a net for the pose mask, and a pair head.

    Args:
        tower: backbone and fully connected layer of the photograph; its ``trained`` says what is trained of it.
        pose: reads the drawn skeletons, or None for a network that sees the photograph alone.
        hidden: width of the pair head's hidden layer.
        dropout: of the pair head.
    """

    def __init__(self, tower: EmbeddingNetwork, pose: PoseMaskNet | None, hidden: int, dropout: float) -> None:
        super().__init__()
        self.tower = tower
        self.pose = pose
        self.pair = PairHead(tower.head.dim + (pose.dim if pose is not None else 0), hidden, dropout)

    def describe(self, inputs: Tensor, masks: Tensor | None = None) -> Tensor:
        """What one photograph each is described by, (b, dim).

        Args:
            inputs: photographs (b, 3, h, w) in [0, 1], or features (b, d) of the tower's frozen backbone.
            masks: drawn skeletons (b, channels, side, side) in [0, 1]; needed if the network has a net for them.
        """
        described: Tensor = self.tower.head(inputs) if inputs.ndim == 2 else self.tower(inputs)
        parts = [torch.relu(described)]
        if self.pose is not None:
            if masks is None:
                raise ValueError("this network compares poses too and needs their masks")
            parts.append(torch.relu(self.pose(masks)))
        return torch.cat(parts, 1)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Log-odds (m,) of the pairs (a[i], b[i]) of descriptions; see `describe`."""
        logits: Tensor = self.pair(a, b)
        return logits
