"""Rendered views for tests of matched points: two places, and the same photograph taken from elsewhere."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from doppelgram.errors import DoppelgramError
from doppelgram.samples.posts import render_posts
from doppelgram.view.points import XFeat, open_xfeat


@pytest.fixture(scope="session")
def xfeat() -> XFeat:
    """The real network; without the package that carries its weights the test is left out, and says so."""
    try:
        return open_xfeat()
    except DoppelgramError as problem:
        pytest.skip(f"NOT TESTED: {problem}")


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Image.Image, Image.Image]:
    """Bare photographs of two rendered places, 320 pixels a side, in which nothing is so red as to be masked."""
    world = render_posts(tmp_path_factory.mktemp("views") / "posts", posts=2, places=2, poses=1, size=320)
    first = sorted(world.glob("*/_zz/*.jpg"))
    places = {file.parent.parent.name: file for file in first}
    one, two = (
        Image.fromarray(np.asarray(Image.open(file).convert("RGB")) // np.array([2, 1, 1], np.uint8))
        for file in places.values()
    )
    return one, two


HOMOGRAPHY = np.array([[1.06, 0.05, -14.0], [-0.03, 1.04, -6.0], [1.2e-4, 5e-5, 1.0]])
"""A little nearer, further to the side, turned: in pixels of a photograph of 320 by 320."""


def taken_from_elsewhere(image: Image.Image) -> Image.Image:
    """The photograph as `HOMOGRAPHY` moves its points, a little darker."""
    pixels: NDArray[np.uint8] = np.asarray(image)
    moved = cv2.warpPerspective(pixels, HOMOGRAPHY, image.size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT)
    return Image.fromarray(np.asarray(moved * 0.85, dtype=np.uint8))


def moved(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where `HOMOGRAPHY` moves points in pixels (n, 2), one by one."""
    ends = [HOMOGRAPHY @ (x, y, 1.0) for x, y in points]
    return np.array([end[:2] / end[2] for end in ends])


def saved(image: Image.Image, file: Path) -> Path:
    """The file, after it was written."""
    image.save(file)
    return file
