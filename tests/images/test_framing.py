"""From an upright image to a square."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from doppelgram.errors import DoppelgramError
from doppelgram.images.decode import decode
from doppelgram.images.framing import RESIZES, Framing
from helpers.image_files import encode, photo


def difference(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a.astype(int) - b.astype(int)).mean())


@pytest.mark.parametrize("resize", RESIZES)
def test_crop_cuts_the_middle_pixel_for_pixel(resize: str) -> None:
    image = photo(33, 20)
    array = np.asarray(image)
    np.testing.assert_array_equal(Framing(8, 8, resize).apply(image), array[6:14, 12:20])
    # A crop larger than the image takes the largest centred square.
    np.testing.assert_array_equal(Framing(20, 999, resize).apply(image), array[:, 6:26])


def test_nothing_from_outside_the_crop_shines_through() -> None:
    framed = np.zeros((250, 250, 3), dtype=np.uint8)
    framed[50:200, 50:200] = 200
    for size in (16, 64, 224):
        assert (Framing(size, 150).apply(Image.fromarray(framed)) == 200).all()


def test_squash_keeps_the_whole_image() -> None:
    halves = np.zeros((10, 40, 3), dtype=np.uint8)
    halves[:, 20:] = 255
    framed = Framing(16).apply(Image.fromarray(halves))
    assert framed.shape == (16, 16, 3)
    assert framed.dtype == np.uint8
    assert (framed[:, :7] == 0).all()
    assert (framed[:, 9:] == 255).all()


def test_cover_loses_the_ends() -> None:
    stripes = np.zeros((20, 60, 3), dtype=np.uint8)
    stripes[:, 15:45] = 200
    image = Image.fromarray(stripes)
    for turned in (image, image.transpose(Image.Transpose.ROTATE_90)):
        assert (Framing(10, resize="cover").apply(turned) == 200).all()


def test_cover_keeps_the_middle_in_the_middle() -> None:
    image = photo(400, 301)
    mirrored = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    framing = Framing(32, resize="cover")
    assert np.abs(framing.apply(image)[:, ::-1].astype(int) - framing.apply(mirrored)).max() <= 2


def test_letterbox_keeps_proportions_and_adds_grey() -> None:
    red = Image.new("RGB", (40, 20), (255, 0, 0))
    framed = Framing(16, resize="letterbox").apply(red)
    assert (framed[4:12] == [255, 0, 0]).all()
    assert (framed[:4] == 128).all()
    assert (framed[12:] == 128).all()
    upright = Framing(16, resize="letterbox").apply(red.transpose(Image.Transpose.ROTATE_90))
    np.testing.assert_array_equal(upright, framed.transpose(1, 0, 2))


def test_reduction_is_antialiased() -> None:
    # A fine checkerboard must become even grey; picking single pixels would give black or white.
    board = (np.indices((256, 256)).sum(axis=0) % 2 * 255).astype(np.uint8)
    framed = Framing(16).apply(Image.fromarray(board))
    assert np.abs(framed.astype(int) - 128).max() <= 3


@settings(max_examples=80, deadline=None)
@given(
    st.integers(1, 300),
    st.integers(1, 300),
    st.integers(1, 64),
    st.one_of(st.none(), st.integers(1, 400)),
    st.sampled_from(RESIZES),
)
def test_every_proportion(width: int, height: int, size: int, crop: int | None, resize: str) -> None:
    framed = Framing(size, crop, resize).apply(Image.new("RGB", (width, height), (10, 20, 30)))
    assert framed.shape == (size, size, 3)
    if resize != "letterbox" or crop is not None:
        assert (framed == [10, 20, 30]).all()


@pytest.mark.parametrize("size", [(30000, 1), (1, 30000)])
@pytest.mark.parametrize("resize", RESIZES)
def test_a_thread_of_pixels(size: tuple[int, int], resize: str) -> None:
    assert Framing(64, None, resize).apply(Image.new("RGB", size)).shape == (64, 64, 3)


@pytest.mark.parametrize("resize", RESIZES)
@pytest.mark.parametrize(("width", "height"), [(1600, 1200), (700, 1000), (257, 390)])
def test_draft_is_close_to_the_full_decode(width: int, height: int, resize: str) -> None:
    data = encode(photo(width, height), "JPEG", quality=90)
    framing = Framing(64, resize=resize)
    drafted = decode(data, at_least=framing.at_least)
    assert drafted.width < width, "no draft took place"
    small, full = framing.apply(drafted), framing.apply(decode(data))
    assert difference(small, full) < 1.2
    assert np.abs(small.astype(int) - full.astype(int)).max() <= 16


def test_a_crop_asks_for_the_original() -> None:
    assert Framing(64, 150).at_least is None
    assert Framing(64).at_least == 128


@pytest.mark.parametrize("framing", [Framing(64), Framing(224, 150, "cover"), Framing(1, 1, "letterbox")])
def test_dict_and_back(framing: Framing) -> None:
    assert Framing.from_dict(json.loads(json.dumps(framing.to_dict()))) == framing


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"size": 64, "crop": None}, "resize"),
        ({"crop": None, "resize": "squash"}, "size"),
        ({"size": 64, "crop": None, "resize": "squash", "colour": 1}, "colour"),
        ({"size": 0, "crop": None, "resize": "squash"}, "size"),
        ({"size": "64", "crop": None, "resize": "squash"}, "size"),
        ({"size": True, "crop": None, "resize": "squash"}, "size"),
        ({"size": 64, "crop": 1.5, "resize": "squash"}, "crop"),
        ({"size": 64, "crop": None, "resize": "stretch"}, "resize"),
        ({"size": 64, "crop": None, "resize": ["squash"]}, "resize"),
    ],
)
def test_bad_values_are_named(values: dict[str, object], key: str) -> None:
    with pytest.raises(DoppelgramError, match=key):
        Framing.from_dict(values)


def test_a_framing_without_a_face_is_written_as_before() -> None:
    assert Framing(64).to_dict() == {"size": 64, "crop": None, "resize": "squash"}
    assert Framing.from_dict({"size": 64, "crop": None, "resize": "squash"}) == Framing(64)
    cut = Framing(64, 140, "squash", "opencv")
    assert cut.to_dict()["face"] == "opencv"
    assert Framing.from_dict(json.loads(json.dumps(cut.to_dict()))) == cut
    assert cut.at_least is None
    with pytest.raises(DoppelgramError, match=r"face must be one of opencv, mediapipe.*'eyes'"):
        Framing(64, face="eyes")


def test_without_a_face_a_large_photograph_gives_as_large_a_share() -> None:
    pytest.importorskip("cv2")
    shares = {}
    for width, height in ((250, 250), (1000, 750), (120, 200)):
        framed = Framing(16, 150, face="opencv").frame(Image.new("RGB", (width, height), (60, 90, 60)))
        assert framed.faces == 0
        (left, top), _, (right, bottom), _ = framed.region
        assert (left + right, top + bottom) == (width, height)
        shares[width, height] = (right - left) / min(width, height)
    assert shares == {(250, 250): 0.6, (1000, 750): 0.6, (120, 200): 1.0}


@pytest.mark.parametrize("resize", RESIZES)
def test_without_a_face_the_middle_is_taken(resize: str) -> None:
    pytest.importorskip("cv2")
    image = photo(90, 60)
    framed = Framing(24, 40, resize, "opencv").frame(image)
    assert framed.faces == 0
    np.testing.assert_array_equal(framed.pixels, Framing(24, 40).apply(image))
    whole = Framing(24, None, resize, "opencv").frame(image)
    np.testing.assert_array_equal(whole.pixels, Framing(24, 60).apply(image))
    assert whole.region == ((15, 0), (75, 0), (75, 60), (15, 60))


def test_what_is_shown_lies_where_it_says() -> None:
    image = photo(90, 60)
    assert Framing(8).frame(image).region == ((0, 0), (90, 0), (90, 60), (0, 60))
    assert Framing(8, resize="letterbox").frame(image).region == ((0, 0), (90, 0), (90, 60), (0, 60))
    assert Framing(8, resize="cover").frame(image).region == ((15, 0), (75, 0), (75, 60), (15, 60))
    assert Framing(8, 20).frame(image).region == ((35, 20), (55, 20), (55, 40), (35, 40))
    assert Framing(8).frame(image).faces is None
