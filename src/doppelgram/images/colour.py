"""Brightness, contrast, saturation and hue as one affine map of a pixel's three values."""

import math

import torch
from torch import Tensor

# Luma of ITU-R BT.601, which Pillow's conversion to grey uses.
_LUMA = (0.299, 0.587, 0.114)

# Rows of the NTSC matrix from RGB to the colour-difference axes I and Q (FCC, 1953). Each sums to zero: grey has no
# colour difference.
_NTSC_I = (0.5959, -0.2746, -0.3213)
_NTSC_Q = (0.2115, -0.5227, 0.3112)


def _constants() -> tuple[Tensor, Tensor, Tensor]:
    luma = torch.tensor(_LUMA, dtype=torch.float64)
    to_yiq = torch.tensor([_LUMA, _NTSC_I, _NTSC_Q], dtype=torch.float64)
    quarter_turn = torch.tensor([[0, 0, 0], [0, 0, 1], [0, -1, 0]], dtype=torch.float64)
    grey = luma.expand(3, 3)
    turned = torch.linalg.inv(to_yiq) @ quarter_turn @ to_yiq
    return luma.float(), grey.float(), turned.float()


# _GREY turns a pixel into its grey, _TURNED its colour difference by a quarter of a turn.
_LUMA_WEIGHTS, _GREY, _TURNED = _constants()


def grey_means(batch: Tensor) -> Tensor:
    """Return the (b,) mean BT.601 luma of (b, 3, h, w) images."""
    return batch.mean(dim=(2, 3)) @ _LUMA_WEIGHTS.to(batch)


def colour_matrices(brightness: Tensor, contrast: Tensor, saturation: Tensor, hue: Tensor, mean_grey: Tensor) -> Tensor:
    """Compose four colour changes, in this order, into one affine matrix per image.

    With luma L (the matrix that turns a pixel into its grey), the identity 1 and the mean grey m of the image:

    - brightness b: x -> b x
    - contrast c: x -> c x + (1 - c) b m, since b m is the mean grey after the brightness
    - saturation s: x -> (L + s (1 - L)) x
    - hue t: x -> (L + cos(t) (1 - L) + sin(t) K) x, the rotation by t in the plane of I and Q of YIQ, where K is its
      quarter turn. Luma and the grey axis stay as they are.

    The first three are what ``ImageEnhance.Brightness``, ``Contrast`` and ``Color`` of Pillow do, but for their
    rounding and clipping in between. As L L = L, L K = K L = 0 and grey stays grey, the product is
    ``c b (L + s cos(t) (1 - L) + s sin(t) K)`` with the offset ``(1 - c) b m``.

    Args:
        brightness: (b,) factors, 1 changes nothing.
        contrast: (b,) factors, 1 changes nothing.
        saturation: (b,) factors, 1 changes nothing.
        hue: (b,) fractions of a turn; positive goes from red by green to blue.
        mean_grey: (b,) mean luma of the images before any change.

    Returns:
        (b, 3, 4): three columns that multiply red, green and blue, and the offset.
    """
    grey, turned = _GREY.to(brightness), _TURNED.to(brightness)
    angle = 2 * math.pi * hue
    along, across = saturation * torch.cos(angle), saturation * torch.sin(angle)
    identity = torch.eye(3, dtype=grey.dtype, device=grey.device)
    linear = grey + along[:, None, None] * (identity - grey) + across[:, None, None] * turned
    linear = (contrast * brightness)[:, None, None] * linear
    offset = ((1 - contrast) * brightness * mean_grey)[:, None, None].expand(-1, 3, 1)
    return torch.cat([linear, offset], dim=2)
