"""What finds people for an arrangement model: its estimator and segmenter, looked up by name and checked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from doppelgram.errors import DoppelgramError
from doppelgram.images.read import Extra, Photograph, Source
from doppelgram.models.finder_settings import READY_MADE, FinderSettings
from doppelgram.pose.estimators.estimator import Estimator
from doppelgram.pose.estimators.known import KnownPeople, named
from doppelgram.pose.estimators.registry import make_estimator
from doppelgram.pose.extras import MASK, PEOPLE, MaskExtra, people_extra
from doppelgram.pose.people import People
from doppelgram.pose.segmenter import Segmenter, make_segmenter
from doppelgram.weights import cache_folder

KEYPOINTS_FILE = "keypoints.json"
# How a key counts the changes of what uses the weights: the 4 in movenet-cd7cc22fa946-4.
_VERSION = re.compile(r"-\d{1,3}(?=-|$)")
# Folders above a photograph's own in which its ready-made keypoints are looked for: <place>/<pose>/ and the data's.
_ABOVE = 3


class PeopleFinder:
    """Finds people, and where they cover the place, in photographs while these are read.

    What was found in a file is kept in the user's cache by the file's content and by what found it.

    Attributes:
        extras: what `images.read` has to look for: `PEOPLE`, and `MASK` where there is a segmenter.
    """

    def __init__(self, estimator: Estimator | KnownPeople | None, segmenter: Segmenter | None) -> None:
        """Take what looks.

        Args:
            estimator: what finds people; None for ready-made keypoints that lie beside the photographs.
            segmenter: what finds where they cover the place; None where nobody asks.
        """
        self._estimator = estimator
        cache = cache_folder() / "poses"
        self.extras: dict[str, Extra] = {
            PEOPLE: KeypointsBeside() if estimator is None else people_extra(estimator, cache)
        }
        if segmenter is not None:
            self.extras[MASK] = MaskExtra(segmenter, cache)

    def require_named(self, paths: Sequence[Path], *, every: bool) -> None:
        """See that a file of ready-made keypoints that was given is of these photographs; others need no names.

        A ``keypoints.json`` beside a photograph or in the folders above it speaks of it even where it does not name
        it: nobody is there.

        Args:
            paths: the photographs.
            every: whether each has to be named, or one of them is enough.

        Raises:
            DoppelgramError: it is not so.
        """
        known = self._estimator
        if isinstance(known, KnownPeople):
            known.require([path for path in paths if not _beside(known.source, path)], every=every)


def people_in(photograph: Photograph) -> tuple[People, NDArray[np.bool_] | None]:
    """Who was found in a photograph, in pixels of its ``pixels``, and which of these people cover.

    Args:
        photograph: read with a whole framing and a finder's extras. The mask is None where nobody looked for one.
    """
    assert photograph.pixels is not None
    height, width = photograph.pixels.shape[:2]
    mask = photograph.extras.get(MASK)
    return photograph.extras[PEOPLE].scaled(width, height), None if mask is None else mask.at(width, height)


class KeypointsBeside:
    """People from the nearest ``keypoints.json`` in a photograph's folder or above it; an extra of `images.read`."""

    at_least = 1

    def __init__(self) -> None:
        self._of_folder: dict[Path, KnownPeople | None] = {}

    def cached(self, digest: str) -> People | None:
        """See `Extra`: people go by the photograph's name, not by its content."""
        return None

    def compute(self, source: Source, image: Image.Image, size: tuple[int, int], digest: str) -> People:
        """See `Extra`.

        Raises:
            DoppelgramError: there is no such file, or the photograph is in memory only.
        """
        path = named(source)
        for folder in list(path.absolute().parents)[: _ABOVE + 1]:
            if folder not in self._of_folder:
                file = folder / KEYPOINTS_FILE
                self._of_folder[folder] = KnownPeople(file) if file.is_file() else None
            known = self._of_folder[folder]
            if known is not None:
                return known.people(path, *size)
        raise DoppelgramError(
            f"{path}: people come from ready-made keypoints here, and there is no {KEYPOINTS_FILE} beside it or in the "
            "folders above; give --keypoints FILE"
        )

    def flush(self) -> None:
        """See `Extra`: there is nothing to keep."""


def open_finder(settings: FinderSettings, weights: Path | None = None, keypoints: Path | None = None) -> PeopleFinder:
    """Make what a model's `FinderSettings` names.

    Args:
        settings: names, and keys of the weights and settings that the model was trained with.
        weights: folder to look weights up in first.
        keypoints: file of ready-made keypoints; only for a model that takes these.

    Raises:
        DoppelgramError: something is missing, or has another key.
    """
    estimator: Estimator | KnownPeople | None = None
    if settings.estimator != READY_MADE:
        if keypoints is not None:
            raise DoppelgramError(
                f"--keypoints goes with ready-made keypoints, but people are found by {settings.estimator} here; "
                "leave it out"
            )
        estimator = make_estimator(settings.estimator, weights)
        _check(estimator.key, settings.estimator_key, "poses")
    elif keypoints is not None:
        estimator = make_estimator(READY_MADE, pose_weights=keypoints)
    segmenter: Segmenter | None = None
    if settings.segmenter:
        segmenter = make_segmenter(settings.segmenter, weights)
        _check(segmenter.key, settings.segmenter_key, "people's outlines")
    return PeopleFinder(estimator, segmenter)


def _beside(source: Path, path: Path) -> bool:
    """Whether a file of keypoints is the one that belongs to the photograph's own collection."""
    return source.name == KEYPOINTS_FILE and source.absolute().parent in list(path.absolute().parents)[: _ABOVE + 1]


def _check(here: str, wanted: str, what: str) -> None:
    """Refuse other weights. Numbers in a key count how the program uses them; any of these will do."""
    if wanted and _VERSION.sub("", here) != _VERSION.sub("", wanted):
        raise DoppelgramError(
            f"the model was trained with {what} by '{wanted}', but the weights that were found are '{here}'; "
            "give --weights DIR with the same ones"
        )
