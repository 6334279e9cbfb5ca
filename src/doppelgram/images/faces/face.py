"""Faces in a photograph: what a detector says of one, which one is taken, and the upright square that is cut for it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from doppelgram.errors import DoppelgramError

Pixels: TypeAlias = NDArray[np.uint8]
Point: TypeAlias = tuple[float, float]

# Side of a deep-funneled LFW image, and of its centred square that a face's standard cut agrees with.
LFW_SIDE, STANDARD_CROP = 250, 150

# An eye line that is steeper was found wrongly, or the person means to lie.
_STEEPEST = 35.0
# Below this the interpolation costs more than the rotation gives.
_LEVEL = 0.5

_FILTER = Image.Resampling.BICUBIC


class NoFace(DoppelgramError):
    """A photograph without the face that is wanted; ``reason`` says so in a few words."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"this photograph cannot be used: {reason}")


@dataclass(frozen=True)
class FaceBox:
    """Which face of a photograph something is about.

    Attributes:
        number: 1 for the largest face of the photograph, of about equally large ones the one nearest the middle.
        count: how many faces were found in it.
        box: left, top, width, height, as shares of the photograph's width and height.
    """

    number: int
    count: int
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class Face:
    """A face that a detector found.

    Attributes:
        box: left, top, width, height in pixels of the picture. Where ``turn`` is not 0 the box stands upright in the
            picture that was turned back about the box's centre.
        score: the larger the surer; scales differ between detectors.
        eyes: centres (x, y) of the eye at the left and the eye at the right of the upright face, in pixels of the
            picture; None where they were not found credibly.
        turn: degrees that the face is turned in the picture, clockwise as one sees it, as far as the detector knows
            it without the eyes.
    """

    box: tuple[float, float, float, float]
    score: float
    eyes: tuple[Point, Point] | None = None
    turn: float = 0.0

    @property
    def centre(self) -> Point:
        """Centre of the box."""
        left, top, width, height = self.box
        return left + width / 2, top + height / 2

    @property
    def side(self) -> float:
        """Side of the square with the box's area."""
        return math.sqrt(self.box[2] * self.box[3])


class FaceDetector(Protocol):
    """What finds faces; one object may be used by several threads at a time.

    Attributes:
        name: as recipes and models spell it.
        widening: side of the standard cut as a multiple of a box's side; see `STANDARD_CROP`.
        offset: centre of the standard cut less the box's centre, (right, down) as multiples of the box's side, in the
            upright face.
    """

    name: str
    widening: float
    offset: Point

    def detect(self, rgb: Pixels) -> list[Face]:
        """Find faces in a picture, uint8 (h, w, 3), in no particular order; those that it doubts are left out."""
        ...


@dataclass(frozen=True)
class Cut:
    """A square of a picture that may be turned and may reach beyond the picture.

    Attributes:
        centre: (x, y) in pixels; 0 is the outer edge of the first pixel.
        side: in pixels.
        turn: degrees clockwise, as one sees it.
    """

    centre: Point
    side: float
    turn: float = 0.0

    def corners(self) -> tuple[Point, Point, Point, Point]:
        """The corners in the picture: upper left, upper right, lower right, lower left of what is cut."""
        half = self.side / 2
        first, second, third, fourth = (
            _moved(self.centre, (x * half, y * half), self.turn) for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))
        )
        return first, second, third, fourth


def largest(faces: Sequence[Face]) -> Face | None:
    """The face with the largest box, the surer one of equals; None of none."""
    return max(faces, key=lambda face: (face.side, face.score, face.box), default=None)


def uprightness(face: Face) -> float:
    """Degrees that a face is turned clockwise: by its eyes where they are credible, else as the detector says."""
    if face.eyes is None:
        return face.turn
    (left_x, left_y), (right_x, right_y) = face.eyes
    turn = math.degrees(math.atan2(right_y - left_y, right_x - left_x))
    return turn if abs(_difference(turn, face.turn)) <= _STEEPEST else face.turn


def cut_of(face: Face, widening: float, offset: Point = (0.0, 0.0), crop: int | None = None) -> Cut:
    """The upright square around a face.

    Its side is ``widening`` times the box's: with a detector's own ``widening`` and ``offset`` it shows on average
    what the centred square of `STANDARD_CROP` pixels of a deep-funneled LFW image shows. Another ``crop`` scales it in
    proportion, so that a model that was trained on LFW's centred squares of ``crop`` pixels sees a face as large as it
    is used to.
    """
    turn = uprightness(face)
    scale = (crop or STANDARD_CROP) / STANDARD_CROP
    shift = offset[0] * face.side, offset[1] * face.side
    return Cut(_moved(face.centre, shift, turn), face.side * widening * scale, turn)


def render(image: Image.Image, cut: Cut, size: int) -> Pixels:
    """Return what a cut shows as (size, size, 3) uint8; beyond the picture its edge is repeated.

    Args:
        image: RGB.
        cut: the square.
        size: side of the result in pixels.
    """
    turned = abs(cut.turn) >= _LEVEL
    corners = cut.corners() if turned else Cut(cut.centre, cut.side).corners()
    # A little more than the square, for the filters to reach into.
    slack = 2 + cut.side / size
    left, top = (math.floor(min(corner[axis] for corner in corners) - slack) for axis in (0, 1))
    right, bottom = (math.ceil(max(corner[axis] for corner in corners) + slack) for axis in (0, 1))
    part = _with_edges(image, (left, top, right, bottom))
    x, y = cut.centre[0] - left, cut.centre[1] - top
    half = cut.side / 2
    if turned:
        # Interpolating does not average, so the part comes down to about the size of the result beforehand, by a
        # filter that does. What is turned is twice that size, since turning softens.
        wanted = 2 * size
        shrink = max(1.0, cut.side / wanted)
        if shrink > 1:
            small = max(1, round(part.width / shrink)), max(1, round(part.height / shrink))
            x, y = x * small[0] / part.width, y * small[1] / part.height
            part = part.resize(small, _FILTER, reducing_gap=3.0)
        step = cut.side / shrink / wanted
        cos, sin = (step * f(math.radians(cut.turn)) for f in (math.cos, math.sin))
        matrix = (cos, -sin, x - (cos - sin) * size, sin, cos, y - (sin + cos) * size)
        part = part.transform((wanted, wanted), Image.Transform.AFFINE, matrix, _FILTER)
        return np.array(part.resize((size, size), _FILTER))
    box = x - half, y - half, x + half, y + half
    return np.array(part.resize((size, size), _FILTER, box, 3.0))


def _with_edges(image: Image.Image, box: tuple[int, int, int, int]) -> Image.Image:
    """``image.crop(box)`` whose outside repeats the picture's edge."""
    left, top, right, bottom = box
    columns = np.clip(np.arange(left, right), 0, image.width - 1)
    rows = np.clip(np.arange(top, bottom), 0, image.height - 1)
    inside = image.crop((int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1))
    if inside.size == (right - left, bottom - top):
        return inside
    array = np.asarray(inside)
    return Image.fromarray(array[rows - rows[0]][:, columns - columns[0]])


def _moved(point: Point, by: Point, turn: float) -> Point:
    """A point moved (right, down) along axes that are turned clockwise by degrees."""
    cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    return point[0] + cos * by[0] - sin * by[1], point[1] + sin * by[0] + cos * by[1]


def _difference(first: float, second: float) -> float:
    """Angle from one direction to another in degrees, -180 to 180."""
    return (first - second + 180) % 360 - 180
