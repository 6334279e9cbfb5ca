"""Exact nearest neighbours in memory: blocked matrix products choose candidates, direct differences decide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from doppelgram.errors import DoppelgramError

Float32: TypeAlias = NDArray[np.float32]
Float64: TypeAlias = NDArray[np.float64]
Int64: TypeAlias = NDArray[np.int64]
Ids: TypeAlias = "Sequence[str] | NDArray[Any]"

# Elements of one block of distances: 64 MB in float32, enough rows for the matrix product to run at full speed.
BLOCK_ELEMENTS = 16_000_000
# Elements gathered at a time where candidates are measured by direct difference in float64.
_REFINE_ELEMENTS = 4_000_000
# Candidates beyond k that the first pass keeps, so that rounding seldom sends a query to the slow path.
_SPARE = 8


def vectors(values: Any, name: str) -> Float32:
    """Check embeddings and return them as a contiguous float32 array of shape (n, d).

    Raises:
        DoppelgramError: not a table of numbers, no columns, or a row with a NaN or an infinity; the row is named.
    """
    try:
        array = np.ascontiguousarray(values, dtype=np.float32)
    except (TypeError, ValueError):
        raise DoppelgramError(f"{name}: embeddings must be a table of numbers, one row an image") from None
    if array.ndim != 2 or array.shape[1] == 0:
        raise DoppelgramError(f"{name}: embeddings must have shape (images, dimensions), not {array.shape}")
    with np.errstate(over="ignore", invalid="ignore"):
        finite = np.isfinite(np.einsum("ij,ij->i", array, array))
    if not finite.all():
        row = int(np.argmin(finite))
        raise DoppelgramError(
            f"{name}: the embedding in row {row} holds a NaN, an infinity or a number past 1e18; embed that image again"
        )
    return array


def block_rows(gallery_size: int, block: int | None = None) -> int:
    """Queries handled at a time: ``block`` if given, otherwise as many as keep a block of distances near 64 MB."""
    if block is not None:
        if block < 1:
            raise DoppelgramError(f"block is {block}; it must be 1 or more")
        return block
    return max(1, min(512, BLOCK_ELEMENTS // max(gallery_size, 1)))


def smallest_columns(keys: NDArray[np.floating[Any]], k: int) -> Int64:
    """Columns of the k smallest keys of each row, ordered by key and then by column.

    Each row is cut into interleaved groups. An element among the k smallest lies in a group whose minimum is among
    the k smallest minima, so only those groups are looked into. That reads the row once, where a partial sort moves
    it several times. Rows with equal keys are settled one by one, so that ties always go to the lower column.

    Args:
        keys: (b, n), without NaN; infinities sort last.
        k: 1 <= k <= n.

    Returns:
        (b, k) int64.
    """
    columns, values, minima, looked_into = _candidates(keys, k)
    inner = np.argpartition(values, k - 1, axis=1)[:, :k]
    kept = np.take_along_axis(values, inner, axis=1)
    order = np.argsort(kept, axis=1)
    kept = np.take_along_axis(kept, order, axis=1)
    picked = np.take_along_axis(columns, np.take_along_axis(inner, order, axis=1), axis=1)
    worst = kept[:, -1:]
    unsettled = (kept[:, 1:] == kept[:, :-1]).any(axis=1)
    unsettled |= np.count_nonzero(values <= worst, axis=1) > k
    unsettled |= np.count_nonzero(minima <= worst, axis=1) > np.count_nonzero(looked_into <= worst, axis=1)
    for row in np.flatnonzero(unsettled):
        tied = np.flatnonzero(keys[row] <= worst[row])
        picked[row] = tied[np.argsort(keys[row, tied], kind="stable")[:k]]
    return picked


def _candidates(keys: NDArray[np.floating[Any]], k: int) -> tuple[Int64, NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Columns that hold the k smallest keys of each row, their keys, all groups' minima, and those looked into."""
    rows, n = keys.shape
    groups = 1 << int(min(2 * np.sqrt(n * k), n / 8)).bit_length()
    if groups < 2 * k or n < 1024:
        return np.broadcast_to(np.arange(n), keys.shape), keys, keys[:, :0], keys[:, :0]
    depth = n // groups
    rest = n - depth * groups
    minima = np.minimum.reduce(keys[:, : depth * groups].reshape(rows, depth, groups), axis=1)
    np.minimum(minima[:, :rest], keys[:, depth * groups :], out=minima[:, :rest])
    chosen = np.argpartition(minima, k - 1, axis=1)[:, :k]
    columns = (chosen[:, :, None] + groups * np.arange(depth + 1)).reshape(rows, -1)
    outside = columns >= n
    columns[outside] = n - 1
    # One flat take is several times as fast as take_along_axis.
    values = keys.reshape(-1).take(columns + n * np.arange(rows)[:, None])
    values[outside] = np.inf
    return columns, values, minima, np.take_along_axis(minima, chosen, axis=1)


