"""From a photograph to its faces: each found, turned upright, and cut to what a descriptor of faces was trained on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from doppelgram.errors import DoppelgramError
from doppelgram.images.faces.alignment import five_point_chip
from doppelgram.images.faces.dlib import Aligned, DlibFaces
from doppelgram.images.faces.face import Face, FaceBox, NoFace, Pixels
from doppelgram.images.framing import Framed

LARGEST, ALL = "largest", "all"
ALIGNMENTS = ("dlib", "arcface")


@dataclass(frozen=True)
class FaceFraming:
    """Shows the faces of a photograph, found and aligned by dlib; it stands where a `Framing` does.

    Attributes:
        landmarks: file of dlib's predictor of five points.
        alignment: ``dlib``, 150 x 150 with the margin of dlib's descriptor; ``arcface``, 112 x 112 with eyes, nose and
            corners of the mouth where networks of the ArcFace kind expect them.
        which: ``largest``; ``all``; or the number of one face as text, ``1`` being the largest.
    """

    landmarks: Path
    alignment: str = "dlib"
    which: str = LARGEST
    face = ""
    """No detector of `Framing` is used; kept so that it can be asked like one."""

    at_least = 1200
    """Short side in pixels that a decoder must deliver: the smallest face that is looked for then has 60 pixels."""

    def __post_init__(self) -> None:
        if self.which not in (LARGEST, ALL) and not (self.which.isdecimal() and int(self.which) >= 1):
            raise DoppelgramError(f"which face is '{self.which}'; it is {LARGEST}, {ALL} or a number from 1 up")

    def frame(self, image: Image.Image) -> Framed:
        """The face that is wanted, with the others where all are.

        Raises:
            NoFace: it is not there.
            DoppelgramError: dlib is not installed, or cannot read the landmarks' file.
        """
        if image.mode != "RGB":
            image = image.convert("RGB")
        finder = _finder(self.landmarks)
        faces = finder.detect(image, small=self.which != LARGEST)
        if not faces:
            raise NoFace("no face was found in it")
        number = int(self.which) if self.which.isdecimal() else 1
        if number > len(faces):
            raise NoFace(f"it has no face {number}; {len(faces)} found")
        rgb = np.asarray(image)
        wanted = range(1, len(faces) + 1) if self.which == ALL else [number]
        first, *others = [self._framed(finder, rgb, faces, number) for number in wanted]
        return replace(first, others=tuple(others))

    def _framed(self, finder: DlibFaces, rgb: Pixels, faces: list[Face], number: int) -> Framed:
        face = faces[number - 1]
        aligned = self._aligned(finder, rgb, face)
        height, width = rgb.shape[:2]
        left, top, across, down = face.box
        box = left / width, top / height, across / width, down / height
        # Whoever asked for one face by its number, or for all, need not be told that there were several.
        several = len(faces) if self.which == LARGEST else None
        return Framed(aligned.pixels, aligned.cut.corners(), several, FaceBox(number, len(faces), box))

    def _aligned(self, finder: DlibFaces, rgb: Pixels, face: Face) -> Aligned:
        return finder.chip(rgb, face) if self.alignment == "dlib" else five_point_chip(rgb, finder.points(rgb, face))


@cache
def _finder(landmarks: Path) -> DlibFaces:
    return DlibFaces(landmarks)
