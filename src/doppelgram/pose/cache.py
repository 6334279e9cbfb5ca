"""People and their outlines, found once and kept by a photograph's content and by what found them."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, nullcontext
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from PIL import Image

from doppelgram.images.decode import OUT_OF_MEMORY, BrokenImage, MissingImage, decode, read_file
from doppelgram.images.ordered import in_order
from doppelgram.images.report import FileOutcome, LoadReport, Status, quoted
from doppelgram.pose.estimators.known import KnownPeople
from doppelgram.pose.estimators.registry import Estimator
from doppelgram.pose.people import People
from doppelgram.pose.segmenter import PersonMask, Segmenter
from doppelgram.pose.shelf import Shelf
from doppelgram.pose.skeleton import JOINTS

T = TypeVar("T")

# Photographs are decoded to no less than this short side; people are looked for in no more detail anyway.
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
    """People of many photographs, each looked at once.

    What was found before an interruption is kept, and a photograph is looked at again only if its content or the
    estimator has changed.

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
    if isinstance(estimator, KnownPeople):  # goes by the photograph's name, not by what it shows: nothing to keep
        ready = estimator
        return _each(paths, lambda path, data: ready.people(path, *upright_size(data)), None, progress, report, workers)

    def look(path: Path | str, data: bytes) -> People:
        image = decode(data, at_least=_AT_LEAST)
        return estimator.estimate([np.asarray(image)])[0].scaled(*upright_size(data, image))

    shelf = people_shelf(cache_folder, estimator.key) if cache_folder is not None else None
    return _each(paths, look, shelf, progress, report, workers)


def masks_of(
    paths: Sequence[Path | str],
    segmenter: Segmenter,
    cache_folder: Path | None = None,
    progress: Callable[[int], None] | None = None,
    *,
    report: LoadReport | None = None,
    workers: int | None = None,
) -> list[PersonMask | None]:
    """Where people cover the place behind them, in many photographs; arguments and None as for `people_of`."""

    def look(path: Path | str, data: bytes) -> PersonMask:
        image = decode(data, at_least=_AT_LEAST)
        return PersonMask.of(segmenter.person_mask(np.asarray(image)), *upright_size(data, image))

    shelf = mask_shelf(cache_folder, segmenter.key) if cache_folder is not None else None
    return _each(paths, look, shelf, progress, report, workers)


def upright_size(data: bytes, image: Image.Image | None = None) -> tuple[int, int]:
    """Width and height of the photograph in a file, after the turn that EXIF asks for.

    Args:
        data: all bytes of the file.
        image: the same photograph decoded, perhaps to fewer pixels; it is decoded small if not given.

    Raises:
        BrokenImage: see `doppelgram.images.decode.decode`.
    """
    image = image if image is not None else decode(data, at_least=1)
    with Image.open(BytesIO(data)) as file:
        width, height = file.size
    # The header's size is that before the turn.
    return (height, width) if (width > height) != (image.width > image.height) else (width, height)


def people_shelf(folder: Path, key: str) -> Shelf[People]:
    """Where an estimator's answers lie: width, height, score (p numbers), keypoints (54 p numbers)."""

    def to_row(people: People) -> Mapping[str, Any]:
        return {
            "width": people.width, "height": people.height,
            "score": people.score, "keypoints": people.keypoints.reshape(-1),
        }  # fmt: skip

    def from_row(row: Mapping[str, Any]) -> People:
        keypoints = np.array(row["keypoints"], np.float32).reshape(-1, len(JOINTS), 3)
        return People(keypoints, np.array(row["score"], np.float32), row["width"], row["height"])

    columns = {"width": "int32", "height": "int32", "score": "floats", "keypoints": "floats"}
    return Shelf(folder, key, columns, to_row, from_row)


def mask_shelf(folder: Path, key: str) -> Shelf[PersonMask]:
    """Where a segmenter's answers lie: width, height and a PNG of one bit a pixel."""
    columns = {"width": "int32", "height": "int32", "png": "binary"}
    return Shelf(
        folder, key, columns,
        lambda mask: {"width": mask.width, "height": mask.height, "png": mask.png},
        lambda row: PersonMask(bytes(row["png"]), int(row["width"]), int(row["height"])),
    )  # fmt: skip


def _each(
    paths: Sequence[Path | str],
    look: Callable[[Path | str, bytes], T],
    shelf: Shelf[T] | None,
    progress: Callable[[int], None] | None,
    report: LoadReport | None,
    workers: int | None,
) -> list[T | None]:
    known: dict[str, T] = shelf.read() if shelf is not None else {}
    first: dict[str, int] = {}
    answers: list[T | None] = []
    report = report if report is not None else LoadReport()

    def read(path: Path | str) -> tuple[str, T | None, Status, str]:
        try:
            data = read_file(path)
            digest = hashlib.sha256(data).hexdigest()
            return digest, known[digest] if digest in known else look(path, data), "ok", ""
        except MissingImage:
            return "", None, "missing", "no such file"
        except BrokenImage as error:
            return "", None, "broken", error.reason
        except MemoryError:
            return "", None, "broken", OUT_OF_MEMORY

    adding = shelf.open() if shelf is not None else nullcontext(lambda digest, answer: None)
    with warnings.catch_warnings(), adding as keep, closing(in_order(read, paths, workers)) as reads:
        warnings.filterwarnings("ignore", module=r"PIL\.")  # what matters of it is in the report
        for position, (path, (digest, answer, status, reason)) in enumerate(zip(paths, reads, strict=True)):
            answers.append(answer)
            if digest in first:
                status, reason = "duplicate", f"same bytes as {quoted(str(paths[first[digest]]))}"
            report.outcomes.append(FileOutcome(str(path), status, reason))
            if status == "ok" and answer is not None:
                first[digest] = position
                if shelf is not None and digest not in known:
                    known[digest] = answer
                    keep(digest, answer)
            if progress is not None:
                progress(1)
    return answers
