"""Geometry of a face's cut: compared with arithmetic that is done otherwise, and with Pillow."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from doppelgram.images.faces.face import Cut, Face, cut_of, largest, render, uprightness
from helpers.image_files import photo

BOX = (100.0, 50.0, 80.0, 80.0)


def difference(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a.astype(int) - b.astype(int)).mean())


def test_the_largest_face_is_taken() -> None:
    small, large = Face((0, 0, 10, 10), 99.0), Face((50, 50, 40, 40), 1.0)
    assert largest([small, large]) == large == largest([large, small])
    assert largest([]) is None
    sure = Face((5, 5, 40, 40), 2.0)
    assert largest([large, sure]) == sure == largest([sure, large])


def test_eyes_say_how_a_face_is_turned_unless_they_are_not_credible() -> None:
    assert uprightness(Face(BOX, 1, None, 24.0)) == 24.0
    assert uprightness(Face(BOX, 1, ((110, 80), (150, 80)))) == 0
    # y points down: the eye at the right lies lower, so the face is turned clockwise.
    assert uprightness(Face(BOX, 1, ((110, 80), (150, 90)))) == pytest.approx(math.degrees(math.atan(0.25)))
    assert uprightness(Face(BOX, 1, ((110, 80), (120, 120)))) == 0
    assert uprightness(Face(BOX, 1, ((110, 80), (120, 120)), 60.0)) == pytest.approx(math.degrees(math.atan2(4, 1)))
    # Upside down, the eye at the left of the upright face is at the right of the picture.
    assert uprightness(Face(BOX, 1, ((150, 80), (110, 80)), 180.0)) == pytest.approx(180)


def test_a_cut_scales_with_the_crop_that_a_model_was_trained_on() -> None:
    face = Face(BOX, 1.0)
    assert cut_of(face, 1.5) == Cut((140.0, 90.0), 120.0, 0.0)
    assert cut_of(face, 1.5, crop=75).side == 60
    assert cut_of(face, 1.5, (0.0, -0.25)).centre == (140.0, 70.0)
    # "Up" is the face's own: turned clockwise by a quarter, it points to the picture's right.
    aside = cut_of(Face(BOX, 1.0, None, 90.0), 1.5, (0.0, -0.25)).centre
    assert aside == pytest.approx((160.0, 90.0))


def test_corners_begin_at_the_upper_left_of_what_is_cut() -> None:
    assert Cut((50, 40), 20).corners() == ((40, 30), (60, 30), (60, 50), (40, 50))
    quarter = np.array(Cut((50, 40), 20, 90).corners())
    np.testing.assert_allclose(quarter, [(60, 30), (60, 50), (40, 50), (40, 30)])


def test_an_upright_cut_is_what_pillow_cuts() -> None:
    image = photo(300, 200)
    expected = image.crop((110, 60, 190, 140)).resize((40, 40), Image.Resampling.BICUBIC)
    cut = render(image, Cut((150, 100), 80), 40)
    assert cut.shape == (40, 40, 3)
    assert cut.dtype == np.uint8
    # Within, the filters are the same; at the border one of them sees a little more of the picture.
    assert difference(cut[2:-2, 2:-2], np.asarray(expected)[2:-2, 2:-2]) < 0.5
    assert difference(cut, np.asarray(expected)) < 2


@pytest.mark.parametrize("turn", [90, 180, -90])
@pytest.mark.parametrize("size", [20, 64])
def test_a_turned_cut_turns_the_picture_back(turn: int, size: int) -> None:
    image = photo(160, 160)
    quarters = image.rotate(-turn, expand=True)
    # The centre (60, 90), turned clockwise about (80, 80) with the picture.
    angle = math.radians(turn)
    x, y = -20 * math.cos(angle) - 10 * math.sin(angle), -20 * math.sin(angle) + 10 * math.cos(angle)
    upright = render(image, Cut((60, 90), 80), size)
    back = render(quarters, Cut((80 + x, 80 + y), 80, turn), size)
    assert difference(upright, back) < 2.5
    assert difference(upright[::-1], back) > 10


def test_a_slightly_turned_cut_agrees_with_turning_the_whole_picture() -> None:
    image = photo(400, 400)
    whole = image.rotate(20, Image.Resampling.BICUBIC)  # counter-clockwise, about the centre
    expected = np.asarray(whole.crop((120, 120, 280, 280)).resize((64, 64), Image.Resampling.BICUBIC))
    assert difference(render(image, Cut((200, 200), 160, 20), 64), expected) < 2.5
    assert difference(render(image, Cut((200, 200), 160, -20), 64), expected) > 5


@pytest.mark.parametrize("turn", [0.0, 30.0])
def test_beyond_the_picture_its_edge_is_repeated(turn: float) -> None:
    image = Image.new("RGB", (60, 60), (200, 30, 30))
    assert (render(image, Cut((0, 60), 100, turn), 32) == (200, 30, 30)).all()
    halves = np.zeros((60, 60, 3), dtype=np.uint8)
    halves[:, 30:] = 255
    shown = render(Image.fromarray(halves), Cut((60, 30), 120), 40)
    assert (shown[:, :9] == 0).all()
    assert (shown[:, 11:] == 255).all()


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(st.integers(1, 120), st.integers(1, 120)),
    st.tuples(st.floats(-60, 180), st.floats(-60, 180)),
    st.floats(0.5, 300),
    st.floats(-180, 180),
    st.integers(1, 48),
)
def test_every_cut_has_its_size(
    picture: tuple[int, int], centre: tuple[float, float], side: float, turn: float, size: int
) -> None:
    shown = render(Image.new("RGB", picture, (10, 20, 30)), Cut(centre, side, turn), size)
    assert shown.shape == (size, size, 3)
    assert (shown == (10, 20, 30)).all()


def test_reduction_of_a_turned_cut_is_antialiased() -> None:
    board = (np.indices((256, 256)).sum(axis=0) % 2 * 255).astype(np.uint8)
    image = Image.fromarray(board).convert("RGB")
    shown = render(image, Cut((128, 128), 160, 30), 16)
    assert np.abs(shown.astype(int) - 128).max() <= 6
