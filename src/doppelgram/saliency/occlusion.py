"""Occlusion: how much farther apart two photographs are while a patch of one is covered (Zeiler and Fergus 2014)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from doppelgram.console import Progress
from doppelgram.saliency.maps import Pixels

Distances = Callable[[list[Pixels]], NDArray[np.float64]]
"""How far each of some pictures is from the other photograph."""

CELLS, WIDE = 10, 2
"""A picture has so many cells along each side, and a patch covers two by two of them: a fifth of either side."""
PATCHES = (CELLS - WIDE + 1) ** 2
"""Patches of one picture; the next one begins a cell further on."""

# Of a Gaussian, as a share of the longer side: what a patch shows is gone, its colours are not.
_BLUR = 1 / 12
_AT_ONCE = 16


def both_occluded(
    pictures: Sequence[Pixels], distances: Sequence[Distances], progress: Progress
) -> list[NDArray[np.float64]]:
    """`occlusion_map` of both pictures of a pair, with a bar."""
    with progress.bar("covering parts of both photographs", len(pictures) * PATCHES) as advance:
        return [
            occlusion_map(one, distance, advance=advance) for one, distance in zip(pictures, distances, strict=True)
        ]


def occlusion_map(
    pixels: Pixels, distances: Distances, *, cover: str = "blur", advance: Callable[[int], None] | None = None
) -> NDArray[np.float64]:
    """By how much the distance grows where a picture is covered, float64 (`CELLS`, `CELLS`).

    Each cell has the mean over the patches that cover it.

    Args:
        pixels: the picture as the model is shown it, uint8 (h, w, 3).
        distances: of pictures like it.
        cover: with what: ``blur``, the picture out of focus, or ``mean``, its mean colour.
        advance: called with the number of patches that were just looked at.
    """
    hidden = covered_by(pixels, cover)
    whole = float(distances([pixels])[0])
    total, count = np.zeros((CELLS, CELLS)), np.zeros((CELLS, CELLS))
    starts = [(row, column) for row in range(CELLS - WIDE + 1) for column in range(CELLS - WIDE + 1)]
    for first in range(0, len(starts), _AT_ONCE):
        some = starts[first : first + _AT_ONCE]
        pictures = []
        for start in some:
            patch, picture = _patch(start, pixels.shape), pixels.copy()
            picture[patch] = hidden[patch]
            pictures.append(picture)
        for (row, column), distance in zip(some, distances(pictures), strict=True):
            total[row : row + WIDE, column : column + WIDE] += distance - whole
            count[row : row + WIDE, column : column + WIDE] += 1
        if advance is not None:
            advance(len(some))
    return np.asarray(total / count)


def _patch(start: tuple[int, int], shape: Sequence[int]) -> tuple[slice, slice]:
    """Rows and columns of a picture that a patch covers, whose first cell is given."""
    rows, columns = (
        slice(round(cell * side / CELLS), round((cell + WIDE) * side / CELLS))
        for cell, side in zip(start, shape[:2], strict=True)
    )
    return rows, columns


def covered_by(pixels: Pixels, cover: str) -> Pixels:
    """What patches of a picture are covered with, of the picture's own size."""
    if cover == "mean":
        return np.broadcast_to(pixels.mean((0, 1)).round().astype(np.uint8), pixels.shape)
    radius = _BLUR * max(pixels.shape[:2])
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(radius)))
