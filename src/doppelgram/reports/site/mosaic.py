"""All photographs on one grid, neighbours alike: one picture for print."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageOps

from doppelgram.files import written_whole
from doppelgram.maps.grid import MOST_ASSIGNED, grid_shape, to_cells
from doppelgram.reports.site.shown import Shown
from doppelgram.space.exact import Float64

MOSAIC_FILE, MOST_PIXELS = "mosaic.png", 8_000
# Pictures in a catalog are hardly larger; a page shows the mosaic on screens of twice the dots.
_LARGEST_CELL, _PREVIEW = 240, 2_000


@dataclass(frozen=True)
class Mosaic:
    """What was drawn.

    Attributes:
        preview: the picture as a JPEG for a page.
        shape: rows and columns.
        photographs: how many.
        side: of a cell, pixels.
    """

    preview: bytes
    shape: tuple[int, int]
    photographs: int
    side: int

    @property
    def about(self) -> str:
        """How photographs got their places."""
        rows, columns = self.shape
        how = (
            "so that the sum of the squared distances from its rank on the map, across and down, is the least possible"
            if self.photographs <= MOST_ASSIGNED
            else "row by row from the top of the map, each row from left to right"
        )
        return f"{rows} rows of {columns} cells. Each photograph has one, {how}."


def draw_mosaic(
    shown: Shown, rows: Sequence[str], points: Float64, file: Path, advance: Callable[[int], None] | None = None
) -> Mosaic:
    """Draw the photographs of a map into a PNG of at most `MOST_PIXELS` a side, cut to squares.

    Args:
        shown: the photographs.
        rows: n rows that are on the map; those that may not be shown are left out.
        points: (n, 2) where they are on it.
        file: to write, whole or not at all.
        advance: called with 1 for each photograph.
    """
    kept = [place for place, row in enumerate(rows) if shown.may_show(row)]
    rows, points, shape = [rows[place] for place in kept], points[kept], grid_shape(len(kept))
    side = max(1, min(_LARGEST_CELL, MOST_PIXELS // max(shape)))
    gap = side // 40
    picture = Image.new("RGB", (shape[1] * side, shape[0] * side), "white")
    for row, cell in zip(rows, to_cells(points, shape[1]).tolist(), strict=True):
        # Twice as long as a cell, so that a picture that is cut to a square is not enlarged.
        image = shown.small(row, 2 * side)
        down, across = divmod(cell, shape[1])
        if image is not None:
            fitted = ImageOps.fit(image, (side - gap, side - gap), Image.Resampling.BICUBIC, centering=(0.5, 0.4))
            picture.paste(fitted, (across * side + gap // 2, down * side + gap // 2))
        if advance is not None:
            advance(1)
    with written_whole(file) as aside:
        picture.save(aside, "PNG")
    picture.thumbnail((_PREVIEW, _PREVIEW), Image.Resampling.LANCZOS)
    buffer = BytesIO()
    picture.save(buffer, "JPEG", quality=84)
    return Mosaic(buffer.getvalue(), shape, len(rows), side)
