"""A face turned, scaled and moved so that eyes, nose and mouth lie where a network expects them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from doppelgram.errors import DoppelgramError
from doppelgram.images.faces.dlib import Aligned
from doppelgram.images.faces.face import Cut, Pixels, render

ARCFACE = np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]])
"""Where the networks of J. Deng et al., "ArcFace", 2019, expect eyes, tip of the nose and corners of the mouth, in
pixels (x, y) of a picture of 112 x 112."""
_SIDE = 112


def five_points(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Eyes, tip of the nose and corners of the mouth, (5, 2), of 68 points in the order of the iBUG annotation.

    Raises:
        DoppelgramError: these are not 68 points.
    """
    if points.shape != (68, 2):
        raise DoppelgramError(f"this alignment needs the 68 points of a face, not {len(points)}; give the other file")
    return np.stack([points[36:42].mean(axis=0), points[42:48].mean(axis=0), points[30], points[48], points[54]])


def similarity(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """The turn, scaling and move (2, 3) that brings points (n, 2) nearest to others, by least squares.

    S. Umeyama, "Least-squares estimation of transformation parameters between two point patterns", 1991; in the plane,
    and without mirroring, it is the complex number ``a`` of ``a (s - mean s) = t - mean t``.
    """
    own, other = (points[:, 0] + 1j * points[:, 1] for points in (source, target))
    centred = own - own.mean()
    factor = complex(np.vdot(centred, other - other.mean()) / np.vdot(centred, centred))
    move = complex(other.mean() - factor * own.mean())
    return np.array([[factor.real, -factor.imag, move.real], [factor.imag, factor.real, move.imag]])


def five_point_chip(rgb: Pixels, points: NDArray[np.float64], size: int) -> Aligned:
    """A face aligned by its 68 points to `ARCFACE`, uint8 (size, size, 3)."""
    (cos, _, x), (sin, _, y) = similarity(five_points(points), ARCFACE * size / _SIDE)
    scale = math.hypot(cos, sin)
    # The cut is the square that the transformation brings to the picture: its centre is where the middle comes from.
    middle = (size / 2 - x) + 1j * (size / 2 - y)
    centre = middle / complex(cos, sin)
    cut = Cut((centre.real, centre.imag), size / scale, -math.degrees(math.atan2(sin, cos)))
    return Aligned(render(Image.fromarray(rgb), cut, size), cut)
