"""Many files to one array of pixels."""

import hashlib
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from doppelgram.errors import DoppelgramError
from doppelgram.images.decode import OUT_OF_MEMORY, BrokenImage, MissingImage, decode, read_file
from doppelgram.images.framing import Framed, Framing
from doppelgram.images.memory import available_memory
from doppelgram.images.ordered import in_order, processors
from doppelgram.images.report import FileOutcome, LoadReport, Status, quoted
from doppelgram.images.storage import allocate


@dataclass
class Loaded:
    """The images that could be read.

    Attributes:
        pixels: (m, size, size, 3) uint8, red first, in the order of the input.
        kept: (m,) int64, the position in the input of each.
        hashes: SHA-256 of each kept file's bytes, in hexadecimal.
        report: one outcome for each input path.
        faces: for each kept image how many faces were found; None where the framing looks for none.
    """

    pixels: NDArray[np.uint8]
    kept: NDArray[np.int64]
    hashes: list[str]
    report: LoadReport
    faces: list[int | None] = field(default_factory=list)


@dataclass(frozen=True)
class _Read:
    """What a worker found: a failure, or a digest with pixels unless the digest was known already."""

    status: Status
    reason: str = ""
    digest: str = ""
    framed: Framed | None = None


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

    Each file is read once, and hashed and decoded from the same bytes. Threads do it, since reading, hashing,
    decoding and resizing all happen outside Python's lock; only a few files per worker are under way at a time.
    The result does not depend on the number of workers.

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
    if workers is not None and workers < 1:
        raise DoppelgramError(f"The number of workers must be 1 or more, not {workers}.")
    count = processors() if workers is None else workers
    shape = (len(paths), framing.size, framing.size, 3)
    pixels = allocate(shape, in_memory_up_to=available_memory() // 4, scratch=scratch)
    # Digest to (row in the result, position in the input). The workers look into it while it grows: what they
    # find there comes earlier in the input than what they work on, so a file found is a duplicate for certain.
    first: dict[str, tuple[int, int]] = {}
    kept: list[int] = []
    hashes: list[str] = []
    faces: list[int | None] = []
    report = LoadReport()

    read_one = partial(_read, framing=framing, known=first)
    with warnings.catch_warnings(), closing(in_order(read_one, paths, count)) as reads:
        # Pillow warns about odd metadata and large images; what matters of it is in the report.
        warnings.filterwarnings("ignore", module=r"PIL\.")
        for position, read in enumerate(reads):
            status, reason = read.status, read.reason
            earlier = first.get(read.digest) if status == "ok" else None
            if earlier is not None:
                status, reason = "duplicate", f"same bytes as {quoted(str(paths[earlier[1]]))}"
            count_of_faces = read.framed.faces if read.framed is not None else None
            if earlier is not None:
                count_of_faces = faces[earlier[0]]
            report.outcomes.append(FileOutcome(str(paths[position]), status, reason, count_of_faces))
            if status == "ok" or (status == "duplicate" and keep_duplicates):
                if earlier is not None:
                    pixels[len(kept)] = pixels[earlier[0]]
                elif read.framed is not None:
                    pixels[len(kept)] = read.framed.pixels
                    first[read.digest] = (len(kept), position)
                kept.append(position)
                hashes.append(read.digest)
                faces.append(count_of_faces)
            if progress is not None:
                progress(1)
    return Loaded(pixels[: len(kept)], np.array(kept, dtype=np.int64), hashes, report, faces)


def _read(path: Path, framing: Framing, known: Mapping[str, object]) -> _Read:
    try:
        data = read_file(path)
        digest = hashlib.sha256(data).hexdigest()
        if digest in known:
            return _Read("ok", digest=digest)
        return _Read("ok", digest=digest, framed=framing.frame(decode(data, at_least=framing.at_least)))
    except MissingImage:
        return _Read("missing", "no such file")
    except BrokenImage as error:
        return _Read("broken", error.reason)
    except MemoryError:
        return _Read("broken", OUT_OF_MEMORY)
