"""A collection's images in memory, with a progress bar and a report of every file that was not used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from doppelgram.console import Progress
from doppelgram.dataset.collection import Collection
from doppelgram.images.batch import load_pixels
from doppelgram.images.framing import Framing
from doppelgram.images.report import LoadReport


@dataclass(frozen=True)
class Images:
    """The readable images of a collection.

    Attributes:
        collection: their rows.
        pixels: uint8 (n, size, size, 3).
        hashes: content hash of each file.
        report: what happened to each file of the collection that was asked for.
    """

    collection: Collection
    pixels: np.ndarray[Any, np.dtype[np.uint8]]
    hashes: list[str]
    report: LoadReport


def load_images(collection: Collection, framing: Framing, progress: Progress, *, what: str = "images") -> Images:
    """Load every readable image of a collection, and say what could not be used.

    Raises:
        DoppelgramError: not one of them could be read.
    """
    tell_notes(collection, progress)
    with progress.bar(f"reading {what}", len(collection)) as advance:
        loaded = load_pixels(collection.paths, framing, progress=advance)
    tell_outcomes(loaded.report, progress)
    return Images(collection.take(loaded.kept), loaded.pixels, loaded.hashes, loaded.report)


def tell_notes(collection: Collection, progress: Progress) -> None:
    """Say what a collection's reader had to remark."""
    for note in collection.notes:
        progress.note(f"note: {note}")


def tell_outcomes(report: LoadReport, progress: Progress) -> None:
    """Say which files could not be used, and in which no face was found, or several.

    Raises:
        DoppelgramError: not one of them could be read.
    """
    report.raise_if_nothing_readable()
    unused = [report.summary()] if report.counts()["ok"] < len(report.outcomes) else []
    for line in [*unused, *report.face_notes()]:
        progress.warning(line)
