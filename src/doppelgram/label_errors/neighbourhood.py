"""What lies around each image: its neighbours, its nearest class-mates and its nearest image of another class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from doppelgram.errors import DoppelgramError
from doppelgram.space.exact import Float32, Float64, Int64, vectors
from doppelgram.space.space import Index, Space


@dataclass(frozen=True)
class LabelledImages:
    """Embedded images whose labels are to be checked, one row each.

    Attributes:
        space: of the vectors.
        vectors: (n, dim) float32.
        labels: (n,) class names.
        content: (n,) content hash of each file.
        parts: (n,) part of the split; empty where there is none.
        requested: (n,) images to report on; the others still are neighbours.

    Raises:
        DoppelgramError: lengths that do not fit, an empty label or unusable embeddings.
    """

    space: Space
    vectors: Float32
    labels: Any
    content: Any
    parts: Any = None
    requested: Any = None

    def __post_init__(self) -> None:
        found = vectors(self.vectors, "embeddings")
        n = len(found)
        columns = {
            "vectors": found,
            "labels": np.asarray(self.labels).astype(str),
            "content": np.asarray(self.content),
            "parts": np.full(n, "", dtype=np.str_) if self.parts is None else np.asarray(self.parts),
            "requested": np.ones(n, dtype=bool) if self.requested is None else np.asarray(self.requested),
        }
        for what, values in columns.items():
            if len(values) != n:
                raise DoppelgramError(f"there are {n} embeddings but {len(values)} {what}; give one an image")
            object.__setattr__(self, what, values)
        if (self.labels == "").any():
            row = int(np.argmax(self.labels == ""))
            raise DoppelgramError(f"the image in row {row} has no label; leave unlabelled images out")

    def distance(self, row: int, other: int) -> float:
        """Of two images."""
        return float(self.space.distance(self.vectors[[row]], self.vectors[[other]])[0])


@dataclass(frozen=True)
class Neighbourhood:
    """The neighbours of n images; where there are fewer than k, distances are inf and rows -1.

    Attributes:
        codes: (n,) class of each image, a position in ``names``.
        names: the classes, sorted.
        near: (n, k) distances of the nearest images.
        near_rows: (n, k) their rows.
        mate: (n, k) distances of the nearest images of the own class.
        mate_rows: (n, k) their rows.
        rival: (n,) nearest image of another class, -1 without one.
        rival_distance: (n,) its distance.
    """

    codes: Int64
    names: list[str]
    near: Float64
    near_rows: Int64
    mate: Float64
    mate_rows: Int64
    rival: Int64
    rival_distance: Float64

    @property
    def spread(self) -> Float64:
        """(n,) mean distance to the nearest images of the own class; NaN without one."""
        known = np.isfinite(self.mate)
        total = np.where(known, self.mate, 0.0).sum(axis=1)
        found: Float64 = np.divide(total, known.sum(axis=1), out=np.full(len(total), np.nan), where=known.any(axis=1))
        return found


def neighbourhood(images: LabelledImages, k: int) -> Neighbourhood:
    """Find each image's k neighbours and class-mates; memory is O(block x n).

    Files with the same content are no neighbours of each other: a copy is no independent witness. They may be rivals.
    """
    names, inverse = np.unique(images.labels, return_inverse=True)
    codes = inverse.astype(np.int64)
    files = np.unique(images.content, return_inverse=True)[1]
    space, found = images.space, images.vectors
    index = space.index(found, files)
    around = index.nearest(found, k, query_ids=files)
    mate, mate_rows = np.full(around.positions.shape, np.inf), np.full(around.positions.shape, -1, dtype=np.int64)
    for members in np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1]):
        inside = space.index(found[members], files[members]).nearest(found[members], k, query_ids=files[members])
        mate[members] = inside.distances
        mate_rows[members] = np.where(inside.positions < 0, -1, members[inside.positions])
    rival = _nearest_rival(index, codes)
    rival_distance = np.full(len(found), np.inf)
    rows = np.flatnonzero(rival >= 0)
    rival_distance[rows] = space.distance(found[rows], found[rival[rows]])
    return Neighbourhood(
        codes,
        [str(name) for name in names],
        around.distances.astype(np.float64),
        around.positions,
        mate,
        mate_rows,
        rival,
        rival_distance,
    )


def _nearest_rival(index: Index, codes: Int64) -> Int64:
    """Nearest image of another class, -1 if there is no other class."""
    n = len(codes)
    rival = np.full(n, -1, dtype=np.int64)
    if not n or (codes == codes[0]).all():
        return rival
    ranker = index.ranker()
    for start in range(0, n, ranker.rows):
        part = slice(start, start + ranker.rows)
        keys, _ = ranker.keys(index.gallery[part])
        keys[codes[part, None] == codes[None, :]] = np.inf
        rival[part] = keys.argmin(axis=1)
    return rival
