"""What the towers of an arrangement model are shown of a photograph: the place without people, one person cut out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from doppelgram.images.framing import Framing

Pixels = NDArray[np.uint8]
# A person's square is this much larger than the box of the joints, which end at eyes, wrists and ankles.
MARGIN = 1.35
# Beyond the photograph's edge lies grey, which after normalisation is close to "no signal".
_GREY = 128


def without_people(pixels: Pixels, mask: NDArray[np.bool_]) -> Pixels:
    """The photograph with its people painted over in the mean colour of all the rest.

    Args:
        pixels: uint8 (h, w, 3).
        mask: bool (h, w), true where a person is. Where it is true everywhere the photograph stays as it is.

    Returns:
        uint8 (h, w, 3); the input itself where nothing is covered.
    """
    if not mask.any() or mask.all():
        return pixels
    covered = pixels.copy()
    covered[mask] = pixels[~mask].mean(axis=0).round().astype(np.uint8)
    return covered


def person_square(keypoints: NDArray[Any], margin: float = MARGIN) -> tuple[float, float, float]:
    """Square round a person.

    Args:
        keypoints: (18, 2 or 3); joints that are not known are NaN.
        margin: side of the square by the longer side of the joints' box.

    Returns:
        Middle x, middle y and side in pixels; a side of at least 8.
    """
    xy = np.asarray(keypoints, dtype=np.float64)[:, :2]
    known = xy[np.isfinite(xy).all(axis=1)]
    low, high = known.min(axis=0), known.max(axis=0)
    middle = (low + high) / 2
    return float(middle[0]), float(middle[1]), max(8.0, margin * float((high - low).max()))


def person_view(pixels: Pixels, keypoints: NDArray[Any], framing: Framing, margin: float = MARGIN) -> Pixels:
    """One person cut out as a square of ``framing.size`` pixels, grey beyond the photograph's edge."""
    x, y, side = person_square(keypoints, margin)
    left, top, right, bottom = (round(v) for v in (x - side / 2, y - side / 2, x + side / 2, y + side / 2))
    height, width = pixels.shape[:2]
    canvas = np.full((bottom - top, right - left, 3), _GREY, dtype=np.uint8)
    inside = pixels[max(top, 0) : min(bottom, height), max(left, 0) : min(right, width)]
    if inside.size:
        at_y, at_x = max(top, 0) - top, max(left, 0) - left
        canvas[at_y : at_y + inside.shape[0], at_x : at_x + inside.shape[1]] = inside
    return framing.apply(Image.fromarray(canvas))
