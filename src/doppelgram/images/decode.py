"""One file's bytes to an upright RGB image, whatever the file holds."""

import os
import stat
import threading
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image, UnidentifiedImageError

from doppelgram.errors import DoppelgramError
from doppelgram.images.memory import available_memory
from doppelgram.images.modes import to_rgb

# Raster formats that Pillow decodes itself, and HEIF, which pillow-heif does. Everything else stays out: EPS starts
# Ghostscript, WMF asks the operating system to draw, and the plug-ins for rare formats are seldom attacked and seldom
# mended.
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF", "BMP", "PPM", "HEIF")

# Twice Pillow's MAX_IMAGE_PIXELS, where Pillow itself refuses an image. A larger cap could only be had by changing
# that setting for the whole program.
_UPPER_CAP = 178_956_970
_LOWER_CAP = 16_000_000
OUT_OF_MEMORY = "not enough memory to decode it"
_CAP_VARIABLE = "DOPPELGRAM_MAX_PIXELS"

# The most a decoded pixel takes at once: the file's own mode, RGBA, the white ground and the upright copy.
_BYTES_PER_PIXEL = 16

# Larger images are decoded one at a time, so that the peak does not grow with the number of threads.
_LARGE = 32_000_000
_large_images = threading.Lock()
# Pillow reads an image that was only opened so far when it is needed, and one image only in one thread at a time. An
# image has always the same of these locks; others seldom have it too.
_opened_images = tuple(threading.Lock() for _ in range(61))

_JPEG_END = b"\xff\xd9"
_ORIENTATION_TAG, _EXIF_IFD = 0x0112, 0x8769
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = (5, 6, 7, 8)


class BrokenImage(DoppelgramError):
    """A file that is there but gives no image; ``reason`` says why in a few words."""

    def __init__(self, reason: str, path: str | os.PathLike[str] | None = None) -> None:
        """Take the ``reason`` and, where it is known, the ``path`` of the file."""
        self.reason = reason
        super().__init__(f"{'the image' if path is None else repr(os.fspath(path))} cannot be read: {reason}.")


class MissingImage(DoppelgramError):
    """There is no file of that name."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Take the ``path`` that leads nowhere."""
        super().__init__(f"{os.fspath(path)!r} does not exist.")


def pixel_cap() -> int:
    """Return the largest number of pixels that a file may declare.

    It is what fits into a quarter of the memory that was available at the first call, between 16 million and
    Pillow's own limit of 178,956,970 pixels. The environment variable ``DOPPELGRAM_MAX_PIXELS`` replaces it,
    though nothing lifts Pillow's limit.

    Raises:
        DoppelgramError: the environment variable is not a whole number from 1 up.
    """
    text = os.environ.get(_CAP_VARIABLE, "").strip()
    if not text:
        return _cap_from_memory()
    if not (text.isascii() and text.isdigit()) or int(text) < 1:
        raise DoppelgramError(f"{_CAP_VARIABLE} must be a whole number of pixels from 1 up, not {text!r}.")
    return int(text)


