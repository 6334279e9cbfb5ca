"""Exact nearest neighbours in memory: blocked matrix products choose candidates, an exact measure decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from doppelgram.errors import DoppelgramError

Float32: TypeAlias = NDArray[np.float32]
Float64: TypeAlias = NDArray[np.float64]
Int64: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]
Ids: TypeAlias = "Sequence[str] | NDArray[Any]"

# Elements of one block of distances: 64 MB in float32, enough rows for the matrix product to run at full speed.
BLOCK_ELEMENTS = 16_000_000
# Elements gathered at a time where candidates are measured by direct difference in float64.
_REFINE_ELEMENTS = 4_000_000
# Candidates beyond k that the first pass keeps, so that rounding seldom sends a query to the slow path.
_SPARE = 8


class Named(Protocol):
    """Rows that have names, of which those of one name can be looked up."""

    def __len__(self) -> int:
        """How many rows there are."""

    def rows_named(self, name: Any, /) -> Sequence[int]:
        """The rows with this name, ascending."""


class ListedNames:
    """Names given as a list, one a row."""

    def __init__(self, names: list[Any]) -> None:
        self._names = names

    def __len__(self) -> int:
        return len(self._names)

    def rows_named(self, name: Any, /) -> Sequence[int]:
        return self._rows.get(name, [])

    @cached_property
    def _rows(self) -> dict[Any, list[int]]:
        rows: dict[Any, list[int]] = {}
        for row, name in enumerate(self._names):
            rows.setdefault(name, []).append(row)
        return rows


def vectors(values: Any, name: str, dim: int = 0) -> Float32:
    """Check embeddings and return them as a contiguous float32 array of shape (n, d), d being ``dim`` if that is given.

    Raises:
        DoppelgramError: not a table of numbers, no columns, a row with a NaN or an infinity (the row is named), or of
            another size.
    """
    try:
        array = np.ascontiguousarray(values, dtype=np.float32)
    except (TypeError, ValueError):
        raise DoppelgramError(f"{name}: embeddings must be a table of numbers, one row an image") from None
    if array.ndim != 2 or array.shape[1] == 0:
        raise DoppelgramError(f"{name}: embeddings must have shape (images, dimensions), not {array.shape}")
    if dim and array.shape[1] != dim:
        raise DoppelgramError(f"the {name} have {array.shape[1]} dimensions, not {dim}; embed both with the same model")
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


class Ranker(Protocol):
    """What orders a gallery of n vectors: keys by matrix products, and an exact measure for close calls.

    Attributes:
        size: n.
    """

    size: int

    @property
    def dtype(self) -> type[np.floating[Any]]:
        """In which two exact measures count as equal, and keys are held."""

    @property
    def rows(self) -> int:
        """Queries at a time that keep a block of keys small."""

    def keys(self, queries: Float32, out: NDArray[Any] | None = None) -> tuple[NDArray[Any], NDArray[Any]]:
        """Keys (b, n), finite and smaller the nearer, within rounding; and a scale (b,) for `rounding` and `limit`.

        Args:
            queries: (b, dim).
            out: where keys may be written, (b, n) of type `dtype`.
        """

    def rounding(self, keys: NDArray[Any], scale: NDArray[Any]) -> NDArray[Any]:
        """How far off a key may be in all likelihood; the arguments broadcast."""

    def limit(self, reach: Float64, scale: NDArray[Any]) -> Float64:
        """The largest key (b,) that an image as near as the exact measure ``reach`` (b,) may have."""

    def exact(self, queries: Float32, rows: Int64, columns: Int64) -> Float64:
        """The measure itself, (p,), of query rows and gallery columns, in the order of the keys."""


def nearest_columns(
    ranker: Ranker,
    queries: Float32,
    k: int,
    own: Mapping[int, Sequence[int]],
    left_out: Sequence[int] | Int64 = (),
) -> tuple[Int64, NDArray[Any]]:
    """Gallery rows (q, k) of the nearest and their exact measure; -1 and inf where there are fewer.

    A block of queries is compared with the whole gallery by a matrix product; what its rounding leaves open is
    measured again. Equal ones stand in gallery order. Memory is O(block x n).

    Args:
        ranker: of the gallery.
        queries: (q, dim).
        k: 1 or more.
        own: gallery rows that a query must not find, by the query's row.
        left_out: gallery rows that no query finds.
    """
    if k < 1:
        raise DoppelgramError(f"k is {k}; ask for 1 neighbour or more")
    count, n = len(queries), ranker.size
    columns = np.full((count, k), -1, dtype=np.int64)
    measures = np.full((count, k), np.inf, dtype=ranker.dtype)
    if count == 0 or n == 0:
        return columns, measures
    buffer = np.empty((min(ranker.rows, count), n), dtype=ranker.dtype)
    for start in range(0, count, len(buffer)):
        part = queries[start : start + len(buffer)]
        keys, scale = ranker.keys(part, buffer[: len(part)])
        if len(left_out):
            keys[:, left_out] = np.inf
        for row in range(len(part)):
            keys[row, own.get(start + row, [])] = np.inf
        few = min(k, n)
        found, where = _decide(ranker, part, keys, scale, few)
        measures[start : start + len(part), :few] = found
        columns[start : start + len(part), :few] = where
    return columns, measures


def _decide(
    ranker: Ranker, queries: Float32, keys: NDArray[Any], scale: NDArray[Any], k: int
) -> tuple[NDArray[Any], Int64]:
    """The k nearest of a block; where more than the first candidates may be among them, all of those are measured."""
    n = keys.shape[1]
    columns = smallest_columns(keys, min(n, k + _SPARE))
    last = np.take_along_axis(keys, columns[:, -1:], axis=1)[:, 0].astype(np.float64)
    allowed = np.isfinite(np.take_along_axis(keys, columns, axis=1))
    measures, columns = _measure(ranker, queries, columns, allowed)
    measures, columns = measures[:, :k], columns[:, :k]
    if min(n, k + _SPARE) == n:
        return measures, columns
    limit = ranker.limit(measures[:, -1].astype(np.float64), scale)
    for row in np.flatnonzero(np.isfinite(last) & (limit >= last)):
        near = np.flatnonzero(keys[row] <= limit[row])[None, :]
        found, where = _measure(ranker, queries[row : row + 1], near, np.isfinite(keys[row, near]))
        measures[row], columns[row] = found[0, :k], where[0, :k]
    return measures, columns


def _measure(ranker: Ranker, queries: Float32, columns: Int64, allowed: Bools) -> tuple[NDArray[Any], Int64]:
    """Exact measures of candidate columns (b, c), each row in their order, then by column; inf and -1 if refused."""
    rows = np.repeat(np.arange(len(queries)), columns.shape[1])
    measures = ranker.exact(queries, rows, columns.ravel()).reshape(columns.shape).astype(ranker.dtype)
    measures[~allowed] = np.inf
    order = np.lexsort((columns, measures), axis=1)
    measures = np.take_along_axis(measures, order, axis=1)
    columns = np.take_along_axis(columns, order, axis=1)
    columns[np.isinf(measures)] = -1
    return measures, columns


def named(ids: Ids | Named | None, count: int) -> Named | None:
    """Names of ``count`` gallery rows, ready to be looked up; raises DoppelgramError if there are not as many."""
    if ids is None or not hasattr(ids, "rows_named"):
        return None if ids is None else ListedNames(listed(ids, count, "gallery"))
    return ids


def self_matches(query_ids: Ids | None, gallery: Named | None, count: int) -> dict[int, Sequence[int]]:
    """Gallery rows that each of ``count`` queries must not find: those with its own id.

    Raises:
        DoppelgramError: ids of the queries alone, or not one a query.
    """
    if query_ids is None:
        return {}
    if gallery is None:
        raise DoppelgramError("query_ids are given but no gallery_ids; give both, or neither")
    found = (gallery.rows_named(name) for name in listed(query_ids, count, "queries"))
    return {query: rows for query, rows in enumerate(found) if rows}


def listed(values: Any, count: int, side: str, what: str = "ids") -> list[Any]:
    """What is given of each image as a list; raises DoppelgramError if there is not one for each."""
    found = list(values.tolist() if hasattr(values, "tolist") else values)
    if len(found) != count:
        raise DoppelgramError(f"{side}: {count} embeddings but {len(found)} {what}; give one an image")
    return found
