"""Faces by the Haar cascades that come inside OpenCV up to version 4.

P. Viola and M. Jones, "Robust real-time face detection", 2004; cascades by R. Lienhart (faces, tree of eyes) and
D. Bradley (profiles).
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from doppelgram.errors import DoppelgramError
from doppelgram.images.faces.face import Face, Pixels, Point

# Long side of the picture that is searched. With the smallest face below, a face counts from 1/12 of it on.
_LARGEST, _SMALLEST = 480, 240
_SMALLEST_FACE, _FEWEST_PIXELS = 1 / 12, 24
# A larger photograph in which there is none is searched once more at this size, for faces from 1/30 of it on.
_LARGEST_AGAIN, _SMALLEST_FACE_AGAIN = 960, 1 / 30
_STEP = 1.1

# How many windows have to agree. On LFW 99 % of the faces reach 5 and 97 % reach 12 (scale step 1.1); of landscapes
# and traffic signs 1 to 2 % reach 5 and none 8.
_ENOUGH, _SURE = 5, 12
_ENOUGH_TURNED, _ENOUGH_QUARTER, _ENOUGH_SMALL = 6, 8, 8
# Windows that fewer agree on than this share of the best one's are no further faces.
_BESIDE_BEST = 0.2

# The frontal cascade still finds faces tilted by 15 degrees or so.
_TILTS = (-24.0, 24.0)
_QUARTERS = (90.0, -90.0, 180.0)

# Side to which a face is scaled for its eyes to be searched.
_FACE_FOR_EYES = 120


class HaarDetector:
    """Frontal faces, tilted ones, profiles, and faces of photographs that lie on their side; nothing is random.

    Only the first of these is tried where it is sure. A turned face is taken if it is found better than any upright
    one. Where nothing was found profiles are tried, then, of a large photograph, small frontal faces, then quarter
    turns.
    """

    name = "opencv"
    widening = 1.31
    offset: Point = (0.0, 0.0)

    def __init__(self) -> None:
        """Find the cascades.

        Raises:
            DoppelgramError: OpenCV is not installed, or is a version without them.
        """
        try:
            import cv2
        except ImportError:
            raise DoppelgramError(
                "cutting out faces needs OpenCV; install it with: pip install 'doppelgram[face]'"
            ) from None
        folder = getattr(getattr(cv2, "data", None), "haarcascades", "")
        if not hasattr(cv2, "CascadeClassifier") or not folder:
            raise DoppelgramError(
                f"OpenCV {cv2.__version__} brings no face detector; install one that does with: "
                "pip install 'doppelgram[face]'"
            )
        # The images are spread over threads already.
        cv2.setNumThreads(1)
        self._cv2: Any = cv2
        self._folder = Path(folder)
        self._of_thread = threading.local()

    def detect(self, rgb: Pixels) -> list[Face]:
        """See `FaceDetector`."""
        height, width = rgb.shape[:2]
        longest = max(height, width)
        grey = Image.fromarray(rgb).convert("L")
        scale = min(1.0, _LARGEST / longest) if longest >= _SMALLEST else _SMALLEST / longest
        even = self._even(grey, scale)
        found = self._search(even)
        if not found and longest >= _LARGEST_AGAIN:
            larger = self._even(grey, _LARGEST_AGAIN / longest)
            found = self._windows(larger, "frontalface_alt2", 0.0, _ENOUGH_SMALL, _SMALLEST_FACE_AGAIN)
            even = larger if found else even
        # At last, a photograph may lie on its side or stand on its head.
        found = found or self._turned_faces(even, _QUARTERS, _ENOUGH_QUARTER, [])
        faces = [self._with_eyes(even, face) for face in _separate(found)]
        return [self._scaled(face, width / even.shape[1], height / even.shape[0]) for face in faces]

    def _even(self, grey: Image.Image, scale: float) -> Pixels:
        """A grey picture scaled, its contrast evened out place by place, for faces against the light."""
        size = max(1, round(grey.width * scale)), max(1, round(grey.height * scale))
        if size != grey.size:
            grey = grey.resize(size, Image.Resampling.BICUBIC, reducing_gap=3.0)
        return np.asarray(self._cv2.createCLAHE(2.0, (8, 8)).apply(np.asarray(grey)))

    def _search(self, grey: Pixels) -> list[Face]:
        """Frontal faces, tilted ones or profiles."""
        best = self._windows(grey, "frontalface_alt2", 0.0, _ENOUGH)
        if _best(best) < _SURE:
            best = self._turned_faces(grey, _TILTS, _ENOUGH_TURNED, best)
        if not best:
            left = self._windows(grey, "profileface", 0.0, _ENOUGH)
            mirrored = np.ascontiguousarray(grey[:, ::-1])
            right = [
                Face((grey.shape[1] - face.box[0] - face.box[2], *face.box[1:]), face.score)
                for face in self._windows(mirrored, "profileface", 0.0, _ENOUGH)
            ]
            best = [*left, *right]
        return best

    def _turned_faces(self, grey: Pixels, turns: Sequence[float], enough: int, best: list[Face]) -> list[Face]:
        """The frontal faces of whichever turn shows them best, or ``best``, if none is better."""
        for turn in turns:
            turned = self._windows(grey, "frontalface_alt2", turn, enough)
            if _best(turned) > _best(best):
                best = turned
        return best

    def _windows(
        self, grey: Pixels, cascade: str, turn: float, enough: int, smallest: float = _SMALLEST_FACE
    ) -> list[Face]:
        """Faces that a cascade finds in a picture that is turned back by ``turn`` degrees."""
        turned, back = self._turned(grey, turn)
        least = max(_FEWEST_PIXELS, round(max(grey.shape) * smallest))
        boxes, agreeing = self._cascade(cascade).detectMultiScale2(turned, _STEP, enough, minSize=(least, least))
        faces = []
        for (left, top, width, height), count in zip(np.reshape(boxes, (-1, 4)).tolist(), agreeing, strict=True):
            x, y = _at(back, (left + width / 2, top + height / 2))
            if 0 <= x < grey.shape[1] and 0 <= y < grey.shape[0]:
                box = x - width / 2, y - height / 2, float(width), float(height)
                faces.append(Face(box, float(count), None, turn))
        return faces

    def _turned(self, grey: Pixels, turn: float) -> tuple[Pixels, Any]:
        """The picture turned counter-clockwise on a canvas that holds all of it, and the matrix (2, 3) back."""
        cv2 = self._cv2
        if not turn:
            return grey, np.eye(2, 3)
        height, width = grey.shape
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn, 1.0)
        cos, sin = abs(math.cos(math.radians(turn))), abs(math.sin(math.radians(turn)))
        size = round(width * cos + height * sin), round(width * sin + height * cos)
        matrix[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
        turned = cv2.warpAffine(grey, matrix, size, flags=cv2.INTER_LINEAR, borderValue=128)
        return turned, cv2.invertAffineTransform(matrix)

    def _with_eyes(self, grey: Pixels, face: Face) -> Face:
        """The face with its eyes, if there are two that can be a pair."""
        # A patch of the upright face, without its lower part, where mouths and collars pass for eyes.
        scale = _FACE_FOR_EYES / face.side
        x, y = face.centre
        half = _FACE_FOR_EYES / 2
        matrix = self._cv2.getRotationMatrix2D((x, y), face.turn, scale)
        matrix[:, 2] += half - x, half - y
        patch = self._cv2.warpAffine(
            grey,
            matrix,
            (_FACE_FOR_EYES, round(0.62 * _FACE_FOR_EYES)),
            flags=self._cv2.INTER_LINEAR,
            borderMode=self._cv2.BORDER_REPLICATE,
        )
        back = self._cv2.invertAffineTransform(matrix)
        for cascade in ("eye_tree_eyeglasses", "eye"):
            boxes, agreeing = self._cascade(cascade).detectMultiScale2(
                patch, 1.05, 3, minSize=(_FACE_FOR_EYES // 8,) * 2, maxSize=(_FACE_FOR_EYES // 2,) * 2
            )
            pair = _pair(np.reshape(boxes, (-1, 4)) / _FACE_FOR_EYES, np.ravel(agreeing))
            if pair is not None:
                left, right = (_at(back, (_FACE_FOR_EYES * across, _FACE_FOR_EYES * down)) for across, down in pair)
                return Face(face.box, face.score, (left, right), face.turn)
        return face

    def _cascade(self, name: str) -> Any:
        """A classifier of this thread's own: it keeps the picture that it works on."""
        own: dict[str, Any] = self._of_thread.__dict__.setdefault("cascades", {})
        if name not in own:
            file = self._folder / f"haarcascade_{name}.xml"
            own[name] = self._cv2.CascadeClassifier(str(file))
            if own[name].empty():
                raise DoppelgramError(f"{file}: OpenCV cannot read its face detector; install OpenCV again")
        return own[name]

    @staticmethod
    def _scaled(face: Face, across: float, down: float) -> Face:
        left, top, width, height = face.box
        eyes = None
        if face.eyes is not None:
            (ax, ay), (bx, by) = face.eyes
            eyes = (ax * across, ay * down), (bx * across, by * down)
        return Face((left * across, top * down, width * across, height * down), face.score, eyes, face.turn)


