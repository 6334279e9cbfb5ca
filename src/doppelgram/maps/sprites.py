"""Many small pictures in few large ones."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]

# Multiples of 16, so that no block of a JPEG holds pixels of two pictures. Each up to so many images, which keeps a
# page below 25 MB.
_SIDES = ((96, 2_500), (64, 6_000), (48, 12_000), (32, 30_000))
_SMALLEST = 16
_COLUMNS, _ROWS = 32, 32
_QUALITY = 80
_GROUND = (236, 238, 241)


@dataclass(frozen=True)
class Sheets:
    """Square pictures, in rows of 32, 32 rows to a sheet.

    Attributes:
        side: of a picture, pixels.
        count: of pictures.
        jpegs: the sheets.
    """

    side: int
    count: int
    jpegs: tuple[bytes, ...]
    columns: int = _COLUMNS
    rows: int = _ROWS

    def tiles(self) -> Iterator[Pixels]:
        """The pictures again, (side, side, 3), one after the other."""
        for number, jpeg in enumerate(self.jpegs):
            with Image.open(io.BytesIO(jpeg)) as image:
                sheet = np.asarray(image.convert("RGB"))
            for place in range(min(self.columns * self.rows, self.count - number * self.columns * self.rows)):
                row, column = divmod(place, self.columns)
                top, left = row * self.side, column * self.side
                yield sheet[top : top + self.side, left : left + self.side]


def side_for(count: int) -> int:
    """Side of a picture in pixels, when a page shows ``count`` of them."""
    return next((side for side, most in _SIDES if count <= most), _SMALLEST)


def square(image: Image.Image, side: int) -> Pixels:
    """The whole image in the middle of a square, uint8 (side, side, 3)."""
    scale = side / max(image.size)
    width, height = (max(1, round(length * scale)) for length in image.size)
    small = image.convert("RGB").resize((width, height), Image.Resampling.BICUBIC, reducing_gap=2.0)
    tile = Image.new("RGB", (side, side), _GROUND)
    tile.paste(small, ((side - width) // 2, (side - height) // 2))
    return np.array(tile)


def empty(side: int) -> Pixels:
    """The square of an image of which there is no picture."""
    return np.full((side, side, 3), _GROUND, dtype=np.uint8)


def make_sheets(tiles: Iterable[Pixels], side: int) -> Sheets:
    """Lay pictures (side, side, 3) out in sheets, one sheet in memory at a time."""
    held: list[Pixels] = []
    jpegs: list[bytes] = []
    count = 0

    def finish() -> None:
        stream = io.BytesIO()
        Image.fromarray(lay_out(held, side, _COLUMNS)).save(
            stream, "JPEG", quality=_QUALITY, subsampling=0, optimize=True
        )
        jpegs.append(stream.getvalue())
        held.clear()

    for tile in tiles:
        held.append(tile)
        count += 1
        if len(held) == _COLUMNS * _ROWS:
            finish()
    if held:
        finish()
    return Sheets(side, count, tuple(jpegs))


def join_sheets(first: Sheets, second: Sheets) -> Sheets:
    """The pictures of both, those of the second in the size of the first."""

    def both() -> Iterator[Pixels]:
        yield from first.tiles()
        for tile in second.tiles():
            yield tile if second.side == first.side else square(Image.fromarray(tile), first.side)

    return make_sheets(both(), first.side)


def lay_out(tiles: list[Pixels], side: int, columns: int) -> Pixels:
    """One picture of tiles (side, side, 3), in rows of ``columns``."""
    rows = math.ceil(len(tiles) / columns)
    page = np.full((rows, side, columns, side, 3), 255, dtype=np.uint8)
    for place, tile in enumerate(tiles):
        row, column = divmod(place, columns)
        page[row, :, column] = tile
    return page.reshape(rows * side, columns * side, 3)
