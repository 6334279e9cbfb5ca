"""Square parts of a photograph, as pose networks want them: to the network's pixels, and points back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_FILTER = Image.Resampling.BILINEAR


@dataclass(frozen=True)
class Square:
    """A square of a photograph; it may be turned and may reach beyond the photograph.

    Attributes:
        x: of the centre in pixels, 0 being the outer edge of the first pixel.
        y: of it.
        side: in pixels.
        turn: degrees clockwise, as one sees it, by which the square's upright is turned in the photograph.
    """

    x: float
    y: float
    side: float
    turn: float = 0.0

    def to_photograph(self, points: NDArray[Any]) -> NDArray[np.float64]:
        """Points (..., 2) given as shares of the square's side, (0, 0) its upper left corner, in the photograph."""
        offset = (np.asarray(points, dtype=np.float64) - 0.5) * self.side
        cos, sin = math.cos(math.radians(self.turn)), math.sin(math.radians(self.turn))
        x, y = offset[..., 0], offset[..., 1]
        return np.stack([self.x + cos * x - sin * y, self.y + sin * x + cos * y], axis=-1)

    def from_photograph(self, points: NDArray[Any]) -> NDArray[np.float64]:
        """The inverse of `to_photograph`."""
        moved = np.asarray(points, dtype=np.float64) - np.array([self.x, self.y])
        cos, sin = math.cos(math.radians(self.turn)), math.sin(math.radians(self.turn))
        x, y = moved[..., 0], moved[..., 1]
        return np.stack([cos * x + sin * y, cos * y - sin * x], axis=-1) / self.side + 0.5


def letterbox(width: int, height: int) -> Square:
    """The smallest square round a whole photograph."""
    return Square(width / 2, height / 2, float(max(width, height)))


def cut(image: Image.Image, square: Square, size: int) -> NDArray[np.uint8]:
    """What a square shows, uint8 (size, size, 3); black beyond the photograph.

    Args:
        image: RGB.
        square: what to cut.
        size: side of the result in pixels.
    """
    turn = square.turn % 360
    if turn % 90 == 0:
        upright = _resized(image, square, size)
        return np.ascontiguousarray(np.rot90(upright, round(turn / 90)))
    # Interpolation alone would skip pixels, so that the part comes down to about the size of the result beforehand.
    shrink = max(1.0, square.side / size)
    reach = square.side * math.sqrt(0.5) + 2 * shrink
    wide = max(2, round(2 * reach / shrink))
    part = Image.fromarray(_resized(image, Square(square.x, square.y, 2 * reach), wide))
    step = square.side / size * wide / (2 * reach)
    cos, sin = (step * f(math.radians(turn)) for f in (math.cos, math.sin))
    middle = wide / 2
    matrix = (cos, -sin, middle - (cos - sin) * size / 2, sin, cos, middle - (sin + cos) * size / 2)
    return np.array(part.transform((size, size), Image.Transform.AFFINE, matrix, _FILTER))


def _resized(image: Image.Image, square: Square, size: int) -> NDArray[np.uint8]:
    """An unturned square, resized."""
    scale = size / square.side
    left, top = square.x - square.side / 2, square.y - square.side / 2
    # The part of the square that the photograph covers, in whole pixels of the result.
    x0, y0 = (max(0, math.ceil(-edge * scale - 1e-6)) for edge in (left, top))
    x1 = min(size, math.floor((image.width - left) * scale + 1e-6))
    y1 = min(size, math.floor((image.height - top) * scale + 1e-6))
    result = np.zeros((size, size, 3), np.uint8)
    if x1 <= x0 or y1 <= y0:
        return result
    box = (left + x0 / scale, top + y0 / scale, left + x1 / scale, top + y1 / scale)
    box = (max(0.0, box[0]), max(0.0, box[1]), min(float(image.width), box[2]), min(float(image.height), box[3]))
    result[y0:y1, x0:x1] = np.asarray(image.resize((x1 - x0, y1 - y0), _FILTER, box, 2.0))
    return result
