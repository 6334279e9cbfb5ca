"""People found once and kept, by the content of a photograph and by what found them."""

from __future__ import annotations

import hashlib
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from doppelgram.images.decode import OUT_OF_MEMORY, BrokenImage, MissingImage, decode, read_file
from doppelgram.images.ordered import in_order
from doppelgram.images.report import FileOutcome, LoadReport, quoted
from doppelgram.pose.estimators import Estimator
from doppelgram.pose.known import KnownPeople
from doppelgram.pose.people import People
from doppelgram.pose.shelf import Shelf

# Photographs are decoded to no less than this short side; people are found in no more detail anyway.
_AT_LEAST = 640


def people_of(
    paths: Sequence[Path | str],
    estimator: Estimator | KnownPeople,
    cache_folder: Path | None = None,
    progress: Callable[[int], None] | None = None,
    *,
    report: LoadReport | None = None,
    workers: int | None = None,
) -> list[People | None]:
    """People of many photographs, each found once.

    What was found before an interruption is kept, and found again only if the photograph's content or the estimator
    has changed.

    Args:
        paths: photographs.
        estimator: what looks at them.
        cache_folder: where answers are kept; nothing is kept without one.
        progress: called with 1 after each photograph.
        report: gets what became of each file.
        workers: number of threads; one a processor by default.

    Returns:
        For each path the people, in pixels of the upright photograph, or None where it cannot be read.
    """
    ready = isinstance(estimator, KnownPeople)  # by the photograph's name, not by what it shows: nothing to keep
    shelf = Shelf(cache_folder, estimator.key) if cache_folder is not None and not ready else None
    known: dict[str, People] = shelf.read() if shelf is not None else {}
    first: dict[str, int] = {}
    people: list[People | None] = []
    report = report if report is not None else LoadReport()

    def read(path: Path | str) -> tuple[str, People | None, str]:
        try:
            data = read_file(path)
            digest = hashlib.sha256(data).hexdigest()
            if digest in known:
                return digest, known[digest], ""
            image, width, height = upright(data)
            if isinstance(estimator, KnownPeople):
                return digest, estimator.people(path, width, height), ""
            (found,) = estimator.estimate([np.asarray(image)])
            return digest, found.scaled(width, height), ""
        except MissingImage:
            return "", None, "missing"
        except BrokenImage as error:
            return "", None, error.reason
        except MemoryError:
            return "", None, OUT_OF_MEMORY

    with warnings.catch_warnings(), kept(shelf) as keep, closing(in_order(read, paths, workers)) as reads:
        warnings.filterwarnings("ignore", module=r"PIL\.")  # what matters of it is in the report
        for position, (path, (digest, found, reason)) in enumerate(zip(paths, reads, strict=True)):
            people.append(found)
            if found is None:
                broken = ("missing", "no such file") if reason == "missing" else ("broken", reason)
                report.outcomes.append(FileOutcome(str(path), *broken))  # type: ignore[arg-type]
            elif digest in first:
                report.outcomes.append(
                    FileOutcome(str(path), "duplicate", f"same bytes as {quoted(str(paths[first[digest]]))}")
                )
            else:
                first[digest] = position
                report.outcomes.append(FileOutcome(str(path), "ok"))
                if digest not in known and not ready:
                    known[digest] = found
                    keep(digest, found)
            if progress is not None:
                progress(1)
    return people


def upright(data: bytes) -> tuple[Image.Image, int, int]:
    """Decode a photograph as far as is needed to find people; the image, and the full width and height.

    Raises:
        BrokenImage: see `doppelgram.images.decode.decode`.
    """
    image = decode(data, at_least=_AT_LEAST)
    with Image.open(BytesIO(data)) as file:
        width, height = file.size
    # The header's size is that before the turn which EXIF asks for.
    if (width > height) != (image.width > image.height):
        width, height = height, width
    return image, width, height


@contextmanager
def kept(shelf: Shelf | None) -> Iterator[Callable[[str, People], None]]:
    """Yields a function that keeps an answer; they are written every few seconds and also when interrupted."""
    fresh: dict[str, People] = {}
    last = time.monotonic()

    def write() -> None:
        nonlocal last
        if shelf is not None and fresh:
            shelf.write(fresh)
            fresh.clear()
        last = time.monotonic()

    def keep(digest: str, people: People) -> None:
        fresh[digest] = people
        if time.monotonic() - last > _EVERY:
            write()

    try:
        yield keep
    finally:
        write()


# Seconds of work that a killed process may lose.
_EVERY = 20.0
