"""Faces by dlib: its detector, the points of a face, and the upright picture that a descriptor looks at.

The detector is a sliding window over histograms of oriented gradients (N. Dalal and B. Triggs, 2005; D. King,
"Max-margin object detection", 2015); the points come from an ensemble of regression trees (V. Kazemi and J. Sullivan,
2014).
"""

from __future__ import annotations

import math
import threading
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from doppelgram.errors import DoppelgramError
from doppelgram.images.faces.face import Cut, Face, Pixels

# Long side at which a photograph is searched. A face has to be 80 pixels large, so that one counts from 1/6 of the long
# side on; searched again, from 1/20 on.
_COARSE, _FINE = 500, 1600
# Cropped faces reach over the detector's window: the picture is continued on every side by this share of its long side.
_MARGIN, _WITH_MARGIN = 0.35, 640
# How sure the detector has to be: its own default.
_SURE = 0.0
# Boxes whose centres are nearer than this share of the larger one's side are the same face.
_SAME = 0.5
# From this share of the largest side on a face counts as about as large: the detector knows sizes in steps of a fifth.
_AS_LARGE = 0.8

_CHIP_PADDING = 0.25


def import_dlib() -> Any:
    """The package; raises DoppelgramError with what to install where it is not there."""
    try:
        import dlib
    except ImportError:
        raise DoppelgramError(
            "finding faces needs dlib, which is not installed; install it with: pip install 'doppelgram[faces]'"
        ) from None
    return dlib


class Aligned(NamedTuple):
    """A face as a descriptor sees it.

    Attributes:
        pixels: uint8 (size, size, 3), red first.
        cut: where they lie in the picture.
    """

    pixels: Pixels
    cut: Cut


class DlibFaces:
    """Finds faces and their points; one object may be used by several threads at a time.

    Args:
        landmarks: file of dlib's predictor of five points of a face: corners of the eyes and base of the nose.

    Raises:
        DoppelgramError: dlib is not installed, or the file is none of its shape predictors.
    """

    def __init__(self, landmarks: Path) -> None:
        self._dlib, self.landmarks = import_dlib(), landmarks
        self._of_thread = threading.local()
        self._predictor()

    def detect(self, image: Image.Image, *, small: bool = False) -> list[Face]:
        """Find upright faces, the largest first, of about equally large ones the one nearest the middle.

        Args:
            image: RGB.
            small: whether small faces are wanted beside larger ones; otherwise they are searched for only where there
                is none larger.
        """
        found = self._windows(image, _COARSE)
        if max(image.size) > _COARSE and (small or not found):
            found = _separate([*found, *self._windows(image, _FINE)])
        if not found:
            found = self._windows(image, _WITH_MARGIN, _MARGIN)
        middle = image.width / 2, image.height / 2
        found.sort(key=lambda face: (-face.side, face.box))
        rivals = [face for face in found if face.side >= _AS_LARGE * found[0].side]
        return sorted(found, key=lambda face: face is not min(rivals, key=lambda face: math.dist(face.centre, middle)))

    def points(self, rgb: Pixels, face: Face) -> NDArray[np.float64]:
        """The five points of a face as (5, 2) pixels (x, y): outer and inner corner of either eye, base of the nose."""
        parts = self._shape(rgb, face).parts()
        return np.array([(point.x, point.y) for point in parts], dtype=np.float64)

    def chip(self, rgb: Pixels, face: Face, size: int = 150) -> Aligned:
        """The upright face with the margin that dlib's descriptor was trained with."""
        details = self._dlib.get_face_chip_details(self._shape(rgb, face), size, _CHIP_PADDING)
        rect = details.rect
        middle = (rect.left() + rect.right()) / 2, (rect.top() + rect.bottom()) / 2
        cut = Cut(middle, rect.width(), float(np.degrees(details.angle)))
        return Aligned(np.asarray(self._dlib.extract_image_chip(rgb, details)), cut)

    def _shape(self, rgb: Pixels, face: Face) -> Any:
        left, top, width, height = (round(value) for value in face.box)
        return self._predictor()(rgb, self._dlib.rectangle(left, top, left + width - 1, top + height - 1))

    def _windows(self, image: Image.Image, longest: int, margin: float = 0.0) -> list[Face]:
        """Faces in the picture brought to a long side, before that continued on every side; in its own pixels."""
        around = round(max(image.size) * margin)
        if around:
            image = Image.fromarray(
                np.pad(np.asarray(image), ((around, around), (around, around), (0, 0)), mode="edge")
            )
        scale = longest / max(image.size)
        size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
        boxes, scores, _ = self._detector().run(np.asarray(image.resize(size, Image.Resampling.BICUBIC)), 0, _SURE)
        return [
            Face(
                (box.left() / scale - around, box.top() / scale - around, box.width() / scale, box.height() / scale),
                float(score),
            )
            for box, score in zip(boxes, scores, strict=True)
        ]

    def _detector(self) -> Any:
        """A detector of this thread's own: it keeps what it computes."""
        if not hasattr(self._of_thread, "detector"):
            self._of_thread.detector = self._dlib.get_frontal_face_detector()
        return self._of_thread.detector

    def _predictor(self) -> Any:
        if not hasattr(self, "_loaded"):
            try:
                self._loaded = self._dlib.shape_predictor(str(self.landmarks))
            except RuntimeError:
                raise DoppelgramError(f"{self.landmarks}: is no file of face landmarks that dlib can read") from None
        return self._loaded


def _separate(faces: list[Face]) -> list[Face]:
    """Of those that lie on one another the first."""
    kept: list[Face] = []
    for face in faces:
        if not any(math.dist(face.centre, other.centre) < _SAME * max(face.side, other.side) for other in kept):
            kept.append(face)
    return kept
