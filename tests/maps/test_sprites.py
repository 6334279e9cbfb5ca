import io

import numpy as np
import pytest
from PIL import Image

from doppelgram.maps.projector import sprite_side
from doppelgram.maps.sprites import empty, join_sheets, lay_out, make_sheets, side_for, square


def tiles(count: int, side: int, seed: int = 0) -> list[np.ndarray]:
    colours = np.random.default_rng(seed).integers(0, 256, (count, 3))
    return [np.full((side, side, 3), colour, np.uint8) for colour in colours]


@pytest.mark.parametrize("count", [1, 31, 33, 1024, 1025])
def test_pictures_come_back_in_order(count: int) -> None:
    wanted = tiles(count, 16)
    sheets = make_sheets(iter(wanted), 16)
    assert sheets.count == count
    assert len(sheets.jpegs) == (count + 1023) // 1024
    got = list(sheets.tiles())
    assert len(got) == count
    # JPEG changes a plain colour by little, and no block holds two pictures.
    assert max(np.abs(a.astype(int) - b).max() for a, b in zip(got, wanted, strict=True)) < 12


def test_joined_sheets_have_the_first_ones_size() -> None:
    both = join_sheets(make_sheets(tiles(40, 32), 32), make_sheets(tiles(5, 16, 1), 16))
    got = list(both.tiles())
    assert (both.side, both.count, len(got)) == (32, 45, 45)
    for found, wanted in zip(got[40:], tiles(5, 16, 1), strict=True):
        assert np.abs(found.mean(axis=(0, 1)) - wanted[0, 0]).max() < 8


def test_a_picture_keeps_its_shape() -> None:
    wide = Image.new("RGB", (400, 100), (200, 0, 0))
    tile = square(wide, 48).astype(int)
    red = np.abs(tile - [200, 0, 0]).max(axis=2) < 3
    assert red.any(axis=1).sum() == 12
    assert red.any(axis=0).all()
    assert square(Image.new("L", (3, 500)), 48).shape == empty(48).shape == (48, 48, 3)


def test_a_page_stays_small_enough() -> None:
    sides = [side_for(count) for count in (10, 2_500, 2_501, 9_228, 12_001, 100_000)]
    assert sides == sorted(sides, reverse=True)
    assert side_for(9_228) == 48
    assert all(side % 16 == 0 for side in sides)


def test_layout_and_the_projectors_limit() -> None:
    page = lay_out(tiles(5, 4), 4, 3)
    assert page.shape == (8, 12, 3)
    assert (page[4:, 8:] == 255).all()
    assert (page[4:, 4:8] == tiles(5, 4)[4]).all()
    for count in (1, 28_900, 28_901, 1_000_000):
        columns = int(np.ceil(np.sqrt(count)))
        assert sprite_side(count, 48) * columns <= 8192
    assert sprite_side(28_900, 48) == 48
    assert io.BytesIO(make_sheets(tiles(1, 16), 16).jpegs[0]).read(2) == b"\xff\xd8"
