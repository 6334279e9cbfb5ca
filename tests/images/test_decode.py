"""Decoding one file."""

import io
import warnings
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from doppelgram.errors import DoppelgramError
from doppelgram.images.decode import BrokenImage, MissingImage, decode, open_image, pixel_cap, read_exif
from helpers.image_files import bomb, encode, photo, png_header

LOSSLESS = {"PNG": {}, "TIFF": {}, "WEBP": {"lossless": True}}


def pixels(data: bytes) -> np.ndarray:
    image = decode(data)
    assert image.mode == "RGB"
    return np.asarray(image).astype(int)


def displayed(stored: np.ndarray, orientation: int) -> np.ndarray:
    """Place pixel by pixel what the EXIF table says: which side of the scene row 0 and column 0 are."""
    row0 = ["top", "top", "bottom", "bottom", "left", "right", "right", "left"][orientation - 1]
    column0 = ["left", "right", "right", "left", "top", "top", "bottom", "bottom"][orientation - 1]
    height, width = stored.shape[:2]
    shape = (height, width) if orientation <= 4 else (width, height)
    scene = np.zeros((*shape, 3), dtype=stored.dtype)
    for row in range(height):
        for column in range(width):
            place = {}
            for side, index, count in ((row0, row, height), (column0, column, width)):
                axis = 0 if side in ("top", "bottom") else 1
                place[axis] = index if side in ("top", "left") else count - 1 - index
            scene[place[0], place[1]] = stored[row, column]
    return scene


@pytest.mark.parametrize("format", LOSSLESS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_lossless(format: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = photo(7, 5)
    data = encode(image, format, exif=exif, **LOSSLESS[format])
    np.testing.assert_array_equal(pixels(data), displayed(np.asarray(image), orientation))


@pytest.mark.parametrize("at_least", [None, 30])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_jpeg(orientation: int, at_least: int | None) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encode(photo(128, 64), "JPEG", exif=exif)
    stored = Image.open(io.BytesIO(data))
    if at_least:
        stored.draft(None, (at_least, at_least))
        assert stored.size == (64, 32)
    upright = decode(data, at_least=at_least)
    np.testing.assert_array_equal(np.asarray(upright), displayed(np.asarray(stored), orientation))
    assert not upright.info, "metadata left behind would turn the image a second time"


def test_damaged_exif_keeps_the_image() -> None:
    data = encode(photo(20, 10), "PNG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff garbage")
    assert pixels(data).shape == (10, 20, 3)


def test_sixteen_bit_grey_is_scaled_not_clipped() -> None:
    values = np.linspace(0, 65535, 64 * 32).reshape(32, 64).astype(np.uint16)
    expected = np.rint(values / 257).astype(int)
    for format in ("PNG", "TIFF", "PPM"):
        for channel in range(3):
            np.testing.assert_array_equal(pixels(encode(Image.fromarray(values), format))[:, :, channel], expected)


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_grey_of_a_sensor_has_its_own_white(bits: int) -> None:
    white = 2**bits - 1
    values = np.linspace(0, white, 64 * 32).reshape(32, 64).astype(np.uint16)
    np.testing.assert_array_equal(
        pixels(encode(Image.fromarray(values), "PNG"))[:, :, 0], np.floor(values / white * 255 + 0.5)
    )


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"quality": 50, "subsampling": 0}])
def test_a_jpeg_without_its_end(options: dict[str, object]) -> None:
    whole = encode(photo(120, 90, 3), "JPEG", **options)
    for missing in (1, 2):
        np.testing.assert_array_equal(pixels(whole[:-missing]), pixels(whole))
    with pytest.raises(BrokenImage, match="truncated"):
        decode(whole[:-200])


def test_heif_upright_with_its_camera_s_time(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8769)[0x9003] = "2019:12:20 04:27:27"
    pillow_heif.from_pillow(photo(64, 48, 3)).save(tmp_path / "a.heic", quality=95, exif=exif.tobytes())
    image = open_image(tmp_path / "a.heic")
    assert image.size == (48, 64)
    turned = np.asarray(photo(64, 48, 3).transpose(Image.Transpose.ROTATE_270)).astype(int)
    assert np.abs(np.asarray(image).astype(int) - turned).mean() < 12
    assert read_exif(tmp_path / "a.heic")[0x9003] == "2019:12:20 04:27:27"
    with pytest.raises(BrokenImage):
        decode((tmp_path / "a.heic").read_bytes()[:-300])


