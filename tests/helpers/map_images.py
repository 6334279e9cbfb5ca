from collections.abc import Callable

import numpy as np
import pytest

from doppelgram.maps.atlas import Images
from doppelgram.maps.sprites import make_sheets

MakeImages = Callable[..., Images]


def _make_images(n: int = 60, classes: int = 3, seed: int = 0, divided: bool = True, side: int = 32) -> Images:
    rng = np.random.default_rng(seed)
    codes = np.arange(n) % classes
    centres = np.random.default_rng(99).normal(size=(classes, 6))
    vectors = (centres[codes] + rng.normal(scale=0.4, size=(n, 6))).astype(np.float32)
    labels = np.array([f"kind {code}" for code in codes])
    parts = np.array(["train", "train", "val", "test", "train"])[rng.permutation(n) % 5] if divided else np.full(n, "")
    tiles = [np.full((side, side, 3), (80 * code, 255 - 80 * code, 60), np.uint8) for code in codes]
    names = [f"kind {code}/{row}.jpg" for row, code in enumerate(codes)]
    return Images(vectors, labels, parts, names, [f"{seed}-{row}" for row in range(n)], make_sheets(tiles, side))


@pytest.fixture(scope="session")
def make_images() -> MakeImages:
    """Embedded images in clusters, with plain tiles in the colour of their class."""
    return _make_images
