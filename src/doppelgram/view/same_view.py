"""Whether two photographs show the same view: matched points that one movement of the picture explains."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from doppelgram.errors import DoppelgramError
from doppelgram.numbers import percent
from doppelgram.view.points import ViewPoints

ENOUGH = 24
"""From so many matched points on two photographs are said to show the same view; see ``docs/decisions.md``."""

NO_OPENCV = "Matched points need OpenCV; install it: pip install 'doppelgram[view]'"

# Points whose descriptors have a smaller cosine are no match.
_ALIKE = 0.7
# How far, in pixels of a photograph 640 pixels long, a point may lie from where the movement puts it.
_NEAR, _TRIES, _CONFIDENCE = 6.0, 2000, 0.999
# A homography goes through any four matches.
_LEAST = 8


@dataclass(frozen=True)
class SameView:
    """What two photographs show of one view. It proves a repeat of a view, and says nothing where it is silent.

    Attributes:
        matches: how many points were each other's nearest by descriptor.
        places: the matched points: those that one homography explains, as shares of width and height, float32
            (m, 2, 2): x and y in the first photograph, and in the second.
        share: of the picture that the matched points span, in the photograph where it is less, 0 to 1.
    """

    matches: int
    places: NDArray[np.float32]
    share: float

    @property
    def points(self) -> int:
        """How many matched points."""
        return len(self.places)

    @property
    def said(self) -> bool:
        """Whether that is enough to call it the same view."""
        return self.points >= ENOUGH

    @property
    def shown(self) -> int:
        """Matched points as tables have them: 0 where they are too few to say anything."""
        return self.points if self.said else 0


def view_sentence(view: SameView) -> str:
    """What the matched points say, in a sentence."""
    if not view.said:
        return "The view: too few matched points to say anything."
    return f"The same view: {view.points:,} matched points, spread over {percent(view.share, 0)} of the picture."


def nearest_pairs(a: NDArray[np.float32], b: NDArray[np.float32], alike: float = _ALIKE) -> NDArray[np.int64]:
    """Rows that are each other's nearest, int64 (m, 2).

    Args:
        a: unit vectors (n, dim).
        b: unit vectors (k, dim).
        alike: least cosine of a pair.
    """
    if not len(a) or not len(b):
        return np.zeros((0, 2), np.int64)
    cosine = a @ b.T
    to_b, to_a, rows = cosine.argmax(1), cosine.argmax(0), np.arange(len(a))
    kept = (to_a[to_b] == rows) & (cosine[rows, to_b] >= alike)
    return np.column_stack([rows[kept], to_b[kept]])


def moved_together(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of the matched points, in pixels (m, 2) each, one homography explains, bool (m,), by MAGSAC.

    The answer is the same each time.

    Raises:
        DoppelgramError: OpenCV is not installed.
    """
    try:
        import cv2
    except ImportError:
        raise DoppelgramError(NO_OPENCV) from None
    if len(a) < _LEAST:
        return np.zeros(len(a), dtype=bool)
    homography, kept = cv2.findHomography(
        a, b, method=cv2.USAC_MAGSAC, ransacReprojThreshold=_NEAR, maxIters=_TRIES, confidence=_CONFIDENCE
    )
    if homography is None or kept.sum() < _LEAST:
        return np.zeros(len(a), dtype=bool)
    return np.asarray(kept[:, 0] > 0)


def same_view(a: ViewPoints, b: ViewPoints) -> SameView:
    """Compare the points of two photographs, from which those on people were left out.

    Raises:
        DoppelgramError: OpenCV is not installed.
    """
    pairs = nearest_pairs(a.units, b.units)
    kept = pairs[moved_together(a.pixels[pairs[:, 0]], b.pixels[pairs[:, 1]])]
    places = np.stack([a.places[kept[:, 0]], b.places[kept[:, 1]]], axis=1)
    return SameView(len(pairs), places, min(_span(places[:, 0]), _span(places[:, 1])))


def _span(places: NDArray[np.float32]) -> float:
    """Area of the hull of points, in the units of their numbers squared."""
    if len(places) < 3:
        return 0.0
    import cv2

    return float(cv2.contourArea(cv2.convexHull(np.ascontiguousarray(places))))
