"""Where each query finds its own class: one pass over blocks of distances that serves every retrieval metric."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doppelgram.catalog.exact import Float64, Int64, block_rows, smallest_columns
from doppelgram.evaluation.setting import Setting, expand_matches
from doppelgram.evaluation.voting import settle, vote

# Ranks that are always looked at, for CMC.
DEPTH = 20
# Up to this many distances everything is computed in float64; beyond, in float32 at half the time and memory.
_FLOAT64_DISTANCES = 25_000_000


@dataclass(frozen=True)
class Ranking:
    """What became of each query.

    Attributes:
        relevant: (q,) R, the gallery images of the query's class after leaving out the query itself.
        first: (q,) rank of the first relevant image from 1; 0 where it lies beyond the ranks looked at.
        r_precision: (q,) share of relevant images among the first R; 0 where R is 0.
        average_precision: (q,) average precision within the first R; 0 where R is 0.
        predicted: (q,) class named by the majority of the k nearest; -1 where there is no neighbour, or no vote.
    """

    relevant: Int64
    first: Int64
    r_precision: Float64
    average_precision: Float64
    predicted: Int64


def rank(setting: Setting, *, knn: int = 1, depth: int = DEPTH, block: int | None = None) -> Ranking:
    """Rank the gallery by distance for each query.

    Among equal distances images of other classes come first: the worst case for the embedding. Distances are equal
    if their squares differ by no more than the rounding of the matrix product that computes them, taken as
    ``2 (sqrt(d) + 4) eps (|a|^2 + (|a| + distance)^2)`` after centring: the probabilistic bound of Higham and Mary
    (SIAM Journal on Scientific Computing 41, 2019) for vectors of length d, one of them a and the other no further
    away than that. eps is float64's up to 25 million distances and float32's beyond. Hence no result is better than
    the exact one by way of rounding, and exact duplicates count as ties.

    Every relevant image within the first R is looked at, however large R is. Memory is O(block x n).

    Args:
        setting: queries and gallery.
        knn: neighbours that vote on the class (:mod:`.voting`); 0 for no vote.
        depth: ranks to look at besides the first R.
        block: queries handled at a time; by default as many as keep a block of distances near 64 MB.
    """
    count, n = len(setting.query), len(setting.gallery)
    ranking = Ranking(
        np.zeros(count, dtype=np.int64),
        np.zeros(count, dtype=np.int64),
        np.zeros(count),
        np.zeros(count),
        np.full(count, -1, dtype=np.int64),
    )
    if count == 0 or n == 0:
        return ranking
    dtype = np.float64 if count * n <= _FLOAT64_DISTANCES else np.float32
    centre = setting.gallery.mean(axis=0, dtype=np.float64)
    gallery = (setting.gallery - centre).astype(dtype)
    norms = np.einsum("ij,ij->i", gallery, gallery)
    tolerance = 2 * (np.sqrt(gallery.shape[1]) + 4) * float(np.finfo(dtype).eps)
    # |b|^2 rides along as one more column, so that a single product gives |b|^2 - 2ab.
    extended = np.vstack([gallery.T, norms])
    by_class = np.argsort(setting.query_codes, kind="stable")
    step = min(block_rows(n, block), count)
    buffer = np.empty((step, n), dtype=dtype)
    for start in range(0, count, step):
        rows = by_class[start : start + step]
        query = (setting.query[rows] - centre).astype(dtype)
        own = np.einsum("ij,ij->i", query, query)
        weights = np.hstack([-2 * query, np.ones((len(rows), 1), dtype=dtype)])
        keys = np.matmul(weights, extended, out=buffer[: len(rows)])
        i, j = expand_matches(setting.query_codes[rows], setting.gallery_codes)
        keys[i, j] += rounding(keys[i, j], own[i], tolerance)
        relevant = np.bincount(i, minlength=len(rows))
        i, j = setting.same_image(rows)
        keys[i, j] = np.inf
        lost = setting.gallery_codes[j] == setting.query_codes[rows[i]]
        relevant -= np.bincount(i[lost], minlength=len(rows))
        columns = smallest_columns(keys, min(n, max(int(relevant.max()), depth, knn)))
        values = np.take_along_axis(keys, columns, axis=1)
        classes = np.where(np.isinf(values), -1, setting.gallery_codes[columns])
        _score(classes == setting.query_codes[rows][:, None], relevant, rows, ranking)
        if knn:
            slack = rounding(values[:, :knn], own[:, None], tolerance)
            ranking.predicted[rows] = vote(settle(setting, rows, columns, values, classes, slack))
    return ranking


def rounding(
    keys: NDArray[np.floating[Any]], own: NDArray[np.floating[Any]], tolerance: float
) -> NDArray[np.floating[Any]]:
    """How far off the key |b|^2 - 2ab of an image as near as this one may be; above 0 even for zero vectors."""
    squared = np.maximum(keys + own, 0)
    return tolerance * (own + (np.sqrt(own) + np.sqrt(squared)) ** 2) + np.finfo(keys.dtype).tiny


def _score(hits: NDArray[np.bool_], relevant: Int64, rows: Int64, ranking: Ranking) -> None:
    """Fill in the rows of ``ranking`` that belong to one block, from which ranks hold a relevant image."""
    places = np.arange(1, hits.shape[1] + 1)
    within = hits & (places <= relevant[:, None])
    # Dividing by 1 where R is 0 leaves the sums, which are 0 there, as they are.
    r = np.maximum(relevant, 1)
    ranking.relevant[rows] = relevant
    ranking.first[rows] = np.where(hits.any(axis=1), hits.argmax(axis=1) + 1, 0)
    ranking.r_precision[rows] = within.sum(axis=1) / r
    found, place = np.nonzero(within)
    precision = np.cumsum(within, axis=1, dtype=np.int32)[found, place] / (place + 1)
    ranking.average_precision[rows] = np.bincount(found, weights=precision, minlength=len(rows)) / r
