"""Many files to one array of pixels."""

import hashlib
import os
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from doppelgram.images.decode import read_file
from doppelgram.images.framing import Framing
from doppelgram.images.memory import available_memory
from doppelgram.images.read import Want, read
from doppelgram.images.report import LoadReport
from doppelgram.images.storage import allocate


@dataclass
class Loaded:
    """The images that could be read.

    Attributes:
        pixels: (m, size, size, 3) uint8, red first, in the order of the input.
        kept: (m,) int64, the position in the input of each.
        hashes: SHA-256 of each kept file's bytes, in hexadecimal.
        report: one outcome for each input path.
    """

    pixels: NDArray[np.uint8]
    kept: NDArray[np.int64]
    hashes: list[str]
    report: LoadReport


def content_hash(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file's bytes in hexadecimal.

    Raises:
        MissingImage: there is no such file.
        BrokenImage: it cannot be read.
    """
    return hashlib.sha256(read_file(path)).hexdigest()


def load_pixels(
    paths: Sequence[Path],
    framing: Framing,
    *,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
    keep_duplicates: bool = False,
    scratch: Path | None = None,
) -> Loaded:
    """Read, decode and frame every file; none of them can stop the others.

    See `doppelgram.images.read.read`, whose photographs it stacks.

    A result of more than a quarter of the available memory is mapped from a file instead of held in memory:
    in ``scratch`` as a ``.npy`` file with a row for each input path, of which ``pixels`` is the beginning and
    which the caller deletes, or without ``scratch`` in an unnamed temporary file.

    Args:
        paths: the files, in the order in which duplicates are decided: the first with the same bytes is ``ok``,
            later ones are ``duplicate``.
        framing: how each image is cut and resized.
        workers: threads; None takes one for each processor that this process may use.
        progress: called with 1 after each file, in this thread.
        keep_duplicates: whether duplicates are kept in the result; the report names them all the same.
        scratch: folder for pixels that do not fit into memory.

    Raises:
        DoppelgramError: ``workers`` is below 1, ``scratch`` cannot hold the pixels, or the framing's face detector is
            not installed. An unreadable file is
            not an error here but an outcome in the report.
    """
    shape = (len(paths), framing.size, framing.size, 3)
    pixels = allocate(shape, in_memory_up_to=available_memory() // 4, scratch=scratch)
    kept: list[int] = []
    hashes: list[str] = []
    report = LoadReport()
    with closing(read(paths, Want(framing), keep_duplicates=keep_duplicates, workers=workers)) as photographs:
        for position, photograph in enumerate(photographs):
            report.outcomes.append(photograph.outcome)
            if photograph.pixels is not None:
                pixels[len(kept)] = photograph.pixels
                kept.append(position)
                hashes.append(photograph.digest)
            if progress is not None:
                progress(1)
    return Loaded(pixels[: len(kept)], np.array(kept, dtype=np.int64), hashes, report)
