"""People and their outlines as extras of a photograph: found while it is read, and kept by its content."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from doppelgram.images.read import Extra, Source, Want, read
from doppelgram.images.report import LoadReport
from doppelgram.pose.answers import AnswerCache, Codec
from doppelgram.pose.estimators.estimator import Estimator
from doppelgram.pose.estimators.known import KnownPeople
from doppelgram.pose.people import People
from doppelgram.pose.segmenter import PersonMask, Segmenter
from doppelgram.pose.skeleton import KEYPOINT_NAMES

T = TypeVar("T")

PEOPLE, MASK = "people", "mask"
"""Names of the extras."""

# Short side of what people are looked for in. It is what a model of places and poses is shown, so that one decoding
# serves both and the answers do not depend on which command asked first.
_DETAIL = 1280


def _people_row(people: People) -> Mapping[str, Any]:
    return {
        "width": people.width,
        "height": people.height,
        "score": people.score,
        "keypoints": people.keypoints.reshape(-1),
    }


def _people_of_row(row: Mapping[str, Any]) -> People:
    keypoints = np.array(row["keypoints"], np.float32).reshape(-1, len(KEYPOINT_NAMES), 3)
    return People(keypoints, np.array(row["score"], np.float32), row["width"], row["height"])


PEOPLE_CODEC = Codec[People](
    {"width": "int32", "height": "int32", "score": "floats", "keypoints": "floats"}, _people_row, _people_of_row
)
"""Width, height, score (p numbers), keypoints (54 p numbers)."""

MASK_CODEC = Codec[PersonMask](
    {"width": "int32", "height": "int32", "png": "binary"},
    lambda mask: {"width": mask.width, "height": mask.height, "png": mask.png},
    lambda row: PersonMask(bytes(row["png"]), int(row["width"]), int(row["height"])),
)
"""Width, height and a PNG of one bit a pixel."""


class _KeptExtra(ABC, Generic[T]):
    """What a network says of a photograph, which depends on the photograph's content alone."""

    at_least = _DETAIL

    def __init__(self, answers: AnswerCache[T]) -> None:
        self._answers = answers

    def cached(self, digest: str) -> T | None:
        """See `Extra`."""
        return self._answers.get(digest)

    def compute(self, source: Source, image: Image.Image, size: tuple[int, int], digest: str) -> T:
        """See `Extra`."""
        answer = self._find(np.asarray(image), *size)
        if digest:
            self._answers.put(digest, answer)
        return answer

    def flush(self) -> None:
        """See `Extra`."""
        self._answers.flush()

    @abstractmethod
    def _find(self, image: NDArray[np.uint8], width: int, height: int) -> T:
        """The answer for an image, uint8 (h, w, 3), of a photograph of that size."""


class PeopleExtra(_KeptExtra[People]):
    """The people of a photograph, in pixels of the whole upright photograph, by a network."""

    def __init__(self, estimator: Estimator, cache_folder: Path | None) -> None:
        """Take the network, and the folder in which its answers are kept, if they are."""
        super().__init__(AnswerCache(cache_folder, estimator.key, PEOPLE_CODEC))
        self._estimator = estimator

    def _find(self, image: NDArray[np.uint8], width: int, height: int) -> People:
        return self._estimator.estimate([image])[0].scaled(width, height)


class MaskExtra(_KeptExtra[PersonMask]):
    """Where people cover the place behind them."""

    def __init__(self, segmenter: Segmenter, cache_folder: Path | None) -> None:
        """Take the network, and the folder in which its answers are kept, if they are."""
        super().__init__(AnswerCache(cache_folder, segmenter.key, MASK_CODEC))
        self._segmenter = segmenter

    def _find(self, image: NDArray[np.uint8], width: int, height: int) -> PersonMask:
        return PersonMask.of(self._segmenter.person_mask(image), width, height)


def people_extra(estimator: Estimator | KnownPeople, cache_folder: Path | None) -> Extra:
    """People as an extra. Ready-made ones go by a photograph's name, so that there is nothing to keep."""
    return estimator if isinstance(estimator, KnownPeople) else PeopleExtra(estimator, cache_folder)


def find_people(
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
    want = Want(extras={PEOPLE: people_extra(estimator, cache_folder)})
    found: list[People | None] = []
    with closing(read(paths, want, keep_duplicates=True, workers=workers)) as photographs:
        for photograph in photographs:
            found.append(photograph.extras.get(PEOPLE))
            if report is not None:
                report.outcomes.append(photograph.outcome)
            if progress is not None:
                progress(1)
    return found
