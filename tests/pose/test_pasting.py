from __future__ import annotations

from pathlib import Path

import numpy as np

from doppelgram.images.read import Want, read_all
from doppelgram.images.whole import WholePhotograph
from doppelgram.pose.extras import MASK, MaskExtra
from doppelgram.pose.pasting import CutOut, cut_outs, with_people
from doppelgram.pose.segmenter import DeepLab
from helpers.tiny_networks import draw_people


def test_the_largest_outline_is_cut_out(deeplab_file: Path) -> None:
    pixels = draw_people(200, 120, [(60.0, 60.0, 60.0), (170.0, 30.0, 20.0)])
    want = Want(WholePhotograph(640), extras={MASK: MaskExtra(DeepLab(deeplab_file), None)})
    nobody = np.full((50, 60, 3), 90, np.uint8)
    found = cut_outs(read_all([pixels, nobody], want))
    assert len(found) == 1
    person = found[0].pixels
    assert person.shape[2] == 4
    # Outlines come from a coarse mask: a few pixels more or less.
    assert abs(person.shape[0] - 60) <= 8
    assert abs(person.shape[1] - 60) <= 8
    inside = person[20:40, 20:40]
    assert (inside[:, :, 3] == 255).all()
    assert (inside[:, :, 0] > 128).all()


def test_people_stand_before_the_photographs() -> None:
    person = CutOut(np.dstack([np.full((40, 16, 3), 255, np.uint8), np.full((40, 16), 255, np.uint8)]))
    pixels = np.zeros((60, 64, 64, 3), np.uint8)
    found = with_people(pixels, [person], np.random.default_rng(0))
    covered = (found > 128).mean((1, 2, 3))
    assert not pixels.any()
    assert 0.05 < (covered == 0).mean() < 0.4  # some stay as they are
    assert covered.max() < 0.7
    assert found[:, 32:].mean() > 1.5 * found[:, :32].mean()  # they stand below
    again = with_people(pixels, [person], np.random.default_rng(0))
    assert np.array_equal(found, again)


def test_what_is_transparent_stays_behind() -> None:
    ghost = CutOut(np.dstack([np.full((20, 20, 3), 255, np.uint8), np.zeros((20, 20), np.uint8)]))
    assert not with_people(np.zeros((5, 32, 32, 3), np.uint8), [ghost], np.random.default_rng(1)).any()