def pair_distances(a: Float32, b: Float32, left: Int64, right: Int64) -> Float64:
    """Euclidean distances between rows ``a[left]`` and ``b[right]``, by direct difference in float64.

    Equal vectors are at exactly 0 and equal pairs at exactly equal distances, which the expansion
    ``|a|^2 + |b|^2 - 2ab`` does not give.

    Args:
        a: (n, d).
        b: (m, d).
        left: (p,) rows of ``a``.
        right: (p,) rows of ``b``.

    Returns:
        (p,) float64.
    """
    out = np.empty(len(left), dtype=np.float64)
    step = max(1, _REFINE_ELEMENTS // a.shape[1])
    for start in range(0, len(left), step):
        part = slice(start, start + step)
        difference = a[left[part]].astype(np.float64)
        difference -= b[right[part]]
        out[part] = np.einsum("ij,ij->i", difference, difference)
    return np.sqrt(out, out=out)


class ExactSearch:
    """A gallery prepared for repeated exact searches.

    Args:
        gallery: (n, d) float32 embeddings.
        ids: n names of the images (content hashes or paths); needed to leave self-matches out.

    Raises:
        DoppelgramError: as :func:`vectors`, or as many ids are not given as there are rows.
    """

    def __init__(self, gallery: Any, ids: Ids | None = None) -> None:
        self.gallery = vectors(gallery, "gallery")
        self.ids = None if ids is None else _ids(ids, len(self.gallery), "gallery")
        self._norms = np.einsum("ij,ij->i", self.gallery, self.gallery)

    def nearest(
        self, queries: Any, k: int, *, query_ids: Ids | None = None, block: int | None = None
    ) -> tuple[Float32, Int64]:
        """Search as :func:`nearest` does."""
        queries = vectors(queries, "queries")
        if queries.shape[1] != self.gallery.shape[1]:
            raise DoppelgramError(
                f"the queries have {queries.shape[1]} dimensions and the gallery {self.gallery.shape[1]}; "
                "embed both with the same model"
            )
        if k < 1:
            raise DoppelgramError(f"k is {k}; ask for 1 neighbour or more")
        left_out = self._self_matches(len(queries), query_ids)
        count, n = len(queries), len(self.gallery)
        distances = np.full((count, k), np.inf, dtype=np.float32)
        indices = np.full((count, k), -1, dtype=np.int64)
        if count == 0 or n == 0:
            return distances, indices
        step = block_rows(n, block)
        buffer = np.empty((min(step, count), n), dtype=np.float32)
        for start in range(0, count, step):
            part = queries[start : start + step]
            keys = np.matmul(-2.0 * part, self.gallery.T, out=buffer[: len(part)])
            keys += self._norms
            for row in range(len(part)):
                keys[row, left_out.get(start + row, [])] = np.inf
            found, where = self._decide(part, keys, min(k, n))
            distances[start : start + step, : found.shape[1]] = found
            indices[start : start + step, : found.shape[1]] = where
        return distances, indices

    def _self_matches(self, count: int, query_ids: Ids | None) -> dict[int, list[int]]:
        """Gallery rows that each query must not find: those with its own id."""
        if query_ids is None:
            return {}
        if self.ids is None:
            raise DoppelgramError("query_ids are given but no gallery_ids; give both, or neither")
        names = _ids(query_ids, count, "queries")
        rows: dict[Any, list[int]] = {name: [] for name in names}
        for row, name in enumerate(self.ids):
            if name in rows:
                rows[name].append(row)
        return {query: rows[name] for query, name in enumerate(names) if rows[name]}

    def _decide(self, queries: Float32, keys: Float32, k: int) -> tuple[Float32, Int64]:
        """The k nearest of a block, given approximate keys |b|^2 - 2ab; what the rounding leaves open is measured."""
        n = keys.shape[1]
        columns = smallest_columns(keys, min(n, k + _SPARE))
        last = np.take_along_axis(keys, columns[:, -1:], axis=1)[:, 0].astype(np.float64)
        allowed = np.isfinite(np.take_along_axis(keys, columns, axis=1))
        distances, columns = self._measure(queries, columns, allowed)
        distances, columns = distances[:, :k], columns[:, :k]
        if min(n, k + _SPARE) == n:
            return distances, columns
        # An image left out has a key of `last` or more. Rounding of a dot product of length d is at most d * eps / 2
        # of the norms (Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1), once for 2ab and
        # once for |b|^2; an image as near as the k-th has a norm of at most |a| + distance.
        own = np.einsum("ij,ij->i", queries, queries, dtype=np.float64)
        reach = distances[:, -1].astype(np.float64)
        slack = 2 * (queries.shape[1] + 2) * np.finfo(np.float32).eps * (own + (np.sqrt(own) + reach) ** 2)
        limit = reach * reach * (1 + 1e-6) - own + slack
        for row in np.flatnonzero(np.isfinite(last) & (limit >= last)):
            near = np.flatnonzero(keys[row] <= limit[row])[None, :]
            found, where = self._measure(queries[row : row + 1], near, np.isfinite(keys[row, near]))
            distances[row], columns[row] = found[0, :k], where[0, :k]
        return distances, columns

    def _measure(self, queries: Float32, columns: Int64, allowed: NDArray[np.bool_]) -> tuple[Float32, Int64]:
        """Distances to candidate columns (b, c), each row ordered by distance, then column; inf and -1 if refused."""
        rows = np.repeat(np.arange(len(queries)), columns.shape[1])
        exact = pair_distances(queries, self.gallery, rows, columns.ravel()).reshape(columns.shape)
        distances = exact.astype(np.float32)
        distances[~allowed] = np.inf
        order = np.lexsort((columns, distances), axis=1)
        distances = np.take_along_axis(distances, order, axis=1)
        columns = np.take_along_axis(columns, order, axis=1)
        columns[np.isinf(distances)] = -1
        return distances, columns


def nearest(
    queries: Any,
    gallery: Any,
    k: int,
    *,
    query_ids: Ids | None = None,
    gallery_ids: Ids | None = None,
    block: int | None = None,
) -> tuple[Float32, Int64]:
    """The k nearest gallery images of each query, exactly.

    A block of queries is compared with the whole gallery by one matrix product in float32; the candidates that
    rounding leaves in question are measured again by direct difference in float64. Hence duplicates are at exactly
    0, and ties are ties. Memory is O(block x n).

    Args:
        queries: (q, d) float32 embeddings.
        gallery: (n, d) float32 embeddings.
        k: neighbours wanted; may exceed n.
        query_ids: q names of the queries. Gallery images with the query's own id are never returned.
        gallery_ids: n names of the gallery images.
        block: queries handled at a time; by default as many as keep a block near 64 MB.

    Returns:
        Euclidean distances (q, k) float32 and gallery rows (q, k) int64, ordered by distance and then by row.
        Where fewer than k images remain, the rest is inf and -1.

    Raises:
        DoppelgramError: embeddings with NaN or infinity, shapes that do not fit, or ids for one side only.
    """
    return ExactSearch(gallery, gallery_ids).nearest(queries, k, query_ids=query_ids, block=block)


def _ids(ids: Ids, count: int, name: str) -> list[Any]:
    listed = ids.tolist() if isinstance(ids, np.ndarray) else list(ids)
    if len(listed) != count:
        raise DoppelgramError(f"{name}: there are {count} embeddings but {len(listed)} ids; give one id an image")
    return listed
