"""What was found: a map over each of two photographs, and how much each joint of their people counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doppelgram.pose.people import People

GRAD_CAM, OCCLUSION = "grad-cam", "occlusion"
Pixels = NDArray[np.uint8]
Corners = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class SaliencyMap:
    """One photograph, and how much each of its places brings it near the other one.

    Attributes:
        pixels: the upright photograph, perhaps made smaller, uint8 (h, w, 3).
        values: float32 (h, w). By Grad-CAM the part of the similarity that lies there, as a density: the mean over what
            the model is shown is the similarity. By occlusion the growth of the distance where that place is covered.
            Above 0 it brings the photographs together, below 0 it keeps them apart; 0 where the model is shown nothing.
        people: whose joints were looked at, in pixels of ``pixels``.
        joints: float64 (people, 18), by how much the distance of the poses grows if a joint is hidden; NaN where it is
            not known.
        shown: corners (x, y) of the square that the model is shown; empty where it is shown the whole photograph.
    """

    pixels: Pixels
    values: NDArray[np.float32]
    people: People | None = None
    joints: NDArray[np.float64] | None = None
    shown: Corners = ()


@dataclass(frozen=True)
class PairSaliency:
    """Where in two photographs lies what makes them near.

    Attributes:
        a: the first photograph.
        b: the second.
        method: ``grad-cam`` or ``occlusion``.
        similarity: cosine of both embeddings, of which a map by Grad-CAM shows the parts; None by occlusion.
        part: ``place`` where the model compares the pose as well, which `SaliencyMap.joints` are about; else empty.
        pose_pictures: whether the model also looks at a picture of the person, of which there is no map.
    """

    a: SaliencyMap
    b: SaliencyMap
    method: str
    similarity: float | None = None
    part: str = ""
    pose_pictures: bool = False

    @property
    def strengths(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Both maps from 0, nothing or what keeps them apart, to 1, the strongest place of the two; (h, w) each."""
        most = max(float(one.values.max(initial=0.0)) for one in (self.a, self.b))
        a, b = (np.clip(one.values / most if most > 0 else 0 * one.values, 0, 1) for one in (self.a, self.b))
        return a, b


def placed(grid: NDArray[Any], corners: Corners, width: int, height: int) -> NDArray[np.float32]:
    """A map of a square as one of the photograph that the square was cut from, float32 (height, width).

    Between the middles of its cells a map is smoothed by a cubic B-spline, which stays between the values around it.

    Args:
        grid: (rows, columns), evenly spread over the square.
        corners: of the square in pixels (x, y) of the photograph: upper left, upper right, lower right, lower left of
            what the model is shown. They may be turned, and may lie beyond the photograph.
        width: of the photograph in pixels.
        height: in pixels.
    """
    from scipy.ndimage import map_coordinates

    origin, right, _, low = (np.asarray(corner, dtype=np.float64) for corner in corners)
    inverse = np.linalg.inv(np.stack([right - origin, low - origin], axis=1))
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    across, down = np.tensordot(inverse, np.stack([x - origin[0], y - origin[1]]), axes=1)
    rows, columns = grid.shape
    cells = np.stack([down * rows - 0.5, across * columns - 0.5])
    values = map_coordinates(grid.astype(np.float32), cells, order=3, mode="nearest", prefilter=False)
    inside = (across >= 0) & (across <= 1) & (down >= 0) & (down <= 1)
    return np.asarray(values * inside, dtype=np.float32)
