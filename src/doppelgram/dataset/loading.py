"""A collection's images in memory, with a progress bar and a report of every file that was not used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console

from doppelgram.console import progress_bar
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


def load_images(collection: Collection, framing: Framing, console: Console, *, what: str = "images") -> Images:
    """Load every readable image of a collection, and say on the console what could not be used.

    Raises:
        DoppelgramError: not one of them could be read.
    """
    tell_notes(collection, console)
    with progress_bar(console, f"reading {what}", len(collection)) as advance:
        loaded = load_pixels(collection.paths, framing, progress=advance)
    tell_outcomes(loaded.report, console)
    return Images(collection.take(loaded.kept), loaded.pixels, loaded.hashes, loaded.report)


def tell_notes(collection: Collection, console: Console) -> None:
    """Say what a collection's reader had to remark."""
    for note in collection.notes:
        console.print(f"note: {note}", style="dim", highlight=False, markup=False, soft_wrap=True)


def tell_outcomes(report: LoadReport, console: Console) -> None:
    """Say which files could not be used, and in which no face was found, or several.

    Raises:
        DoppelgramError: not one of them could be read.
    """
    report.raise_if_nothing_readable()
    unused = [report.summary()] if report.counts()["ok"] < len(report.outcomes) else []
    for line in [*unused, *report.face_notes()]:
        console.print(line, style="yellow", highlight=False, markup=False, soft_wrap=True)