def _at(matrix: Any, point: Point) -> Point:
    x, y = matrix @ (*point, 1)
    return float(x), float(y)


def _best(faces: list[Face]) -> float:
    return max((face.score for face in faces), default=0.0)


def _separate(faces: list[Face]) -> list[Face]:
    """The credible ones, and of those that lie on one another the surest."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda face: (-face.score, -face.side, face.box)):
        near = (math.dist(face.centre, other.centre) < max(face.side, other.side) / 2 for other in kept)
        if face.score >= _BESIDE_BEST * _best(faces) and not any(near):
            kept.append(face)
    return kept


def _pair(boxes: Any, agreeing: Any) -> tuple[Point, Point] | None:
    """The surest two of some boxes (n, 4) that can be eyes, as centres; all in units of the face's side.

    The limits are generous ones around what LFW shows: eyes at 0.3 and 0.7 across and 0.37 down.
    """
    best: tuple[float, Point, Point] | None = None
    eyes = [((box[0] + box[2] / 2, box[1] + box[3] / 2), box[2], n) for box, n in zip(boxes, agreeing, strict=True)]
    for left, left_side, left_count in eyes:
        for right, right_side, right_count in eyes:
            apart, steep = right[0] - left[0], abs(right[1] - left[1])
            credible = (
                0.15 <= left[0] <= 0.5 <= right[0] <= 0.85
                and 0.28 <= apart <= 0.55
                and steep <= 0.4 * apart
                and all(0.22 <= eye[1] <= 0.54 for eye in (left, right))
                and max(left_side, right_side) <= 1.7 * min(left_side, right_side)
            )
            sure = float(min(left_count, right_count))
            if credible and (best is None or sure > best[0]):
                best = sure, (float(left[0]), float(left[1])), (float(right[0]), float(right[1]))
    return None if best is None else best[1:]
