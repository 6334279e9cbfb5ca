"""MoveNet Lightning: 17 keypoints of one person in a square, made to see small people and several of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from doppelgram.errors import DoppelgramError
from doppelgram.images.ordered import in_order
from doppelgram.pose.engine import Engine
from doppelgram.pose.people import People, boxes, prominence
from doppelgram.pose.similarity import oks
from doppelgram.pose.skeleton import MIRROR, Keypoints, from_coco_17
from doppelgram.pose.squares import Square, cut
from doppelgram.pose.views import DETAIL, views

# The network gives every joint a place, also of people who are not there; mean confidences of what it saw in
# photographs without anyone lie below this in nine of ten.
FOUND = 0.3
# Two skeletons that agree more than this are of one person.
SAME = 0.4
# Side of the square round a person, as a multiple of the longer side of the box round the sure joints.
_ROOM = 1.3
# How many people are looked at closely.
_MOST = 4


class MoveNet:
    """People by MoveNet in a photograph of any shape.

    The whole photograph, letterboxed, and overlapping tiles of it are looked at first. The most prominent of the people
    seen are then looked at again in a square round each of them, as MoveNet itself does from one frame of a film to the
    next, and once more mirrored; the answers of these looks are averaged by confidence.
    """

    name = "movenet"

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
        self._workers = workers
        self.key = f"movenet-{self._engine.digest}-1"

    def estimate(self, images: Sequence[NDArray[np.uint8]]) -> list[People]:
        """People of upright RGB photographs, uint8 (h, w, 3) each."""
        if len(images) == 1:
            return [self._people(images[0])]
        return list(in_order(self._people, images, self._workers))

    def _people(self, rgb: NDArray[np.uint8]) -> People:
        image = Image.fromarray(rgb)
        width, height = image.size
        image.thumbnail((DETAIL, DETAIL), Image.Resampling.BILINEAR, reducing_gap=2.0)
        seen = np.stack([self._look(image, view) for view in views(*image.size)])
        found: list[Keypoints] = []
        for first in _distinct(seen[_score(seen) >= FOUND / 2], image.size)[:_MOST]:
            closer = self._look(image, around(first))
            square = around(closer if _score(closer) >= _score(first) else first)
            again = self._look(image, square, mirrored=True)
            found.append(merged([look for look in (first, closer, again) if _score(look) >= FOUND / 2]))
        if not found:
            return People.nobody(width, height)
        kept = np.stack(found)
        kept = kept[_score(kept) >= FOUND]
        kept = np.stack(_distinct(kept, image.size)) if len(kept) else kept
        return People(kept, _score(kept), *image.size).scaled(width, height)

    def _look(self, image: Image.Image, square: Square, *, mirrored: bool = False) -> Keypoints:
        """The one person in a square, (18, 3)."""
        size = self._engine.shape[1]
        pixels = cut(image, square, size)
        if mirrored:
            pixels = pixels[:, ::-1]
        answer = self._engine(pixels[None])[0].reshape(17, 3).astype(np.float64)
        x = 1 - answer[:, 1] if mirrored else answer[:, 1]
        points = square.to_photograph(np.stack([x, answer[:, 0]], axis=1))
        keypoints = from_coco_17(np.concatenate([points, answer[:, 2:]], axis=1))
        return keypoints[MIRROR] if mirrored else keypoints


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


def _distinct(keypoints: NDArray[np.float32], size: tuple[int, int]) -> list[Keypoints]:
    """Non-maximum suppression: the most prominent of those (p, 18, 3) that agree, most prominent first."""
    kept: list[Keypoints] = []
    for index in np.argsort(-prominence(keypoints, *size), kind="stable"):
        if not kept or oks(keypoints[index][None], np.stack(kept)).max() < SAME:
            kept.append(keypoints[index])
    return kept
