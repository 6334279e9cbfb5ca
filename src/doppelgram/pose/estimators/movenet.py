"""MoveNet Lightning: 17 keypoints of one person in a square, made to see small people and several of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from doppelgram.errors import DoppelgramError
from doppelgram.pose.engine import Engine
from doppelgram.pose.estimators.estimator import EachPhotograph, distinct
from doppelgram.pose.estimators.regions import regions
from doppelgram.pose.people import PASSER_BY, People, boxes, prominence
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

# The network gives every joint a place, also of people who are not there: below this mean confidence there is nobody.
FOUND = 0.25
# Two skeletons that agree more than this are of one person; before anybody was looked at closely they must agree more,
# since two half-wrong ones are worth two looks.
SAME, _SAME_AT_FIRST = 0.4, 0.7
# Side of the square round a person, as a multiple of the longer side of the box round the sure joints.
_ROOM = 1.3
# How many people are looked at closely.
_MOST = 2
# Whoever is seen in the whole photograph this surely and this large (diagonal as a share of the photograph's) is whom
# it is about, and no tile is searched.
_OBVIOUS, _LARGE = 0.4, 0.3
# How thickly somebody is painted over, as a share of the person, to see who else is there.
_COVER = 0.2


class MoveNet(EachPhotograph):
    """People by MoveNet in a photograph of any shape.

    The whole photograph is looked at first, letterboxed. Where somebody is plain to see, that person is painted over
    and the rest looked at again; elsewhere overlapping tiles are searched. Of those who were seen, the two most
    prominent, passers-by aside, are looked at in a square round each of them, as MoveNet itself does from one frame of
    a film to the next, and the most prominent one once more, mirrored; answers are averaged by confidence. Passers-by
    stay as they were seen.
    """

    name = "movenet"
    _version = 4

    def __init__(self, file: Path, *, workers: int | None = None) -> None:
        """Load the network.

        Args:
            file: MoveNet single-pose, as TFLite, ONNX or OpenVINO's XML: RGB (1, size, size, 3) to (1, 1, 17, 3).
            workers: how many photographs are looked at side by side; one a processor by default.

        Raises:
            DoppelgramError: OpenVINO is absent or the file holds another network.
        """
        self._engine = Engine(file, what="MoveNet")
        shape = self._engine.shape
        if len(shape) != 4 or shape[1] != shape[2] or shape[3] != 3 or self._engine.outputs != [(1, 1, 17, 3)]:
            raise DoppelgramError(
                f"{file}: is not MoveNet's single-pose network: it maps {shape} to {self._engine.outputs}, "
                "not (1, size, size, 3) to (1, 1, 17, 3)"
            )
        self.workers = workers
        self.key = f"{self.name}-{self._engine.digest}-{self._version}"

    def _found(self, image: Image.Image) -> People:
        candidates, plain = self._candidates(image)
        first = _distinct(candidates[_score(candidates) >= FOUND / 2], image.size, _SAME_AT_FIRST)
        weights = [_weight(seen, image.size) for seen in first]
        close = sum(weight >= PASSER_BY * weights[0] for weight in weights[:_MOST])
        # Whoever is plain to see was as good as looked at closely.
        found = first[:close] if plain else [self._look(image, around(seen)) for seen in first[:close]]
        if found:
            main = int(np.argmax([_weight(seen, image.size) for seen in found]))
            found[main] = merged([found[main], self._look(image, around(found[main]), mirrored=True)])
        found = [keypoints for keypoints in [*found, *first[close:]] if _score(keypoints) >= FOUND]
        if not found:
            return People.nobody(*image.size)
        kept = np.stack(_distinct(np.stack(found), image.size))
        return People(kept, _score(kept), *image.size)

    def _candidates(self, image: Image.Image) -> tuple[NDArray[np.float32], bool]:
        """Everybody who is seen at first, (p, 18, 3), some several times; and whether somebody is plain to see."""
        whole, *tiles = regions(*image.size)
        first = self._look(image, whole)
        left, top, right, bottom = boxes(first[None])[0]
        large = np.hypot(right - left, bottom - top) >= _LARGE * np.hypot(*image.size)
        if large and _score(first) >= _OBVIOUS:
            return np.stack([first, self._look(image, whole, without=first)]), True
        return np.stack([first, *(self._look(image, tile) for tile in tiles)]), False

    def _look(
        self, image: Image.Image, square: Square, *, mirrored: bool = False, without: Keypoints | None = None
    ) -> Keypoints:
        """The one person in a square, (18, 3), other than somebody who is painted over."""
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


def around(keypoints: Keypoints) -> Square:
    """The square round one person (18, 3), with room to err."""
    left, top, right, bottom = boxes(keypoints[None])[0]
    return Square((left + right) / 2, (top + bottom) / 2, max(right - left, bottom - top, 16.0) * _ROOM)


def merged(looks: Sequence[Keypoints]) -> Keypoints:
    """Several looks (18, 3) at one person as one: places weighted by squared confidence, confidences by their mean."""
    stack = np.stack(looks).astype(np.float64)
    weight = stack[..., 2:] ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        places = (np.nan_to_num(stack[..., :2]) * weight).sum(0) / weight.sum(0)
    return np.concatenate([places, stack[..., 2:].mean(0)], axis=1).astype(np.float32)


def _score(keypoints: NDArray[Any]) -> NDArray[np.float32]:
    """Mean confidence of the joints (..., 18, 3), (...)."""
    return np.asarray(keypoints[..., 2].mean(-1), dtype=np.float32)


def _weight(person: Keypoints, size: tuple[int, int]) -> float:
    """Prominence times confidence once more: of people who may not be there, the sure ones count."""
    return float(prominence(person[None], *size)[0] * _score(person))


def _distinct(keypoints: NDArray[np.float32], size: tuple[int, int], same: float = SAME) -> list[Keypoints]:
    """Of those (p, 18, 3) that agree the most prominent and surest one, in that order."""
    return distinct(keypoints, prominence(keypoints, *size) * _score(keypoints), same)
