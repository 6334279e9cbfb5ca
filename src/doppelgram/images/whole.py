"""A photograph as it is: upright, whole, and no larger than what looks at it needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from doppelgram.errors import DoppelgramError
from doppelgram.images.framing import Framed

_LEAST, _MOST = 64, 8192


@dataclass(frozen=True)
class WholePhotograph:
    """Frames nothing: the whole upright photograph, made smaller where its long side has more than ``longest`` pixels.

    It stands where a `Framing` does for models that look for people before they look at anything else.

    Attributes:
        longest: long side in pixels, 64 to 8,192.
    """

    longest: int = 1280
    face = ""
    """No face is looked for; kept so that it can be asked like a `Framing`."""

    def __post_init__(self) -> None:
        if isinstance(self.longest, bool) or not isinstance(self.longest, int) or not _LEAST <= self.longest <= _MOST:
            raise DoppelgramError(
                f"a whole photograph's long side must be {_LEAST} to {_MOST} pixels, not {self.longest!r}"
            )

    @property
    def at_least(self) -> int:
        """Short side in pixels that a decoder must deliver: with it no photograph up to 2:1 is enlarged afterwards."""
        return self.longest

    def frame(self, image: Image.Image) -> Framed:
        """The photograph as uint8 (height, width, 3), red first."""
        if image.mode != "RGB":
            image = image.convert("RGB")
        scale = self.longest / max(image.size)
        if scale < 1:
            width, height = (max(1, round(side * scale)) for side in image.size)
            image = image.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=3.0)
        right, low = float(image.width), float(image.height)
        return Framed(np.array(image), ((0.0, 0.0), (right, 0.0), (right, low), (0.0, low)))
