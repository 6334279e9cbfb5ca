"""Photographs that a catalog holds more than once: saved again, made smaller, brighter, or without colours.

Files with the same bytes are one row of a catalog already. What is left are near copies: images whose vectors are
nearer than three quarters of the usual distance, and whose small pictures in the catalog have the same perceptual hash
but for an eighth of its bits. Vectors alone do not tell: a network sees a photograph that was made smaller as something
else, and one that was trained on classes sees all images of a class as one. See docs/decisions.md for what was
measured. Where a distance is given, it alone decides; that also finds crops, of which a hash knows nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from doppelgram.catalog.search.gallery import Gallery
from doppelgram.catalog.search.where import Where
from doppelgram.catalog.store import Catalog
from doppelgram.console import Progress
from doppelgram.errors import DoppelgramError
from doppelgram.images.near_copies import MOST_DIFFERENT, WORDS, differing_bits, hash_of_jpeg
from doppelgram.space.background import background
from doppelgram.space.close_pairs import close_pairs
from doppelgram.space.euclidean import EuclideanSpace
from doppelgram.space.exact import Float32, Int64, pair_distances
from doppelgram.space.space import Space

REACH = 0.75
"""Share of the median distance of two images up to which their pictures are compared."""
_FACTS = ("id", "path", "name", "label", "author", "timestamp")
_EDGES = 2_000_000
_NO_TIME = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Copy:
    """One image of a group; ``distance`` is that of its vector to the group's first."""

    id: str
    path: str
    name: str
    label: str
    author: str
    timestamp: datetime | None
    distance: float


@dataclass(frozen=True)
class Duplicates:
    """Near copies of a catalog.

    Attributes:
        images: how many were looked at.
        usual: median distance of two of them.
        reach: distance up to which two were compared.
        pictures: whether their small pictures decided; else the distance did.
        groups: of two or more, the largest first; in each, the earliest first, then by path.
        without_picture: how many have no small picture of their own, so that they were not compared by pictures.
    """

    images: int
    usual: float
    reach: float
    pictures: bool
    groups: list[list[Copy]]
    without_picture: int = 0

    @property
    def copies(self) -> int:
        """Images beyond the first of each group."""
        return sum(len(group) - 1 for group in self.groups)


def find_duplicates(
    catalog: Catalog, space: Space, progress: Progress, *, distance: float | None = None, where: Where | None = None
) -> Duplicates:
    """Group the near copies of a catalog; by place, where a model tells places and poses apart.

    Memory is that of the vectors, two times, and of the blocks that are compared.

    Args:
        catalog: whose rows are compared.
        space: of its model.
        progress: where it is shown.
        distance: up to which two images are copies by their vectors alone; no pictures are compared then.
        where: condition that both have to fulfil.

    Raises:
        DoppelgramError: there are fewer than two images, or the distance is not 0 or more.
    """
    if distance is not None and not 0 <= distance < float("inf"):
        raise DoppelgramError(f"--distance is {distance:g}; it is 0 or more")
    columns = [*_FACTS, "vector"]
    table = catalog.arrow(list(dict.fromkeys([*columns, *(where.columns if where else ())])))
    table = table.filter(where.mask(table)) if where else table
    if table.num_rows < 2:
        raise DoppelgramError(f"{catalog.location}: two images or more are needed to find copies")
    gallery = Gallery(table.select(columns), catalog.dim)
    place = next((part for part in space.parts if part == "place"), "")
    vectors = space.coordinates(gallery.vectors, place)
    usual = float(np.median(background(EuclideanSpace(vectors.shape[1]), vectors).distances))
    reach = REACH * usual if distance is None else distance
    hashes = _hashes(catalog, gallery, progress) if distance is None else None
    with progress.bar(f"comparing {len(gallery):,} images", len(gallery)) as advance:
        joined = _joined(vectors, reach, hashes, advance)
    groups = [_group(gallery, vectors, rows) for rows in joined]
    groups.sort(key=lambda group: (-len(group), group[0].path))
    without = 0 if hashes is None else int((~hashes.any(1)).sum())
    return Duplicates(len(gallery), usual, reach, hashes is not None, groups, without)


def _joined(
    vectors: Float32, reach: float, hashes: NDArray[np.uint64] | None, advance: Callable[[int], None]
) -> list[Int64]:
    """Rows of each group of two or more."""
    joined = Groups(len(vectors))
    for left, right, _ in close_pairs(vectors, reach, advance=advance):
        if hashes is not None:
            one, other = hashes[left], hashes[right]
            same = (differing_bits(one, other) <= MOST_DIFFERENT) & one.any(1) & other.any(1)
            left, right = left[same], right[same]
        joined.add(left, right)
    return joined.rows()


class Groups:
    """Which of n rows hang together; memory stays small however many pairs come."""

    def __init__(self, n: int) -> None:
        self._number = np.arange(n)
        self._left: list[Int64] = []
        self._right: list[Int64] = []
        self._held = 0

    def add(self, left: Int64, right: Int64) -> None:
        """Join the rows of pairs."""
        self._left.append(left)
        self._right.append(right)
        self._held += len(left)
        if self._held > _EDGES:
            self._settle()

    def rows(self) -> list[Int64]:
        """The rows of each group of two or more, ascending."""
        self._settle()
        order = np.argsort(self._number, kind="stable")
        ends = np.flatnonzero(np.diff(self._number[order])) + 1
        return [rows for rows in np.split(order, ends) if len(rows) > 1]

    def _settle(self) -> None:
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        n = len(self._number)
        left = np.concatenate([np.arange(n), *self._left])
        right = np.concatenate([self._number, *self._right])
        graph = coo_array((np.ones(len(left), dtype=np.int8), (left, right)), shape=(n, n))
        _, numbers = connected_components(graph, directed=False)
        # The number of a group is its first row, so that it is a row to join the others to.
        _, first = np.unique(numbers, return_index=True)
        self._number = first[numbers]
        self._left, self._right, self._held = [], [], 0


def _group(gallery: Gallery, vectors: Float32, rows: Int64) -> list[Copy]:
    """The images of a group, the earliest first."""
    known = [(gallery.row(int(row)), int(row)) for row in rows]
    known.sort(key=lambda one: (one[0]["timestamp"] or _NO_TIME, one[0]["path"], one[0]["id"]))
    ordered = np.array([row for _, row in known])
    distances = pair_distances(vectors, vectors, np.full(len(ordered), ordered[0]), ordered)
    return [
        Copy(**{name: row[name] for name in _FACTS}, distance=float(distance))
        for (row, _), distance in zip(known, distances, strict=True)
    ]


def _hashes(catalog: Catalog, gallery: Gallery, progress: Progress) -> NDArray[np.uint64]:
    """The perceptual hash of each row's small picture, uint64 (n, WORDS); zeros where there is none.

    Faces of one photograph have one picture, which says nothing of them: only the largest has a hash.
    """
    hashes = np.zeros((len(gallery), WORDS), dtype=np.uint64)
    with progress.bar("looking at small pictures", len(catalog)) as advance:
        for batch in catalog.table.search().select(["id", "thumbnail"]).to_batches():
            for id_, jpeg in zip(batch.column("id").to_pylist(), batch.column("thumbnail").to_pylist(), strict=True):
                for row in gallery.rows_named(id_)[:1]:
                    hashes[row] = hash_of_jpeg(jpeg or b"")
            advance(batch.num_rows)
    return hashes
