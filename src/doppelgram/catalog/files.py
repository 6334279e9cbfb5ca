"""A catalog's reading of files: what is in them, the model's pixels and a thumbnail."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from doppelgram.images.batch import content_hash
from doppelgram.images.decode import OUT_OF_MEMORY, BrokenImage, MissingImage, decode, read_file
from doppelgram.images.framing import Framing
from doppelgram.images.report import Status
from doppelgram.images.whole import WholePhotograph

THUMBNAIL_SIDE = 160


@dataclass(frozen=True)
class FileRead:
    """What was found in a file.

    Attributes:
        status: ``ok``, ``missing`` or ``broken``.
        reason: why it is not ``ok``.
        digest: SHA-256 of its bytes in hexadecimal.
        pixels: framed for the model, uint8 (size, size, 3), or a whole photograph (h, w, 3); None where the file was
            only hashed.
        thumbnail: JPEG's bytes.
        faces: how many faces were found; None where the framing looks for none.
    """

    status: Status
    reason: str = ""
    digest: str = ""
    pixels: NDArray[np.uint8] | None = None
    thumbnail: bytes = b""
    faces: int | None = None


def hash_file(path: str) -> FileRead:
    """Read a file for the digest of its bytes; no image has to be in it."""
    try:
        # A folder's own name may hold bytes that are no text; what a collection lists below it does not.
        path.encode("utf-8")
        return FileRead("ok", digest=content_hash(Path(path)))
    except UnicodeEncodeError:
        return FileRead("broken", "its path is not valid UTF-8")
    except (MissingImage, BrokenImage, MemoryError) as error:
        return _failure(error)


def decode_file(path: str, framing: Framing | WholePhotograph) -> FileRead:
    """Read a file once for its digest, its framed pixels (those of `load_pixels`) and a thumbnail."""
    try:
        data = read_file(path)
        image = decode(data, at_least=framing.at_least)
        framed = framing.frame(image)
        if max(image.size) < THUMBNAIL_SIDE and framing.at_least is not None:
            # It may have been decoded at a fraction of its size, which is enough for the model only.
            image = decode(data, at_least=THUMBNAIL_SIDE)
        digest = hashlib.sha256(data).hexdigest()
        return FileRead("ok", "", digest, framed.pixels, _thumbnail(image), framed.faces)
    except (MissingImage, BrokenImage, MemoryError) as error:
        return _failure(error)


def _failure(error: Exception) -> FileRead:
    if isinstance(error, MissingImage):
        return FileRead("missing", "no such file")
    return FileRead("broken", error.reason if isinstance(error, BrokenImage) else OUT_OF_MEMORY)


def _thumbnail(image: Image.Image) -> bytes:
    """JPEG with a long side of at most ``THUMBNAIL_SIDE``; a smaller image keeps its size."""
    image.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.BICUBIC, reducing_gap=3.0)
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()
