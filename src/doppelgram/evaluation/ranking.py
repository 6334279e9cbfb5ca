"""Where each query finds its own class: one pass over blocks of distances that serves every retrieval metric."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from doppelgram.evaluation.setting import Setting, expand_matches
from doppelgram.space.exact import Float32, Float64, Int64, block_rows, pair_distances, smallest_columns
from doppelgram.space.parallel import in_parallel

# Ranks that are always looked at, for CMC.
DEPTH = 20
# Images looked at beyond those that are scored, so that close calls at the edge can be decided too.
_SPARE = 8


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

    Among equal distances images of other classes come first, in gallery order: the worst case for the embedding.
    Distances come from a matrix product in float32. Where its rounding could change the order of images of different
    classes, they are measured again by direct difference in float64 (:func:`_settle`), so that exact duplicates are
    exact ties. Only if more images than are looked at lie within rounding of each other does the order remain open;
    then those of other classes come first as well.

    Every relevant image within the first R is looked at, however large R is. Memory is O(block x n) a core.

    Args:
        setting: queries and gallery.
        knn: neighbours that vote on the class (:func:`vote`); 0 for no vote.
        depth: ranks to look at besides the first R.
        block: queries a core handles at a time; by default as many as keep a block of distances near 64 MB.
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
    centre = setting.gallery.mean(axis=0, dtype=np.float64)
    gallery = (setting.gallery - centre).astype(np.float32)
    # |b|^2 rides along as one more column, so that a single product gives |b|^2 - 2ab.
    extended = np.vstack([gallery.T, np.einsum("ij,ij->i", gallery, gallery)])
    by_class = np.argsort(setting.query_codes, kind="stable")
    step = min(block_rows(n, block), count)
    local = threading.local()

    def one(start: int) -> None:
        rows = by_class[start : start + step]
        if not hasattr(local, "buffer"):
            local.buffer = np.empty((step, n), dtype=np.float32)
        query = (setting.query[rows] - centre).astype(np.float32)
        _rank_block(setting, rows, query, extended, local.buffer[: len(rows)], knn, depth, ranking)

    in_parallel(one, range(0, count, step))
    return ranking


def _rank_block(
    setting: Setting,
    rows: Int64,
    query: Float32,
    extended: Float32,
    buffer: Float32,
    knn: int,
    depth: int,
    ranking: Ranking,
) -> None:
    """Fill in ``ranking`` for some rows, given their centred vectors and the centred gallery with its norms."""
    n, width = len(setting.gallery), query.shape[1]
    own = np.einsum("ij,ij->i", query, query)
    weights = np.hstack([-2 * query, np.ones((len(rows), 1), dtype=np.float32)])
    keys = np.matmul(weights, extended, out=buffer)
    i, j = expand_matches(setting.query_codes[rows], setting.gallery_codes)
    keys[i, j] += _rounding(keys[i, j], own[i], width)
    relevant = np.bincount(i, minlength=len(rows))
    i, j = setting.same_image(rows)
    keys[i, j] = np.inf
    lost = setting.gallery_codes[j] == setting.query_codes[rows[i]]
    relevant -= np.bincount(i[lost], minlength=len(rows))
    columns = smallest_columns(keys, min(n, max(int(relevant.max()), depth, knn) + _SPARE))
    values = np.take_along_axis(keys, columns, axis=1)
    classes = np.where(np.isinf(values), -1, setting.gallery_codes[columns])
    with np.errstate(invalid="ignore"):  # inf - inf, where no image is left
        close = np.diff(values, axis=1) <= 2 * _rounding(values[:, 1:], own[:, None], width)
    classes = _settle(setting, rows, columns, classes, close, knn)
    score_block(classes == setting.query_codes[rows][:, None], relevant, rows, ranking)
    if knn:
        ranking.predicted[rows] = vote(classes[:, :knn])


def _rounding(keys: Float32, own: Float32, width: int) -> Float32:
    """How far off the key |b|^2 - 2ab of an image as near as this one may be; above 0 even for zero vectors.

    The probabilistic bound ``sqrt(d) eps`` of Higham and Mary (SIAM Journal on Scientific Computing 41, 2019) with a
    factor to spare, times ``|a|^2 + (|a| + distance)^2``, which no vector at that distance exceeds.
    """
    eps = np.finfo(np.float32)
    reach = np.sqrt(own) + np.sqrt(np.maximum(keys + own, 0))
    return np.asarray(2 * (np.sqrt(width) + 4) * eps.eps * (own + reach * reach) + eps.tiny, dtype=np.float32)


def _settle(setting: Setting, rows: Int64, columns: Int64, classes: Int64, close: NDArray[np.bool_], knn: int) -> Int64:
    """Put images too close to call into their true order: by distance, other classes first, then gallery order.

    Args:
        setting: queries and gallery.
        rows: (b,) query rows.
        columns: (b, m) gallery rows in order of their keys.
        classes: (b, m) their classes, -1 where there is no image.
        close: (b, m - 1) whether the keys of an image and the next may be in the wrong order.
        knn: ranks up to which the order of images of other classes matters too.

    Returns:
        (b, m) classes in the settled order.
    """
    width = columns.shape[1]
    hits = classes == setting.query_codes[rows][:, None]
    close = close & (classes[:, 1:] >= 0)
    run = np.cumsum(np.hstack([np.ones((len(rows), 1), dtype=bool), ~close]).ravel()) - 1
    sizes = np.bincount(run)
    inside = np.bincount(run, weights=hits.ravel())
    mixed = (inside > 0) & (inside < sizes)
    mixed[run[np.arange(len(rows))[:, None] * width + np.arange(min(knn, width))]] = True
    open_places = np.flatnonzero((mixed & (sizes > 1))[run])
    column = columns.ravel()[open_places]
    distances = pair_distances(setting.query, setting.gallery, rows[open_places // width], column)
    order = np.lexsort((column, hits.ravel()[open_places], distances, run[open_places]))
    settled = classes.ravel().copy()
    settled[open_places] = settled[open_places[order]]
    return settled.reshape(classes.shape)


def score_block(hits: NDArray[np.bool_], relevant: Int64, rows: Int64, ranking: Ranking) -> None:
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


def vote(classes: Int64) -> Int64:
    """The class that most of the nearest neighbours belong to.

    When classes have equally many votes, the one whose nearest member is nearest wins; neighbours at equal distances
    stand in the order in which they are given (:func:`rank`: those of the query's own class last).

    Args:
        classes: (q, k) classes of the neighbours, nearest first; -1 where there is none.

    Returns:
        (q,) class, -1 where no neighbour has one.
    """
    votes = np.zeros(classes.shape, dtype=np.int64)
    for place in range(classes.shape[1]):
        votes += classes == classes[:, place : place + 1]
    votes[classes < 0] = 0
    return np.take_along_axis(classes, votes.argmax(axis=1)[:, None], axis=1)[:, 0]
