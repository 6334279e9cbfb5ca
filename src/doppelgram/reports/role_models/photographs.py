"""Photographs in the report, as the catalog keeps them: each once in the page, the largest with skeletons."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO

import numpy as np
from PIL import Image

from doppelgram.catalog.findings import people_from
from doppelgram.catalog.store import Catalog
from doppelgram.pose.skeleton import LIMBS, Keypoints

PORTRAIT_SIDE = 480
"""Long side in pixels of the largest picture in a report."""

_QUALITY, _THUMBNAIL = 82, 104
# Right limbs warm, left ones cool, the trunk's and head's neutral: for every kind of colour vision apart, and on grey
# paper the white edge under them still shows them.
_RIGHT, _LEFT, _MIDDLE = "#f08c1d", "#2f8fe0", "#ffffff"
_RIGHT_KEYPOINTS = frozenset((2, 3, 4, 8, 9, 10, 14, 16))
_LEFT_KEYPOINTS = frozenset((5, 6, 7, 11, 12, 13, 15, 17))
_HEAD = frozenset((0, 14, 15, 16, 17))


@dataclass(frozen=True)
class Picture:
    """A photograph made small.

    Attributes:
        jpeg: its bytes.
        width: in pixels.
        height: in pixels.
        people: keypoints (18, 3) of each person in pixels of this small picture; empty where nobody was found.
    """

    jpeg: bytes
    width: int
    height: int
    people: Sequence[Keypoints] = ()

    @property
    def bones(self) -> list[list[Bone]]:
        """The skeleton of each person."""
        return [skeleton(person) for person in self.people]


@dataclass(frozen=True)
class Bone:
    """A line between two keypoints, in pixels, with its colour."""

    x1: float
    y1: float
    x2: float
    y2: float
    colour: str


Pictures = Callable[[str, int], Picture | None]
"""Looks up the picture of a post by its path, at about the given long side in pixels; None where there is none."""


@dataclass
class PhotographStore:
    """The thumbnails of a page: looked up and written out once, however often they are drawn.

    Attributes:
        pictures: looks a post's picture up.
        jpegs: the thumbnails asked for so far, in the order of their numbers.
    """

    pictures: Pictures
    jpegs: list[bytes] = field(default_factory=list)
    _numbers: dict[str, int | None] = field(default_factory=dict)

    def number(self, path: str) -> int | None:
        """The number of a post's thumbnail in the page; None where there is none."""
        if path not in self._numbers:
            picture = self.pictures(path, _THUMBNAIL)
            self._numbers[path] = None if picture is None else len(self.jpegs)
            if picture is not None:
                self.jpegs.append(picture.jpeg)
        return self._numbers[path]


def skeleton(person: Keypoints) -> list[Bone]:
    """The bones of one person (18, 3) of which both ends are known."""
    known = np.isfinite(person[:, :2]).all(1) & (person[:, 2] > 0)
    bones = []
    for a, b in LIMBS:
        # Eyes and ears make a tangle on a small face; the line from neck to nose says where the head turns.
        if known[a] and known[b] and not (a in _HEAD and b in _HEAD):
            colour = _RIGHT if b in _RIGHT_KEYPOINTS else _LEFT if b in _LEFT_KEYPOINTS else _MIDDLE
            x1, y1, x2, y2 = (round(float(value), 1) for value in (*person[a, :2], *person[b, :2]))
            bones.append(Bone(x1, y1, x2, y2, colour))
    return bones


class CatalogPictures:
    """Looks up the picture of a post in the catalog: a `Pictures`."""

    def __init__(self, catalog: Catalog, digests: Mapping[str, str]) -> None:
        """Prepare to look up.

        Args:
            catalog: that holds the posts.
            digests: by the post's path, its id in the catalog.
        """
        self._catalog, self._digests = catalog, digests

    def __call__(self, path: str, side: int) -> Picture | None:
        """The picture at a long side of at most ``side`` pixels, and the people found in it; None if there is none."""
        digest = self._digests.get(path)
        if digest is None:
            return None
        stored = self._catalog.find([digest], ["thumbnail", "columns"])
        return small_picture(stored["thumbnail"].iloc[0], stored["columns"].iloc[0], side) if len(stored) else None


def small_picture(thumbnail: bytes, columns: str, side: int) -> Picture | None:
    """A picture that a catalog keeps, made smaller, and the people found in it; None where it cannot be read.

    Args:
        thumbnail: JPEG's bytes.
        columns: of its row, JSON text.
        side: long side in pixels that it has at most.
    """
    try:
        with Image.open(BytesIO(thumbnail), formats=["JPEG"]) as kept:
            image = kept.convert("RGB")
    except OSError:
        return None
    image.thumbnail((side, side), Image.Resampling.BICUBIC, reducing_gap=3.0)
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=_QUALITY)
    found: list[Keypoints] = []
    people = people_from(json.loads(columns or "{}"))
    if people is not None:
        scale = np.array([image.width / people.width] * 2 + [1.0], dtype=np.float32)
        found = [person * scale for person in people.keypoints]
    return Picture(buffer.getvalue(), *image.size, found)
