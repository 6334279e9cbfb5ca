"""What estimators that take one photograph at a time have in common."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from doppelgram.images.ordered import in_order
from doppelgram.pose.estimators.views import DETAIL
from doppelgram.pose.people import People


class EachPhotograph:
    """Looks at photographs side by side, each in no more detail than is of use.

    Attributes:
        workers: how many photographs are looked at side by side; None: one a processor.
    """

    workers: int | None = None

    def estimate(self, images: Sequence[NDArray[np.uint8]]) -> list[People]:
        """People of upright RGB photographs, uint8 (h, w, 3) each."""
        if len(images) == 1:
            return [self._people(images[0])]
        return list(in_order(self._people, images, self.workers))

    def _people(self, rgb: NDArray[np.uint8]) -> People:
        image = Image.fromarray(rgb)
        width, height = image.size
        image.thumbnail((DETAIL, DETAIL), Image.Resampling.BILINEAR, reducing_gap=2.0)
        return self._found(image).scaled(width, height)

    def _found(self, image: Image.Image) -> People:
        """The people in one photograph, in its own pixels."""
        raise NotImplementedError
