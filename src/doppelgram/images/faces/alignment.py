"""A face turned, scaled and moved so that eyes, nose and mouth lie where a network expects them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from doppelgram.images.faces.dlib import Aligned
from doppelgram.images.faces.face import Cut, Pixels, render

ARCFACE_SIDE = 112
ARCFACE = np.array([[80.3, 51.9], [66.5, 52.7], [31.5, 52.8], [45.2, 52.9], [56.6, 80.0]])
"""Where dlib's five points, the outer and the inner corner of either eye and the base of the nose, lie in a face of
112 x 112 as the networks of J. Deng et al., "ArcFace", 2019, expect it, in pixels (x, y).

These networks were trained on faces aligned by the centres of the eyes, the tip of the nose and the corners of the
mouth, at (38.3, 51.7), (73.5, 51.5), (56.0, 71.7), (41.5, 92.4) and (70.7, 92.2). The medians here were measured on 157
faces of LFW that had been aligned by those, found by dlib's predictor of 68 points, whose licence excludes commercial
use. Aligned by the five points here, those lie 1.0 pixels further across and 1.3 further down on average.
"""


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


def five_point_chip(rgb: Pixels, points: NDArray[np.float64]) -> Aligned:
    """A face aligned by dlib's five points, (5, 2), to `ARCFACE`: uint8 (112, 112, 3)."""
    (cos, _, x), (sin, _, y) = similarity(points, ARCFACE)
    turn = complex(cos, sin)
    # What is cut is the square that the transformation brings to the picture.
    centre = complex(ARCFACE_SIDE / 2 - x, ARCFACE_SIDE / 2 - y) / turn
    cut = Cut((centre.real, centre.imag), ARCFACE_SIDE / abs(turn), -math.degrees(math.atan2(sin, cos)))
    return Aligned(render(Image.fromarray(rgb), cut, ARCFACE_SIDE), cut)