@pytest.mark.parametrize("values", [[[-5.0, 0.0, 5.0]], [[0.0, 0.5, 1.0]]])
def test_float_and_wide_integers_are_stretched(values: list[list[float]]) -> None:
    array = np.array(values)
    for stored in (array.astype(np.float32), (array * 1_000_000).astype(np.int32)):
        black, middle, white = pixels(encode(Image.fromarray(stored), "TIFF"))[0, :, 0]
        assert (black, white) == (0, 255)
        assert middle in (127, 128)


def test_float_without_range_or_numbers() -> None:
    flat = np.array([[np.nan, 3.0], [np.inf, 3.0]], dtype=np.float32)
    assert pixels(encode(Image.fromarray(flat), "TIFF")).shape == (2, 2, 3)


def test_one_bit_and_grey() -> None:
    bits = np.array([[0, 255], [255, 0]], dtype=np.uint8)
    for image in (Image.fromarray(bits), Image.fromarray(bits).convert("1")):
        np.testing.assert_array_equal(pixels(encode(image, "PNG")), np.repeat(bits[:, :, None], 3, axis=2))


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_lies_over_white(mode: str) -> None:
    image = photo(9, 6).convert(mode)
    alpha = np.linspace(0, 255, 54).reshape(6, 9).astype(np.uint8)
    image.putalpha(Image.fromarray(alpha))
    opaque = np.asarray(image.convert("RGBA")).astype(float)[:, :, :3]
    share = alpha[:, :, None] / 255
    expected = opaque * share + 255 * (1 - share)
    assert np.abs(pixels(encode(image, "PNG")) - expected).max() <= 1


def test_transparent_palette_and_colour_key() -> None:
    palette = Image.new("P", (2, 1))
    palette.putpalette([10, 20, 30, 200, 100, 50])
    palette.putpixel((1, 0), 1)
    for format in ("PNG", "GIF"):
        data = encode(palette, format, transparency=0)
        assert pixels(data).tolist() == [[[255, 255, 255], [200, 100, 50]]]
        assert pixels(encode(palette, format)).tolist() == [[[10, 20, 30], [200, 100, 50]]]
    keyed = Image.new("RGB", (2, 1), (1, 2, 3))
    keyed.putpixel((1, 0), (9, 9, 9))
    assert pixels(encode(keyed, "PNG", transparency=(1, 2, 3))).tolist() == [[[255, 255, 255], [9, 9, 9]]]


@pytest.mark.parametrize("format", ["JPEG", "TIFF"])
def test_cmyk_has_its_colours(format: str) -> None:
    # Adobe's JPEGs hold inverted values, TIFF does not: the negative of the image would be far off.
    image = Image.new("RGB", (32, 32), (200, 60, 30))
    assert np.abs(pixels(encode(image.convert("CMYK"), format)) - np.array([200, 60, 30])).max() <= 4


