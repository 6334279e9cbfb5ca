"""MoveNet: 17 keypoints of one person in a square, and which squares of a photograph it is shown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from doppelgram.errors import DoppelgramError
from doppelgram.pose.engine import Engine
from doppelgram.pose.estimators.estimator import EachPhotograph
from doppelgram.pose.estimators.searches import SEARCHES
from doppelgram.pose.people import People, boxes
from doppelgram.pose.skeleton import (
    L_HIP,
    L_SHOULDER,
    LIMBS,
    MIRROR,
    R_HIP,
    R_SHOULDER,
    Keypoints,
    from_coco_17,
    present,
)
from doppelgram.pose.squares import Square, cut

# How thickly somebody is painted over, as a share of the person, to see who else is there.
_COVER = 0.2


class MoveNet(EachPhotograph):
    """People by MoveNet in a photograph of any shape, searched in the way that goes by the estimator's name.

    Attributes:
        name: one of `doppelgram.pose.estimators.searches.SEARCHES`.
    """

    def __init__(self, file: Path, *, name: str = "movenet", workers: int | None = None) -> None:
        """Load the network.

        Args:
            file: MoveNet single-pose, as TFLite, ONNX or OpenVINO's XML: RGB (1, size, size, 3) to (1, 1, 17, 3).
            name: how a photograph is searched.
            workers: how many photographs are looked at side by side; one a processor by default.

        Raises:
            DoppelgramError: OpenVINO is absent or the file holds another network.
        """
        self.name = name
        self._search, version = SEARCHES[name]
        self._engine = Engine(file, what="MoveNet")
        shape = self._engine.shape
        if len(shape) != 4 or shape[1] != shape[2] or shape[3] != 3 or self._engine.outputs != [(1, 1, 17, 3)]:
            raise DoppelgramError(
                f"{file}: is not MoveNet's single-pose network: it maps {shape} to {self._engine.outputs}, "
                "not (1, size, size, 3) to (1, 1, 17, 3)"
            )
        self.workers = workers
        self.key = f"{self.name}-{self._engine.digest}-{version}"

    def _found(self, image: Image.Image) -> People:
        return self._search(self.look, image)

    def look(
        self, image: Image.Image, square: Square, *, mirrored: bool = False, without: Keypoints | None = None
    ) -> Keypoints:
        """See `doppelgram.pose.estimators.searches.Look`."""
        size = self._engine.shape[1]
        pixels = cut(image, square, size)
        if without is not None:
            pixels = _painted_over(pixels, square, without)
        if mirrored:
            pixels = pixels[:, ::-1]
        answer = self._engine(pixels[None])[0].reshape(17, 3).astype(np.float64)
        x = 1 - answer[:, 1] if mirrored else answer[:, 1]
        points = square.to_photograph(np.stack([x, answer[:, 0]], axis=1))
        keypoints = from_coco_17(np.concatenate([points, answer[:, 2:]], axis=1))
        return keypoints[MIRROR] if mirrored else keypoints


def _painted_over(pixels: NDArray[np.uint8], square: Square, person: Keypoints) -> NDArray[np.uint8]:
    """What a square shows, uint8 (n, n, 3), with a person's limbs and trunk in the picture's mean colour."""
    size = len(pixels)
    points = square.from_photograph(person[:, :2]) * size
    left, top, right, bottom = boxes(person[None])[0] / square.side * size
    width = max(1, round(_COVER * float(np.hypot(right - left, bottom - top))))
    known = present(person)
    painted = Image.fromarray(pixels)
    draw = ImageDraw.Draw(painted)
    colour = tuple(int(value) for value in pixels.reshape(-1, 3).mean(0))
    for start, end in (*LIMBS, (R_HIP, L_HIP), (R_SHOULDER, L_HIP), (L_SHOULDER, R_HIP)):
        if known[start] and known[end]:
            draw.line([tuple(points[start]), tuple(points[end])], fill=colour, width=width)
    for x, y in points[known]:
        draw.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=colour)
    return np.asarray(painted)
