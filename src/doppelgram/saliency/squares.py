"""Maps of models that look at one square of a photograph each: the whole of it, or a face that was cut out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from doppelgram.console import Progress
from doppelgram.errors import DoppelgramError
from doppelgram.images.decode import open_image
from doppelgram.images.face_framing import FaceFraming
from doppelgram.images.faces.face import NoFace
from doppelgram.images.framing import Framed, Framing
from doppelgram.images.read import Photograph
from doppelgram.images.whole import WholePhotograph
from doppelgram.models.embedder import Embedder
from doppelgram.saliency.gradient import by_gradient
from doppelgram.saliency.maps import GRAD_CAM, OCCLUSION, PairSaliency, Pixels, SaliencyMap, placed
from doppelgram.saliency.occlusion import Distances, both_occluded

# Photographs are drawn no larger, so that a map takes no longer than it has to.
_LONGEST = 1280


def square_saliency(
    models: tuple[Embedder, Embedder], paths: Sequence[Path], *, method: str, progress: Progress
) -> PairSaliency:
    """Which parts of two photographs bring them together; see `doppelgram.saliency.pair.pair_saliency`."""
    model = models[0]
    shown = [_framed(path, one.framing) for path, one in zip(paths, models, strict=True)]
    squares = [framed.pixels for _, framed in shown]
    found = by_gradient(model.image_towers, [np.stack(squares)], method)
    if found is not None:
        grids = [grid * grid.size for grid in found.maps[0]]
    else:
        grids = both_occluded(squares, [_from(model, squares[1]), _from(model, squares[0])], progress)
    a, b = (
        _map(image, framed, one.framing, grid) for (image, framed), one, grid in zip(shown, models, grids, strict=True)
    )
    return PairSaliency(a, b, GRAD_CAM, found.similarity) if found else PairSaliency(a, b, OCCLUSION)


def _framed(path: Path, framing: Framing | FaceFraming | WholePhotograph) -> tuple[Image.Image, Framed]:
    """A photograph, decoded as `images.read` decodes it, and the square that a model is shown."""
    image = open_image(path, at_least=framing.at_least)
    try:
        return image, framing.frame(image)
    except NoFace as problem:
        raise DoppelgramError(f"{path}: {problem.reason}") from None


def _from(model: Embedder, other: Pixels) -> Distances:
    """Distances of squares to another square."""

    def vectors(squares: Sequence[Pixels]) -> NDArray[np.float32]:
        return model.embed([Photograph(None, pixels=square) for square in squares]).vectors

    theirs = vectors([other])
    return lambda squares: model.space.distance(vectors(squares), np.repeat(theirs, len(squares), axis=0))


def _map(
    image: Image.Image, framed: Framed, framing: Framing | FaceFraming | WholePhotograph, grid: NDArray[np.floating]
) -> SaliencyMap:
    """A map of the square as one of the photograph."""
    if isinstance(framing, Framing) and framing.resize == "letterbox" and not (framing.crop or framing.face):
        grid = _without_bars(grid, image.width, image.height)
    scale = min(1.0, _LONGEST / max(image.size))
    width, height = (max(1, round(side * scale)) for side in image.size)
    corners = [(x * width / image.width, y * height / image.height) for x, y in framed.region]
    pixels = np.asarray(image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0))
    whole = set(corners) == {(0.0, 0.0), (float(width), 0.0), (float(width), float(height)), (0.0, float(height))}
    return SaliencyMap(pixels, placed(grid, corners, width, height), shown=() if whole else corners)


def _without_bars(grid: NDArray[np.floating], width: int, height: int) -> NDArray[np.floating]:
    """The part of a letterbox's map that shows the photograph; as finely as the photograph's middle can be cut."""
    rows, columns = grid.shape
    fine = Image.fromarray(grid.astype(np.float32))
    share_x, share_y = width / max(width, height), height / max(width, height)
    x, y = columns * (1 - share_x) / 2, rows * (1 - share_y) / 2
    return np.asarray(fine.resize((columns, rows), Image.Resampling.BILINEAR, (x, y, columns - x, rows - y)))
