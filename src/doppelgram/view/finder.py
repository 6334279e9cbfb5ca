"""Points of photographs on disk, people left out: looked for once, and kept by the photograph's content."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from doppelgram.errors import DoppelgramError
from doppelgram.files import written_whole
from doppelgram.images.read import Extra, Source, Want, read
from doppelgram.pose.extras import MASK, MaskExtra
from doppelgram.pose.segmenter import PersonMask, Segmenter, make_segmenter
from doppelgram.view.points import SIDE, ViewPoints, XFeat, open_xfeat
from doppelgram.view.same_view import NO_OPENCV, SameView, same_view
from doppelgram.weights import cache_folder

_POINTS = "points"
# People are widened by discs of so many pixels in a mask of so many a side; see ``docs/decisions.md``.
_ROUND, _MASK = 25, 320


class _PointsExtra:
    """The points of a photograph as an extra of `images.read`.

    They take a hundred kilobytes a photograph, so that each lies in a file of its own and only those asked for are
    read.
    """

    at_least = SIDE

    def __init__(self, xfeat: XFeat, folder: Path) -> None:
        self._xfeat, self._folder = xfeat, folder / xfeat.key

    def _file(self, digest: str) -> Path:
        return self._folder / digest[:2] / f"{digest}.npz"

    def cached(self, digest: str) -> ViewPoints | None:
        """See `Extra`; a file that cannot be read counts as not being there."""
        try:
            with np.load(self._file(digest), allow_pickle=False) as kept:
                return ViewPoints(kept["places"], kept["descriptors"], *map(int, kept["size"]))
        except (OSError, ValueError, KeyError, EOFError):
            return None

    def compute(self, source: Source, image: Image.Image, size: tuple[int, int], digest: str) -> ViewPoints:
        """See `Extra`."""
        found = self._xfeat.points(image, size)
        if digest:
            with written_whole(self._file(digest)) as aside, aside.open("wb") as file:
                np.savez(file, places=found.places, descriptors=found.descriptors, size=np.array(size))
        return found

    def flush(self) -> None:
        """See `Extra`: everything is written already."""


class ViewFinder:
    """Says of photographs on disk whether they show the same view."""

    def __init__(self, xfeat: XFeat, segmenter: Segmenter) -> None:
        """Take what finds points, and what tells people from the place; what they find is kept in the user's cache."""
        cache = cache_folder()
        self._extras: dict[str, Extra] = {
            _POINTS: _PointsExtra(xfeat, cache / "views"),
            MASK: MaskExtra(segmenter, cache / "poses"),
        }
        self._known: dict[Path, ViewPoints | None] = {}

    def points(self, files: Sequence[Path], progress: Callable[[int], None] | None = None) -> list[ViewPoints | None]:
        """Points of each photograph outside people; None where it cannot be read.

        Args:
            files: photographs; what was asked for before is remembered.
            progress: called with 1 after each photograph that is new.
        """
        new = [file for file in dict.fromkeys(files) if file not in self._known]
        with closing(read(new, Want(extras=self._extras), keep_duplicates=True)) as photographs:
            for file, photograph in zip(new, photographs, strict=True):
                found: ViewPoints | None = photograph.extras.get(_POINTS)
                if found is not None:
                    found = found.outside(_widened(photograph.extras[MASK]))
                self._known[file] = found
                if progress is not None:
                    progress(1)
        return [self._known[file] for file in files]

    def compare(
        self, pairs: Sequence[tuple[Path, Path]], progress: Callable[[int], None] | None = None
    ) -> list[SameView | None]:
        """Whether both photographs of each pair show the same view; None where one cannot be read.

        Args:
            pairs: files of two photographs each.
            progress: called with 1 after each photograph that was looked at.
        """
        points = self.points([file for pair in pairs for file in pair], progress)
        return [
            None if a is None or b is None else same_view(a, b) for a, b in zip(points[::2], points[1::2], strict=True)
        ]


def _widened(mask: PersonMask) -> NDArray[np.bool_]:
    """Where people are and a little round them: what a segmenter misses of an arm would match at any place."""
    import cv2

    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_ROUND, _ROUND))
    return np.asarray(cv2.dilate(mask.at(_MASK, _MASK).astype(np.uint8), disc) > 0)


def open_views(weights: Path | None = None) -> ViewFinder:
    """Look up what compares views.

    Args:
        weights: folder in which weights are looked up first.

    Raises:
        DoppelgramError: OpenCV or XFeat's weights are missing, or those that tell people from the place.
    """
    if find_spec("cv2") is None:
        raise DoppelgramError(NO_OPENCV)
    return ViewFinder(open_xfeat(weights), make_segmenter(weights=weights))


def asked_view(asked: bool | None, weights: Path | str | None = None) -> ViewFinder | None:
    """What compares views, or None where nobody wants it.

    Args:
        asked: None where it is wanted only if its parts are here.
        weights: folder in which weights are looked up first.

    Raises:
        DoppelgramError: it is asked for and a part is missing.
    """
    if asked is False:
        return None
    try:
        return open_views(None if weights is None else Path(weights).expanduser())
    except DoppelgramError:
        if asked:
            raise
        return None