@cache
def _cap_from_memory() -> int:
    # Read once: the same file must not be fine early in a run and too large later.
    return min(_UPPER_CAP, max(_LOWER_CAP, available_memory() // 4 // _BYTES_PER_PIXEL))


def decode(data: bytes, *, at_least: int | None = None) -> Image.Image:
    """Decode the first frame of an image file to an upright image in RGB.

    Transparent parts show white, grey of more than 8 bits is scaled to 8, and what the EXIF orientation asks for is
    done, so the result carries no metadata. Colour profiles are not applied.

    Args:
        data: all bytes of the file; the formats are those of ``FORMATS``, found by content, not by name.
        at_least: short side in pixels that is enough. A JPEG with more than twice that is decoded at a half,
            a quarter or an eighth of its size, never below ``at_least``, which is several times faster.

    Raises:
        BrokenImage: no image comes out of it: empty, not an image, cut off, damaged, more pixels than
            ``pixel_cap`` (which is seen in the header, before anything is decoded) or out of memory.
    """
    return decode_sized(data, at_least=at_least)[0]


def decode_sized(data: bytes, *, at_least: int | None = None) -> tuple[Image.Image, tuple[int, int]]:
    """What `decode` returns, and width and height of the whole upright image, however small it was decoded."""
    if not data:
        raise BrokenImage("0 bytes")
    try:
        return _decoded(data, at_least)
    except BrokenImage as problem:
        if problem.reason == "truncated" and _lacks_end_only(data):
            return _decoded(data + _JPEG_END, at_least)
        raise


def _decoded(data: bytes, at_least: int | None) -> tuple[Image.Image, tuple[int, int]]:
    cap = pixel_cap()
    try:
        image = Image.open(BytesIO(data), formats=_formats())
        if image.width * image.height > cap:
            raise BrokenImage(_too_many(image.size, cap))
        width, height = image.size
        if at_least is not None:
            image.draft(None, (at_least, at_least))
        with _large_images if image.width * image.height > _LARGE else nullcontext():
            image.load()
            orientation = _orientation(image)
            size = (height, width) if orientation in _SIDEWAYS else (width, height)
            return _upright(to_rgb(image), orientation), size
    except BrokenImage:
        raise
    except MemoryError as error:
        raise BrokenImage(OUT_OF_MEMORY) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise BrokenImage(_too_many(_declared_size(data), min(cap, _pillow_limit()))) from error
    except Exception as error:
        # Plug-ins meet damaged files with OSError, SyntaxError, ValueError, OverflowError, struct.error,
        # zlib.error, KeyError and more; none of it may stop the files that follow.
        raise BrokenImage(_complaint(error, data)) from error


def _lacks_end_only(data: bytes) -> bool:
    """Whether a JPEG is whole but for the mark at its end, which cameras that lose power and some programs leave out.

    Then what stands after its last byte makes no difference; otherwise it would be taken for pixels.
    """
    data = data.rstrip(b"\xff")
    if not data.startswith(b"\xff\xd8\xff") or data.endswith(_JPEG_END):
        return False
    try:
        first, other = (_decoded(data + filling + _JPEG_END, None)[0] for filling in (b"", b"\x55" * 4096))
    except BrokenImage:
        return False
    return first.tobytes() == other.tobytes()


def open_image(path: str | os.PathLike[str], *, at_least: int | None = None) -> Image.Image:
    """Read and ``decode`` the file at ``path``.

    Raises:
        MissingImage: there is no such file.
        BrokenImage: it cannot be read or gives no image.
    """
    try:
        return decode(read_file(path), at_least=at_least)
    except BrokenImage as error:
        raise BrokenImage(error.reason, path) from error


def upright_rgb(image: Image.Image) -> Image.Image:
    """A Pillow image as `decode` gives that of a file: in RGB, upright by its own EXIF data, without metadata; a copy.

    Raises:
        BrokenImage: it was only opened so far, and its pixels cannot be read.
    """
    try:
        with _opened_images[id(image) % len(_opened_images)]:
            if getattr(image, "tile", ()) and getattr(image, "fp", None) is None:
                raise BrokenImage("its file was closed before its pixels were read")
            image.load()
        return _upright(to_rgb(image), _orientation(image))
    except BrokenImage:
        raise
    except MemoryError as error:
        raise BrokenImage(OUT_OF_MEMORY) from error
    except Exception as error:  # as in `_decoded`
        raise BrokenImage(_complaint(error, b"")) from error


def read_exif(path: str | os.PathLike[str]) -> Mapping[int, Any]:
    """The entries of a file's EXIF block by their tags; empty where it has none or cannot be read as an image."""
    try:
        with Image.open(path, formats=_formats()) as image:
            return image.getexif().get_ifd(_EXIF_IFD)
    except Exception:  # whatever a damaged header raises; that the file is broken is reported when it is decoded
        return {}


def read_file(path: str | os.PathLike[str]) -> bytes:
    """Return the bytes of a regular file.

    Raises:
        MissingImage: there is no such file.
        BrokenImage: it is a folder or a device, may not be read, or has more bytes than the largest image
            within ``pixel_cap`` could need.
    """
    try:
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            raise BrokenImage("a folder, not a file", path)
        if not stat.S_ISREG(status.st_mode):
            # A named pipe would be waited for without end, and a device read without end.
            raise BrokenImage("not a regular file", path)
        if status.st_size > 8 * max(pixel_cap(), _LOWER_CAP):
            raise BrokenImage(f"{status.st_size:,} bytes are too many for an image", path)
        return Path(path).read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise MissingImage(path) from error
    except OSError as error:
        raise BrokenImage(error.strerror or type(error).__name__, path) from error
    except ValueError as error:
        raise BrokenImage("no file can have this name", path) from error


@cache
def _formats() -> tuple[str, ...]:
    Image.init()
    with suppress(ImportError):
        import pillow_heif

        pillow_heif.register_heif_opener()
    # Image.open fails on a format that this build of Pillow has no plug-in for.
    return tuple(name for name in FORMATS if name in Image.OPEN)


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:
        # Damaged metadata is no reason to give up an image whose pixels are fine.
        return 1


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    turn = _UPRIGHT.get(orientation)
    upright = image if turn is None else image.transpose(turn)
    # Whoever reads the orientation from here again would turn the image twice.
    upright.info = {}
    return upright


def _pillow_limit() -> int:
    return 2 * Image.MAX_IMAGE_PIXELS if Image.MAX_IMAGE_PIXELS else _UPPER_CAP


def _declared_size(data: bytes) -> tuple[int, int] | None:
    """Read the size that a header declares, past Pillow's own check, for a message that can name it."""
    for name in _formats():
        factory, accepts = Image.OPEN[name]
        try:
            if accepts is not None and accepts(data[:16]) is True:
                return factory(BytesIO(data), "").size
        except Exception:
            continue
    return None


def _too_many(size: tuple[int, int] | None, cap: int) -> str:
    declared = "its number of" if size is None else f"{size[0]} x {size[1]}"
    return f"{declared} pixels is more than the cap of {cap:,}"


def _complaint(error: Exception, data: bytes) -> str:
    if isinstance(error, UnidentifiedImageError):
        recognised = [name for name in _formats() if _accepts(name, data)]
        if not recognised:
            return f"not an image in a format that is read ({', '.join(FORMATS)})"
        return f"truncated or damaged {recognised[0]} file"
    if "truncated" in str(error).lower():
        return "truncated"
    # The first words of the plug-in's own complaint, on one line: nothing else tells such files apart.
    return f"truncated or damaged ({' '.join(str(error).split())[:80]})"


def _accepts(name: str, data: bytes) -> bool:
    accepts = Image.OPEN[name][1]
    return accepts is not None and accepts(data[:16]) is True
