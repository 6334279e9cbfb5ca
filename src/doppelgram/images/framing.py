"""From an upright image of any size to a square of pixels."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from doppelgram.errors import DoppelgramError
from doppelgram.images.faces.detectors import DETECTORS, face_detector
from doppelgram.images.faces.face import LFW_SIDE, FaceBox, cut_of, largest, render

RESIZES = ("squash", "cover", "letterbox")

# Bicubic, which Pillow widens to an antialiasing filter when it shrinks: what the pretrained backbones were
# trained behind, and without the ringing of Lanczos at hard edges. With a reducing gap of 3 a large image is
# first averaged over whole blocks of pixels; that is up to twice as fast and differs by 0.3 of 255 on average
# (a gap of 2 by 0.8).
_FILTER = Image.Resampling.BICUBIC
_REDUCING_GAP = 3.0

_SMALLEST_DECODED = 128

# The bars of a letterbox: the middle of the range, so that after normalisation they are close to "no signal".
_BARS = (128, 128, 128)


@dataclass(frozen=True)
class Framed:
    """A framed image.

    Attributes:
        pixels: uint8 (size, size, 3), red first.
        region: corners (x, y) of what is shown, in pixels of the upright image: upper left, upper right, lower right,
            lower left of the result.
        faces: how many faces were found; None where none were looked for.
        face: which of them is shown, for framings by which each face of a photograph can be shown.
        others: the other faces that are wanted, for such framings.
    """

    pixels: NDArray[np.uint8]
    region: tuple[tuple[float, float], ...]
    faces: int | None = None
    face: FaceBox | None = None
    others: tuple["Framed", ...] = ()


@dataclass(frozen=True)
class Framing:
    """How an image is cut and resized to ``size`` x ``size`` pixels.

    Attributes:
        size: side of the result in pixels.
        crop: side in pixels of a centred square that is cut from the upright original first; an image whose
            short side is smaller gives its largest centred square. None cuts nothing. With ``face`` it says how
            widely a face is cut out: as much around it as a centred square of that many pixels shows of a
            deep-funneled LFW image, None counting as `STANDARD_CROP`.
        resize: what becomes of an image that is not square: ``squash`` changes its proportions, ``cover`` keeps
            them and loses the ends of the long side, ``letterbox`` keeps everything and adds grey bars.
        face: name of the face detector with which the largest face is cut out, upright; empty for none. Where it
            finds no face the middle is taken: of an image of LFW's size the square of ``crop``, of a larger one the
            same share, and without ``crop`` the largest square.

    Raises:
        DoppelgramError: a field has a value that makes no sense; the sentence names it.
    """

    size: int
    crop: int | None = None
    resize: str = "squash"
    face: str = ""

    def __post_init__(self) -> None:
        """Refuse values that make no sense."""
        if not _is_count(self.size):
            raise DoppelgramError(f"framing: size must be a whole number of pixels from 1 up, not {self.size!r}.")
        if self.crop is not None and not _is_count(self.crop):
            raise DoppelgramError(
                f"framing: crop must be a whole number of pixels from 1 up, or left out, not {self.crop!r}."
            )
        if self.resize not in RESIZES:
            raise DoppelgramError(f"framing: resize must be one of {', '.join(RESIZES)}, not {self.resize!r}.")
        if self.face and self.face not in DETECTORS:
            raise DoppelgramError(
                f"framing: face must be one of {', '.join(DETECTORS)}, or left out, not {self.face!r}."
            )

    @property
    def at_least(self) -> int | None:
        """Short side in pixels that a decoder must deliver, None when it has to be the original.

        Twice the side of the result: a JPEG decoder that scales down does it with a plain box filter, and what
        follows has to be the better filter for the result to stay close to that of the full image. ``crop``
        counts pixels of the original, so it needs the original, and a face may be a small part of it. Never fewer
        than a catalog's thumbnail needs, so that the pixels are the same with and without one.
        """
        return None if self.crop is not None or self.face else max(2 * self.size, _SMALLEST_DECODED)

    def apply(self, image: Image.Image) -> NDArray[np.uint8]:
        """Return ``image``, which is upright, as a (size, size, 3) array of uint8, red first.

        Raises:
            DoppelgramError: the package of the face detector is not installed.
        """
        return self.frame(image).pixels

    def frame(self, image: Image.Image) -> Framed:
        """Return what `apply` does, with where it lies in ``image`` and how many faces were found."""
        if image.mode != "RGB":
            image = image.convert("RGB")
        faces = None
        if self.face:
            detector = face_detector(self.face)
            found = detector.detect(np.array(image))
            taken = largest(found)
            if taken is not None:
                cut = cut_of(taken, detector.widening, detector.offset, self.crop)
                return Framed(render(image, cut, self.size), cut.corners(), len(found))
            faces = 0
        box: tuple[float, float, float, float] | None = None
        region: tuple[float, float, float, float] = (0, 0, *image.size)
        if self.crop is not None or self.face:
            # Cut out first, not given to resize() as a box: the filter would reach over its edge and mix in what
            # was to be left out.
            square = _centred_square(image.size, self._middle(min(image.size)))
            region, image = square, image.crop(square)
        elif self.resize == "cover":
            # Here a box is right: what lies beyond is part of the scene, and its edges need not fall on whole
            # pixels, so that the middle stays the middle for an image that was scaled down while decoding.
            margin_x, margin_y = ((side - min(image.size)) / 2 for side in image.size)
            region = box = (margin_x, margin_y, image.width - margin_x, image.height - margin_y)
        elif self.resize == "letterbox":
            return Framed(self._letterbox(image), _corners(region))
        pixels = np.array(image.resize((self.size, self.size), _FILTER, box, _REDUCING_GAP))
        return Framed(pixels, _corners(region), faces)

    def _middle(self, short: int) -> int:
        """Side of the square that is cut from the middle of an image with that short side."""
        if self.crop is None:
            return short
        # Where a face was looked for, the image is somebody's photograph of any size, and so many pixels of one of
        # twelve million would be a button of a coat.
        return max(self.crop, round(self.crop / LFW_SIDE * short)) if self.face else self.crop

    def _letterbox(self, image: Image.Image) -> NDArray[np.uint8]:
        scale = self.size / max(image.size)
        width, height = (max(1, round(side * scale)) for side in image.size)
        canvas = Image.new("RGB", (self.size, self.size), _BARS)
        small = image.resize((width, height), _FILTER, reducing_gap=_REDUCING_GAP)
        canvas.paste(small, ((self.size - width) // 2, (self.size - height) // 2))
        return np.array(canvas)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain JSON-ready values; ``face`` only if it is not empty."""
        # Without the key it is what it was before there was one, and so are the fingerprints made of it.
        return {key: value for key, value in asdict(self).items() if key != "face" or value}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Framing":
        """Rebuild a framing from ``to_dict``'s result.

        Every key but ``face`` has to be there: a saved model that silently fell back to another framing would be wrong
        without a sign of it.

        Raises:
            DoppelgramError: an unknown or missing key, or a value that makes no sense; the sentence names it.
        """
        known = [field.name for field in fields(cls)]
        for key in values:
            if key not in known:
                raise DoppelgramError(f"framing: unknown key {key!r}; the keys are {', '.join(known)}.")
        for key in (field.name for field in fields(cls) if field.name != "face"):
            if key not in values:
                raise DoppelgramError(f"framing: the key {key!r} is missing.")
        return cls(**values)


def _corners(box: tuple[float, float, float, float]) -> tuple[tuple[float, float], ...]:
    left, top, right, bottom = box
    return (left, top), (right, top), (right, bottom), (left, bottom)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _centred_square(size: tuple[int, int], side: int) -> tuple[int, int, int, int]:
    side = min(side, *size)
    left, top = (size[0] - side) // 2, (size[1] - side) // 2
    return left, top, left + side, top + side
