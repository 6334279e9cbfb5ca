"""What finds people for an arrangement model: its estimator and segmenter, looked up by name and checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from doppelgram.errors import DoppelgramError
from doppelgram.models.finder_settings import READY_MADE, FinderSettings
from doppelgram.pose.cache import masks_of, people_of
from doppelgram.pose.estimators.known import KnownPeople
from doppelgram.pose.estimators.registry import Estimator, make_estimator
from doppelgram.pose.people import People
from doppelgram.pose.segmenter import PersonMask, Segmenter, make_segmenter
from doppelgram.weights import cache_folder

KEYPOINTS_FILE = "keypoints.json"
# Folders above a photograph's own in which its ready-made keypoints are looked for: <place>/<pose>/ and the data's.
_ABOVE = 3
# Photographs to a turn, and turns.
_BY_TURNS = 64

Found = tuple[People, NDArray[np.bool_] | None]


class PeopleFinder:
    """Finds people, and where they cover the place, in photographs.

    What was found in a file is kept in the user's cache by the file's content and by what found it.

    Args:
        estimator: what finds people; None for ready-made keypoints that lie beside the photographs.
        segmenter: what finds where they cover the place; None where nobody asks.
    """

    def __init__(self, estimator: Estimator | KnownPeople | None, segmenter: Segmenter | None) -> None:
        self._estimator = estimator
        self._segmenter = segmenter
        self._beside: dict[Path, KnownPeople | None] = {}
        self._prefetched: set[Path] = set()
        self._seen: dict[Path, tuple[People, PersonMask | None]] = {}

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

    def prefetch(self, paths: Sequence[Path], progress: Callable[[int], None] | None = None) -> None:
        """Look at many files at once, side by side; `look` then knows what was found in them.

        Args:
            paths: the files; those that cannot be read are left out.
            progress: called with 1 after each file.
        """
        wanted = list(dict.fromkeys(paths))
        self._prefetched.update(wanted)
        # People and outlines by turns, so that the bar moves; in not too many turns, each of which reads the cache.
        step = max(_BY_TURNS, -(-len(wanted) // _BY_TURNS))
        seen: dict[Path, tuple[People, PersonMask | None]] = {}
        for start in range(0, len(wanted), step):
            part = wanted[start : start + step]
            people = self._people(part, progress if self._segmenter is None else None)
            masks: list[PersonMask | None] = [None] * len(part)
            if self._segmenter is not None:
                masks = masks_of(part, self._segmenter, _cache(), progress)
            for path, found, mask in zip(part, people, masks, strict=True):
                if found is not None and (mask is not None or self._segmenter is None):
                    seen[path] = found, mask
        self._seen = seen

    def look(self, photographs: Sequence[NDArray[np.uint8]], paths: Sequence[Path | None]) -> list[Found]:
        """People of photographs, in pixels of these, and which of the pixels they cover.

        Args:
            photographs: upright, uint8 (h, w, 3).
            paths: where each comes from, None for one that is in memory only.

        Raises:
            DoppelgramError: a file of ready-made keypoints does not name a photograph that was not prefetched.
        """
        self.require_named([path for path in paths if path is not None and path not in self._prefetched], every=True)
        if any(path is not None and path not in self._seen for path in paths):
            self.prefetch([path for path in paths if path is not None])
        found: list[Found] = []
        for pixels, path in zip(photographs, paths, strict=True):
            height, width = pixels.shape[:2]
            if path is not None and path in self._seen:
                people, mask = self._seen[path]
                found.append((people.scaled(width, height), mask.at(width, height) if mask is not None else None))
            else:
                covered = self._segmenter.person_mask(pixels) if self._segmenter is not None else None
                found.append((self._in_memory(pixels), covered))
        return found

    def _in_memory(self, pixels: NDArray[np.uint8]) -> People:
        if self._estimator is None or isinstance(self._estimator, KnownPeople):
            raise DoppelgramError("ready-made keypoints go by file names: give files, not arrays")
        return self._estimator.estimate([pixels])[0]

    def _people(self, paths: Sequence[Path], progress: Callable[[int], None] | None) -> Sequence[People | None]:
        if self._estimator is not None:
            cache = None if isinstance(self._estimator, KnownPeople) else _cache()
            return people_of(paths, self._estimator, cache, progress)
        by_file: dict[KnownPeople, list[Path]] = {}
        for path in paths:
            known = self._known_beside(path)
            if known is None:
                raise DoppelgramError(
                    f"{path}: people come from ready-made keypoints here, and there is no {KEYPOINTS_FILE} beside it "
                    "or in the folders above; give --keypoints FILE"
                )
            by_file.setdefault(known, []).append(path)
        found: dict[Path, People | None] = {}
        for known, those in by_file.items():
            found.update(zip(those, people_of(those, known, None, progress), strict=True))
        return [found[path] for path in paths]

    def _known_beside(self, path: Path) -> KnownPeople | None:
        """The nearest file of keypoints in the photograph's folder or above it."""
        for folder in list(path.absolute().parents)[: _ABOVE + 1]:
            if folder not in self._beside:
                file = folder / KEYPOINTS_FILE
                self._beside[folder] = KnownPeople(file) if file.is_file() else None
            known = self._beside[folder]
            if known is not None:
                return known
        return None


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
    """Refuse other weights. A key ends in a number that counts how the program uses them; any of these will do."""
    if wanted and here.rpartition("-")[0] != wanted.rpartition("-")[0]:
        raise DoppelgramError(
            f"the model was trained with {what} by '{wanted}', but the weights that were found are '{here}'; "
            "give --weights DIR with the same ones"
        )


def _cache() -> Path:
    return cache_folder() / "poses"
