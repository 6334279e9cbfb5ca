"""All pairs of vectors within a distance of each other, without comparing all with all.

Vectors are put to their nearest of about the root of n centres. For two vectors p and q at a distance r, p nearest to
centre A and q to B, the difference ``f(x) = |x - B|² - |x - A|²`` is linear in x and changes by ``2 |A - B| r`` at most
from one to the other, is 0 or more at p and 0 or less at q: at one of both it is at most ``|A - B| r`` away from 0. So
it is enough to compare each vector with those of its own centre, and of the centres at which that holds for it. That is
exact, and for near copies, which are far nearer to each other than to anything else, few of a thousand centres remain.
Among the vectors of one centre only those are compared whose distances to the centre differ by r or less. Long vectors
are first turned so that few numbers tell most, and compared by these: that makes no distance larger, so that no pair is
lost, and what remains is measured in full.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from doppelgram.space.exact import Float32, Float64, Int64, pair_distances

_WIDEST, _WIDTH = 96, 64
_MOST_CENTRES, _SAMPLE, _STEPS = 2048, 32, 4
_CENTRES_AT_ONCE = 32
_BLOCK, _BLOCK_ROWS, _ROWS = 8_000_000, 512, 65_536


class ClosePairs(NamedTuple):
    """Pairs of rows and their distances, (m,) each; a pair may be there twice."""

    left: Int64
    right: Int64
    distance: Float64


def close_pairs(
    vectors: Float32, distance: float, *, advance: Callable[[int], None] | None = None
) -> Iterator[ClosePairs]:
    """Find all pairs of rows within a distance, a part of them at a time.

    Memory is O(block x n), besides a second copy of the vectors.

    Args:
        vectors: float32 (n, dim), finite.
        distance: Euclidean, 0 or more.
        advance: called with numbers of rows as they are finished, n in all.
    """
    if len(vectors) < 2:
        return
    cells = _Cells(vectors)
    for start in range(0, len(cells.centres), _CENTRES_AT_ONCE):
        group = range(start, min(start + _CENTRES_AT_ONCE, len(cells.centres)))
        squares = _squared(cells.centres[group], cells.centred, cells.squares)
        for row, centre in enumerate(group):
            limit = cells.own_square + distance * cells.between[centre][cells.own] + cells.slack
            rows = np.flatnonzero(squares[row] <= limit)
            yield from _within(cells, centre, rows, np.sqrt(np.maximum(squares[row, rows], 0)), distance)
        if advance:
            advance(int(np.isin(cells.own, group).sum()))


class _Cells:
    """Vectors (n, dim), centred and perhaps shorter, and the nearest of some centres of each."""

    def __init__(self, vectors: Float32) -> None:
        self.vectors = vectors
        some = vectors[:: max(1, len(vectors) // 4096)]
        mean = some.mean(0)
        basis = np.linalg.svd(some - mean, full_matrices=False)[2][:_WIDTH].T if vectors.shape[1] > _WIDEST else None
        width = vectors.shape[1] if basis is None else basis.shape[1]
        self.centred = np.empty((len(vectors), width), dtype=np.float32)
        for start in range(0, len(vectors), _ROWS):
            part = vectors[start : start + _ROWS] - mean
            self.centred[start : start + len(part)] = part if basis is None else part @ basis
        self.squares = np.einsum("ij,ij->i", self.centred, self.centred)
        # Rounding of squared distances by matrix products in float32, and of their differences.
        kind = np.finfo(np.float32)
        self.slack = float(4 * (width + 8) * kind.eps * self.squares.max() + kind.tiny)
        self.centres = _centres(self.centred)
        self.own, self.own_square = _assigned(self.centred, self.centres)
        self.between = np.sqrt(np.maximum(_squared(self.centres, self.centres), 0)) + np.sqrt(self.slack)


def _within(cells: _Cells, centre: int, rows: Int64, away: Float32, distance: float) -> Iterator[ClosePairs]:
    """Pairs of some rows with those of one centre; ``away`` are all rows' distances to it."""
    order = np.argsort(away)
    rows, away = rows[order], away[order].astype(np.float64)
    inside = cells.own[rows] == centre
    members, members_away = rows[inside], away[inside]
    if not len(members):
        return
    columns = np.empty((cells.centred.shape[1] + 1, len(members)), dtype=np.float32)
    columns[:-1], columns[-1] = cells.centred[members].T, -cells.squares[members] / 2
    slack = float(np.sqrt(cells.slack))
    step = max(1, min(_BLOCK_ROWS, _BLOCK // len(members)))
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        ends = away[[start, start + len(part) - 1]] + [-distance - slack, distance + slack]
        low, high = np.searchsorted(members_away, ends[0]), np.searchsorted(members_away, ends[1], side="right")
        if low == high:
            continue
        weights = np.hstack([cells.centred[part], np.ones((len(part), 1), dtype=np.float32)])
        least = (cells.squares[part] - distance * distance - cells.slack) / 2
        near = np.flatnonzero((weights @ columns[:, low:high] >= least[:, None]).ravel())
        left, right = part[near // (high - low)], members[low + near % (high - low)]
        # A pair of the same centre is there in both orders.
        once = (left < right) | (cells.own[left] != centre)
        left, right = left[once], right[once]
        found = pair_distances(cells.vectors, cells.vectors, left, right)
        kept = found <= distance
        if kept.any():
            yield ClosePairs(left[kept], right[kept], found[kept])


def _squared(a: Float32, b: Float32, b_squares: Float32 | None = None) -> Float32:
    """Squared distances of the rows of two tables, within rounding."""
    squares = a @ b.T
    squares *= -2
    squares += np.einsum("ij,ij->i", a, a)[:, None]
    squares += np.einsum("ij,ij->i", b, b) if b_squares is None else b_squares
    return squares


def _assigned(centred: Float32, centres: Float32) -> tuple[Int64, Float32]:
    """The nearest centre of each row, and the squared distance to it."""
    own, square = np.empty(len(centred), dtype=np.int64), np.empty(len(centred), dtype=np.float32)
    step = max(1, _BLOCK // len(centres))
    for start in range(0, len(centred), step):
        part = slice(start, start + step)
        found = _squared(centred[part], centres)
        own[part] = found.argmin(1)
        square[part] = np.take_along_axis(found, own[part, None], axis=1)[:, 0]
    return own, square


def _centres(centred: Float32) -> Float32:
    """About the root of n centres, by a few steps of Lloyd's method on some of the rows."""
    n = len(centred)
    count = max(1, min(_MOST_CENTRES, round(n**0.5)))
    some = centred[np.random.default_rng(0).permutation(n)[: count * _SAMPLE]]
    centres = np.unique(some[:count], axis=0)
    for _ in range(_STEPS):
        own, _square = _assigned(some, centres)
        sums = np.zeros_like(centres)
        np.add.at(sums, own, some)
        sizes = np.bincount(own, minlength=len(centres))
        centres = np.asarray(sums[sizes > 0] / sizes[sizes > 0, None].astype(np.float32), dtype=np.float32)
    return centres
