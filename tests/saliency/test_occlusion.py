"""Occlusion beside a loop over patches and pixels."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from doppelgram.saliency.occlusion import CELLS, PATCHES, both_occluded, covered_by, occlusion_map
from helpers.progress import RecordingProgress

WEIGHTS = np.random.default_rng(1).normal(size=(40, 30, 3))


def measured(pictures: list[NDArray[np.uint8]]) -> NDArray[np.float64]:
    """A made-up distance to which every pixel adds."""
    return np.array([float((picture / 255 * WEIGHTS).sum()) for picture in pictures])


def naive(picture: NDArray[np.uint8], hidden: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Mean growth over all patches of 8 by 6 pixels that cover a pixel, pixel by pixel."""
    growth = np.zeros((40, 30, 2))
    for top in range(0, 33, 4):
        for left in range(0, 25, 3):
            covered = picture.copy()
            for y in range(top, top + 8):
                for x in range(left, left + 6):
                    covered[y, x] = hidden[y, x]
            more = float(measured([covered])[0] - measured([picture])[0])
            for y in range(top, top + 8):
                for x in range(left, left + 6):
                    growth[y, x] += more, 1
    return growth[..., 0] / growth[..., 1]


@pytest.mark.parametrize("cover", ["blur", "mean"])
def test_it_is_a_loop_over_patches(cover: str) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8)
    steps: list[int] = []
    found = occlusion_map(picture, measured, cover=cover, advance=steps.append)
    expected = naive(picture, covered_by(picture, cover))
    assert found.shape == (CELLS, CELLS)
    np.testing.assert_allclose(np.kron(found, np.ones((4, 3))), expected, atol=1e-9)
    assert sum(steps) == PATCHES == 81


def test_covers() -> None:
    picture = np.zeros((20, 20, 3), np.uint8)
    picture[::2] = 200
    assert (covered_by(picture, "mean") == 100).all()
    blurred = covered_by(picture, "blur").astype(int)
    assert np.ptp(blurred[5:15]) < 60


def test_a_bar_for_both() -> None:
    progress = RecordingProgress()
    picture = np.zeros((40, 30, 3), np.uint8)
    both_occluded([picture, picture], [measured, measured], progress)
    assert progress.bars == [("covering parts of both photographs", 162, 162)]


def test_only_what_is_shared_counts() -> None:
    """Two pictures are as far apart as their upper left quarters: covering anything else changes nothing."""
    rng = np.random.default_rng(0)
    quarter = slice(0, 20), slice(0, 20)
    a, b = (rng.integers(0, 256, (40, 40, 3), dtype=np.uint8) for _ in range(2))
    b[quarter] = a[quarter]
    found = occlusion_map(
        a, lambda pictures: np.array([np.abs(one[quarter].astype(float) - b[quarter]).mean() for one in pictures])
    )
    assert found[:6, :6].min() > 0
    assert not found[6:].any()
    assert not found[:, 6:].any()
    assert found[:5, :5].sum() > 0.85 * found.sum()
