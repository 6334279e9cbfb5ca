"""Two photographs of the same view side by side, and thin lines between the points that both show."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from doppelgram.reports.drawing import Colour, Sheet

# Bluish green of Okabe and Ito's palette: blue and vermilion say how far limbs differ.
_LINE: Colour = (0, 158, 115)
_GAP, _HIGHEST, _MOST_LINES = 28, 460, 48
# Lines are drawn this much larger and scaled down.
_OVER = 3
_CORNER = 10


def matched_height(pixels: tuple[NDArray[np.uint8], NDArray[np.uint8]], width: int) -> int:
    """How high a drawing of that width is, in pixels."""
    ratios = float(sum(one.shape[1] / one.shape[0] for one in pixels))
    return min(_HIGHEST, round((width - _GAP) / ratios))


def draw_matched(
    sheet: Sheet,
    pixels: tuple[NDArray[np.uint8], NDArray[np.uint8]],
    places: NDArray[Any],
    at: tuple[int, int],
    width: int,
) -> None:
    """Draw both photographs, equally high and a little faded, all matched points, and lines between some of them.

    Args:
        sheet: to draw on.
        pixels: both photographs, upright, uint8 (h, w, 3).
        places: x and y of each matched point in both, as shares of width and height, (m, 2, 2).
        at: left and top in pixels.
        width: at most, in pixels.
    """
    height = matched_height(pixels, width)
    widths = [max(1, round(height * one.shape[1] / one.shape[0])) for one in pixels]
    left = at[0] + (width - sum(widths) - _GAP) // 2
    lefts = left, left + widths[0] + _GAP
    for x, wide, one in zip(lefts, widths, pixels, strict=True):
        photo = Image.fromarray(one).resize((wide, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
        grey = Image.blend(photo, photo.convert("L").convert("RGB"), 0.6)
        faded = Image.blend(grey, Image.new("RGB", photo.size, "white"), 0.25)
        sheet.box((x, at[1], x + wide, at[1] + height), _CORNER, faded)
    ends = places * np.array([(wide, height) for wide in widths]) + [(0, 0), (lefts[1] - left, 0)]
    _lines(sheet, ends * _OVER, (left, at[1]), (lefts[1] - left + widths[1], height))


def _lines(sheet: Sheet, ends: NDArray[Any], at: tuple[int, int], size: tuple[int, int]) -> None:
    """Lines and dots, given in pixels of a layer that is scaled down onto the sheet."""
    layer = Image.new("RGBA", (size[0] * _OVER, size[1] * _OVER), (*_LINE, 0))
    draw = ImageDraw.Draw(layer)
    for (x0, y0), (x1, y1) in ends[_spread_out(ends[:, 0], _MOST_LINES)]:
        draw.line([(x0, y0), (x1, y1)], fill=(*_LINE, 190), width=4)
    for x, y in ends.reshape(-1, 2):
        draw.ellipse((x - 9, y - 9, x + 9, y + 9), fill=(*_LINE, 255), outline=(255, 255, 255, 255), width=3)
    small = layer.resize(size, Image.Resampling.BOX)
    sheet.stamp(small, at)


def _spread_out(points: NDArray[Any], most: int) -> NDArray[np.int64]:
    """Rows of at most so many points that lie far from each other: each the farthest from those before it."""
    if len(points) <= most:
        return np.arange(len(points))
    chosen = [int(np.hypot(*(points - points.mean(0)).T).argmax())]
    away = np.full(len(points), np.inf)
    while len(chosen) < most:
        away = np.minimum(away, np.hypot(*(points - points[chosen[-1]]).T))
        chosen.append(int(away.argmax()))
    return np.array(chosen)
