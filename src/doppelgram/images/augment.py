"""Random colour and geometry for a batch of images, all of it on tensors."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from doppelgram.images.augmentation import Augmentation
from doppelgram.images.colour import colour_matrices, grey_means

__all__ = ["augment", "augment_by", "colour_matrices", "draw_changes", "to_float"]

# Numbers that one image draws, whatever is changed.
_DRAWS = 28

# Sides of an erased rectangle as shares of the image's.
_ERASED = (0.1, 0.45)

# Sides, as shares of the image's, to which an image is reduced to look as if it had been taken from afar.
_COARSE = (0.25, 0.3, 0.37, 0.45, 0.55, 0.65, 0.75)


def to_float(pixels: NDArray[np.uint8]) -> Tensor:
    """Turn (b, h, w, 3) uint8 into a (b, 3, h, w) float32 tensor in [0, 1], in channels-last memory order."""
    # PyTorch warns about memory that it may not write to, such as a file mapped for reading.
    contiguous = np.ascontiguousarray(pixels) if pixels.flags.writeable else pixels.copy()
    return torch.from_numpy(contiguous).permute(0, 3, 1, 2).to(torch.float32).div_(255)


def augment(batch: Tensor, spec: Augmentation, generator: torch.Generator) -> Tensor:
    """Return a randomly changed copy of a batch; every image draws for itself.

    Args:
        batch: (b, 3, h, w) floats in [0, 1], in any memory order, on any device.
        spec: what is changed and how far.
        generator: where all randomness comes from. A call takes the same count of numbers whatever ``spec`` says,
            so the same state gives the same result, and switching one change on or off leaves the others as
            they were.

    Returns:
        A tensor of the same shape, type and device, clamped to [0, 1].
    """
    return augment_by(batch, spec, draw_changes(len(batch), generator))


def draw_changes(images: int, generator: torch.Generator) -> Tensor:
    """The random numbers of so many images, (images, 28) from [0, 1), a row each; see `augment_by`."""
    return torch.rand(images, _DRAWS, generator=generator, device=generator.device)


def augment_by(batch: Tensor, spec: Augmentation, draws: Tensor) -> Tensor:
    """The copy of a batch that is changed by given random numbers; each image goes by its own row of them.

    The order is geometry, blur, coarseness, colour, erasing. Geometry is a mirroring and one bilinear resampling in
    which what lies beyond the border is the image reflected; colour is one affine map per image (see
    ``colour_matrices``).

    Args:
        batch: (b, 3, h, w) floats in [0, 1], in any memory order, on any device.
        spec: what is changed and how far.
        draws: (b, 28) from `draw_changes`.

    Returns:
        A tensor of the same shape, type and device, clamped to [0, 1].
    """
    if not len(batch):
        return batch.clone()
    draws = draws.to(batch.device)
    mirrored, blurred = draws[:, 8] < 0.5, spec.blur * draws[:, 9]
    # A number from [-1, 1) for everything that goes to either side.
    sides = (2 * draws[:, :8] - 1).unbind(1)

    out = batch
    if spec.rotate or spec.scale or spec.shift or spec.perspective:
        out = _warp(out, spec, sides[:4], 2 * draws[:, 20:] - 1)
    if spec.blur:
        out = torch.lerp(out, _binomial(out), blurred.to(out.dtype)[:, None, None, None])
    if spec.coarse:
        out = _coarsen(out, draws[:, 18] < spec.coarse, draws[:, 19])
    if spec.brightness or spec.contrast or spec.saturation or spec.hue:
        out = _recolour(out, spec, *sides[4:])
    if out is batch:
        out = batch.clone()
    if spec.erase:
        _erase(out, draws[:, 10] < spec.erase, draws[:, 11:18])
    if spec.flip:
        chosen = mirrored.nonzero()[:, 0]
        out[chosen] = out[chosen].flip(3)
    # Resampling and the matrix product come out plane by plane; a network in channels-last order gets it back.
    return out.clamp_(0, 1).contiguous(memory_format=_memory_order(batch))


def _erase(batch: Tensor, chosen: Tensor, draws: Tensor) -> None:
    """Fill a rectangle of each chosen image in place; ``draws`` (b, 7) from [0, 1): sides, corner, colour."""
    least, most = _ERASED
    for row in chosen.nonzero()[:, 0].tolist():
        sides = [
            max(1, round((least + (most - least) * float(share)) * length))
            for share, length in zip(draws[row, :2], batch.shape[2:], strict=True)
        ]
        top, left = (
            int(float(share) * (length - side + 1))
            for share, length, side in zip(draws[row, 2:4], batch.shape[2:], sides, strict=True)
        )
        batch[row, :, top : top + sides[0], left : left + sides[1]] = draws[row, 4:, None, None].to(batch.dtype)


def _coarsen(batch: Tensor, chosen: Tensor, draws: Tensor) -> Tensor:
    """A copy in which each chosen image is reduced and enlarged again; ``draws`` (b,) from [0, 1) say how far."""
    out = batch.clone()
    height, width = batch.shape[2:]
    for number, share in enumerate(_COARSE):
        rows = (chosen & ((draws * len(_COARSE)).long() == number)).nonzero()[:, 0]
        if len(rows):
            small = max(1, round(share * height)), max(1, round(share * width))
            reduced = functional.interpolate(out[rows], small, mode="bilinear", antialias=True)
            out[rows] = functional.interpolate(reduced, (height, width), mode="bicubic", align_corners=False)
    return out


def _memory_order(batch: Tensor) -> torch.memory_format:
    if batch.is_contiguous(memory_format=torch.channels_last) and not batch.is_contiguous():
        return torch.channels_last
    return torch.contiguous_format


def _warp(batch: Tensor, spec: Augmentation, sides: Sequence[Tensor], corners: Tensor) -> Tensor:
    """Rotate, scale, shift and tilt each image, in this order.

    ``sides`` are the rotation, the scale and both shifts, (b,) from [-1, 1) each, ``corners`` (b, 8) likewise.
    """
    rotate, scale, shift_x, shift_y = sides
    height, width = batch.shape[2:]
    angle = math.radians(spec.rotate) * rotate
    # A power of the factor, so that enlarging and reducing are equally likely.
    shrink = torch.exp(-math.log1p(spec.scale) * scale)
    cos, sin = shrink * torch.cos(angle), shrink * torch.sin(angle)
    # From a place in the result to one in the image, both counted in half widths and half heights.
    to_image = torch.stack(
        [
            torch.stack([cos, -sin * height / width, 2 * spec.shift * shift_x], dim=1),
            torch.stack([sin * width / height, cos, 2 * spec.shift * shift_y], dim=1),
        ],
        dim=1,
    )
    grid = functional.affine_grid(to_image.to(batch.dtype), list(batch.shape), align_corners=False)
    if spec.perspective:
        tilt = _homographies(2 * spec.perspective * corners).to(batch.dtype)
        flat = functional.pad(grid.flatten(1, 2), (0, 1), value=1.0) @ tilt.mT
        grid = (flat[..., :2] / flat[..., 2:]).view_as(grid)
    return functional.grid_sample(batch, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def _homographies(moved: Tensor) -> Tensor:
    """Maps of the plane (b, 3, 3) that move the corners of the square from -1 to 1, by x and y of each (b, 8).

    With h33 = 1, x' (h31 x + h32 y + 1) = h11 x + h12 y + h13 and likewise y' are linear in the other eight numbers
    (Hartley and Zisserman 2004, section 4.1): two equations a corner.
    """
    corners = moved.new_tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]], dtype=torch.float64)
    to = corners + moved.double().view(-1, 4, 2)
    known = functional.pad(corners, (0, 1), value=1.0).expand(len(moved), 4, 3)
    nothing = torch.zeros_like(known)
    left = torch.cat([torch.cat([known, nothing], 2), torch.cat([nothing, known], 2)], 1)
    right = torch.cat([-to[..., :1] * known[..., :2], -to[..., 1:] * known[..., :2]], 1)
    solved = torch.linalg.solve(torch.cat([left, right], 2), torch.cat([to[..., 0], to[..., 1]], 1))
    return functional.pad(solved, (0, 1), value=1.0).view(-1, 3, 3)


def _binomial(batch: Tensor) -> Tensor:
    """Blur with the outer product of (1, 2, 1) / 4 with itself; the border repeats its own pixels."""
    padded = functional.pad(batch, (1, 1, 1, 1), mode="replicate")
    rows = (padded[:, :, :-2] + 2 * padded[:, :, 1:-1] + padded[:, :, 2:]) / 4
    return (rows[:, :, :, :-2] + 2 * rows[:, :, :, 1:-1] + rows[:, :, :, 2:]) / 4


def _recolour(
    batch: Tensor, spec: Augmentation, brightness: Tensor, contrast: Tensor, saturation: Tensor, hue: Tensor
) -> Tensor:
    """Change each image's colours by one affine map; the last four arguments are (b,) from [-1, 1)."""
    matrices = colour_matrices(
        1 + spec.brightness * brightness,
        1 + spec.contrast * contrast,
        1 + spec.saturation * saturation,
        spec.hue * hue,
        grey_means(batch),
    ).to(batch.dtype)
    return torch.baddbmm(matrices[:, :, 3:], matrices[:, :, :3], batch.flatten(2)).view(batch.shape)