@pytest.mark.parametrize(("format", "options"), [("GIF", {}), ("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {})])
def test_first_frame_of_an_animation(format: str, options: dict[str, object]) -> None:
    frames = [Image.new("RGB", (16, 12), colour) for colour in ("red", "lime", "blue")]
    data = encode(frames[0], format, save_all=True, append_images=frames[1:], **options)
    assert (pixels(data) == [255, 0, 0]).all()


def test_draft_never_goes_below_what_is_needed() -> None:
    image = photo(800, 600)
    data = encode(image, "JPEG")
    assert decode(data).size == (800, 600)
    assert decode(data, at_least=75).size == (100, 75)
    assert decode(data, at_least=76).size == (200, 150)
    assert decode(data, at_least=2000).size == (800, 600)
    assert decode(encode(image, "PNG"), at_least=75).size == (800, 600)


def test_bomb_is_refused_by_its_header() -> None:
    cap = f"{pixel_cap():,}"
    reason = f"20000 x 20000 pixels is more than the cap of {cap}"
    assert len(bomb()) < 500_000
    # The second has no pixels to decode at all: whoever tried would complain about the data.
    for data in (bomb(), png_header(20_000, 20_000, b"rubbish")):
        with pytest.raises(BrokenImage) as caught:
            decode(data)
        assert caught.value.reason == reason


def test_bomb_warning_of_pillow_as_an_error() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with pytest.raises(BrokenImage, match="10000 x 10000 pixels"):
            decode(png_header(10_000, 10_000, b"rubbish"))


def test_cap_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encode(photo(40, 30), "JPEG")
    monkeypatch.setenv("DOPPELGRAM_MAX_PIXELS", "1200")
    assert pixel_cap() == 1200
    assert decode(data).size == (40, 30)
    monkeypatch.setenv("DOPPELGRAM_MAX_PIXELS", "1199")
    with pytest.raises(BrokenImage, match="40 x 30 pixels is more than the cap of 1,199"):
        # What counts is the size declared, not the smaller one that a draft would give.
        decode(data, at_least=8)
    # Larger than Pillow's limit: Pillow still refuses, and the message names the limit that held.
    monkeypatch.setenv("DOPPELGRAM_MAX_PIXELS", "900000000")
    with pytest.raises(BrokenImage, match="cap of 178,956,970"):
        decode(bomb())
    for value in ("0", "-3", "many", "1.5"):
        monkeypatch.setenv("DOPPELGRAM_MAX_PIXELS", value)
        with pytest.raises(DoppelgramError, match="DOPPELGRAM_MAX_PIXELS"):
            pixel_cap()


def test_cap_bounds_and_pillow_left_alone() -> None:
    before = Image.MAX_IMAGE_PIXELS
    assert 16_000_000 <= pixel_cap() < 200_000_000
    with pytest.raises(BrokenImage):
        decode(bomb())
    assert before == Image.MAX_IMAGE_PIXELS


def test_formats_that_run_programs_are_not_opened() -> None:
    eps = encode(photo(20, 20), "EPS")
    assert Image.open(io.BytesIO(eps)).format == "EPS"
    with pytest.raises(BrokenImage, match="not an image"):
        decode(eps)


ENCODED = {
    name: encode(photo(48, 36), name, **options)
    for name, options in {"JPEG": {}, "PNG": {}, "GIF": {}, "WEBP": {}, "TIFF": {}, "BMP": {}, "PPM": {}}.items()
} | {
    "progressive": encode(photo(48, 36), "JPEG", progressive=True, exif=Image.Exif()),
    "lzw": encode(photo(48, 36), "TIFF", compression="tiff_lzw"),
}


@pytest.mark.parametrize("name", ENCODED)
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_truncated(name: str, share: float) -> None:
    data = ENCODED[name]
    with pytest.raises(BrokenImage, match="truncated"):
        decode(data[: int(len(data) * share)])


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(sorted(ENCODED)), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=6), st.data()
)
def test_damage_gives_an_image_or_broken_image(
    name: str, changes: list[tuple[float, int]], data: st.DataObject
) -> None:
    damaged = bytearray(ENCODED[name])
    for share, value in changes:
        # Half of the damage goes to the first hundred bytes, where the structure is.
        span = min(100, len(damaged)) if value % 2 else len(damaged)
        damaged[min(int(share * span), span - 1)] = value
    end = data.draw(st.integers(0, len(damaged)))
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")
        patch.setenv("DOPPELGRAM_MAX_PIXELS", "1000000")
        for candidate in (bytes(damaged), bytes(damaged[:end])):
            try:
                image = decode(candidate, at_least=10)
            except BrokenImage as error:
                reason = error.reason
            else:
                reason = "none"
                assert image.mode == "RGB"
                assert min(image.size) >= 1
            assert reason
            assert "\n" not in reason


def test_open_image_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a\nb.jpg"
    with pytest.raises(MissingImage, match=r"a\\nb\.jpg"):
        open_image(path)
    path.write_bytes(b"")
    with pytest.raises(BrokenImage, match=r"a\\nb\.jpg.*0 bytes") as caught:
        open_image(path)
    assert caught.value.reason == "0 bytes"
    path.write_bytes(encode(photo(20, 10), "PNG"))
    assert open_image(path).size == (20, 10)
    with pytest.raises(BrokenImage, match="folder"):
        open_image(tmp_path)


def test_a_sparse_giant_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "giant.jpg"
    with path.open("wb") as file:
        file.truncate(40 * 1024**3)
    with pytest.raises(BrokenImage, match="too many"):
        open_image(path)
