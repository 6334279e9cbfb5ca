"""What lies around each image: its neighbours, its nearest class-mates and its nearest image of another class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doppelgram.space.exact import Float32, Float64, Int64, block_rows, nearest, pair_distances


@dataclass(frozen=True)
class Surroundings:
    """The neighbours of n images; where there are fewer than k, distances are inf and rows -1.

    Attributes:
        vectors: (n, d) embeddings.
        codes: (n,) class of each image, a position in ``names``.
        names: the classes, sorted.
        near: (n, k) distances of the nearest images.
        near_rows: (n, k) their rows.
        mate: (n, k) distances of the nearest images of the own class.
        mate_rows: (n, k) their rows.
        rival: (n,) nearest image of another class, -1 without one.
        rival_distance: (n,) its distance.
    """

    vectors: Float32
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


def look_around(
    found: Float32, labels: NDArray[np.str_], content: NDArray[Any], k: int, *, block: int | None = None
) -> Surroundings:
    """Find each image's neighbours; memory is O(block x n).

    Files with the same content are no neighbours of each other: a copy is no independent witness. They may be rivals.

    Args:
        found: (n, d) embeddings.
        labels: (n,) class names.
        content: (n,) content hashes.
        k: how many neighbours and class-mates.
        block: images compared at a time.
    """
    names, inverse = np.unique(labels, return_inverse=True)
    codes = inverse.astype(np.int64)
    files = np.unique(content, return_inverse=True)[1]
    near, near_rows = nearest(found, found, k, query_ids=files, gallery_ids=files, block=block)
    mate, mate_rows = np.full(near.shape, np.inf), np.full(near.shape, -1, dtype=np.int64)
    for members in np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1]):
        inside = found[members]
        distances, where = nearest(inside, inside, k, query_ids=files[members], gallery_ids=files[members], block=block)
        mate[members], mate_rows[members] = distances, np.where(where < 0, -1, members[where])
    rival = _nearest_rival(found, codes, block)
    rival_distance = np.full(len(found), np.inf)
    rows = np.flatnonzero(rival >= 0)
    rival_distance[rows] = pair_distances(found, found, rows, rival[rows])
    return Surroundings(
        found, codes, [str(name) for name in names], near.astype(np.float64), near_rows, mate, mate_rows, rival,
        rival_distance,
    )  # fmt: skip


def _nearest_rival(found: Float32, codes: Int64, block: int | None) -> Int64:
    """Nearest image of another class, -1 if there is no other class."""
    n = len(found)
    rival = np.full(n, -1, dtype=np.int64)
    if not n or (codes == codes[0]).all():
        return rival
    norms = np.einsum("ij,ij->i", found, found)
    step = block_rows(n, block)
    for start in range(0, n, step):
        part = slice(start, start + step)
        keys = norms - 2 * (found[part] @ found.T)
        keys[codes[part, None] == codes[None, :]] = np.inf
        rival[part] = keys.argmin(axis=1)
    return rival
