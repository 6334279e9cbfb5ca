"""Images in memory, written once as files of a folder."""

from __future__ import annotations

import hashlib
import os
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from doppelgram.dataset.in_memory.values import is_path, source_of, unwrapped
from doppelgram.errors import DoppelgramError
from doppelgram.files import check_folder, written_whole
from doppelgram.images.decode import FORMATS, BrokenImage, upright_rgb

_ENDINGS = {"JPEG": ".jpg", "HEIF": ".heic", "TIFF": ".tif"}
# What is no image is written, too, so that it is reported like a broken file.
_UNKNOWN = ".bin"


class KeptImages:
    """A folder of images by their content: writing the same images again changes nothing.

    Bytes of a file are written as they are and named by their SHA-256, which is also the id in a catalog. Pixels are
    written as PNG and named by the SHA-256 of the pixels, so that another version of the PNG writer, which may give
    other bytes, finds the file there and leaves it.

    Args:
        folder: is made if it is not there.

    Raises:
        DoppelgramError: the folder cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        check_folder(folder)
        self.folder = folder

    def __call__(self, value: Any, where: str) -> str:
        """The path of an image: below the folder where it is written there, absolute where it is a file already.

        Raises:
            DoppelgramError: it is no image, or cannot be written.
        """
        value = unwrapped(value)
        if is_path(value):
            return os.path.abspath(str(value))
        if isinstance(value, (bytes, bytearray)):
            data = bytes(value)
            name = hashlib.sha256(data).hexdigest() + _ending(data)
            self._write(name, data)
            return name
        image = _image(value, where)
        name = hashlib.sha256(f"{image.size}".encode() + image.tobytes()).hexdigest() + ".png"
        if not (self.folder / name).is_file():
            buffer = BytesIO()
            image.save(buffer, "PNG")
            self._write(name, buffer.getvalue())
        return name

    def _write(self, name: str, data: bytes) -> None:
        if not (self.folder / name).is_file():
            with written_whole(self.folder / name) as aside:
                aside.write_bytes(data)


def _image(value: Any, where: str) -> Image.Image:
    source: Any = source_of(value, where)
    try:
        return upright_rgb(source) if isinstance(source, Image.Image) else Image.fromarray(source)
    except BrokenImage as problem:
        raise DoppelgramError(f"{where}: {problem.reason}") from None


def _ending(data: bytes) -> str:
    try:
        with Image.open(BytesIO(data), formats=[name for name in FORMATS if name in Image.OPEN]) as image:
            kind = str(image.format)
    except Exception:  # whatever a plug-in meets in damaged bytes; reading the file says what is wrong
        return _UNKNOWN
    return _ENDINGS.get(kind, f".{kind.lower()}")


def refused(value: Any, where: str) -> str:
    """The path of an image that is a file.

    Raises:
        DoppelgramError: it is in memory.
    """
    value = unwrapped(value)
    if is_path(value):
        return os.path.abspath(str(value))
    raise DoppelgramError(
        f"{where}: is an image in memory, and this program reads files; write them once with "
        'doppelgram.save_images(data, "FOLDER") and go on with what that returns'
    )
