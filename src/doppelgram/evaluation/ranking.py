"""Where each query finds its own class: one pass over blocks of distances that serves every retrieval metric."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doppelgram.evaluation.task import RetrievalTask, expand_matches
from doppelgram.space.euclidean import EuclideanRanker
from doppelgram.space.exact import Float64, Int64, Ranker, block_rows, smallest_columns
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


def rank(
    task: RetrievalTask, ranker: Ranker | None = None, *, knn: int = 1, depth: int = DEPTH, block: int | None = None
) -> Ranking:
    """Rank the gallery by distance for each query.

    Among equal distances images of other classes come first, in gallery order: the worst case for the embedding.
    Keys come from a matrix product. Where its rounding could change the order of images of different classes, they are
    measured again by direct difference in float64 (:func:`_settle`), so that exact duplicates are exact ties. Only if
    more images than are looked at lie within rounding of each other does the order remain open; then those of other
    classes come first as well.

    Every relevant image within the first R is looked at, however large R is. Memory is O(block x n) a core.

    Args:
        task: queries and gallery.
        ranker: of the gallery, by its space; by Euclidean distance without one.
        knn: neighbours that vote on the class (:func:`vote`); 0 for no vote.
        depth: ranks to look at besides the first R.
        block: queries a core handles at a time; by default as many as keep a block of keys small.
    """
    count, n = len(task.query), len(task.gallery)
    ranking = Ranking(
        np.zeros(count, dtype=np.int64),
        np.zeros(count, dtype=np.int64),
        np.zeros(count),
        np.zeros(count),
        np.full(count, -1, dtype=np.int64),
    )
    if count == 0 or n == 0:
        return ranking
    ranker = ranker or EuclideanRanker(task.gallery)
    by_class = np.argsort(task.query_codes, kind="stable")
    step = min(ranker.rows if block is None else block_rows(n, block), count)
    local = threading.local()

    def one(start: int) -> None:
        rows = by_class[start : start + step]
        if not hasattr(local, "buffer"):
            local.buffer = np.empty((step, n), dtype=ranker.dtype)
        keys, scale = ranker.keys(task.query[rows], local.buffer[: len(rows)])
        _rank_block(_Block(task, ranker, rows, scale), keys, knn, depth, ranking)

    in_parallel(one, range(0, count, step))
    return ranking


@dataclass(frozen=True)
class _Block:
    """Some queries of a task, by their rows, with the scale of their keys."""

    task: RetrievalTask
    ranker: Ranker
    rows: Int64
    scale: NDArray[Any]

    @property
    def codes(self) -> Int64:
        return self.task.query_codes[self.rows]


def _rank_block(block: _Block, keys: NDArray[Any], knn: int, depth: int, ranking: Ranking) -> None:
    """Fill in ``ranking`` for some rows, given the keys (b, n) of the gallery, which are changed."""
    task, rounding, scale = block.task, block.ranker.rounding, block.scale
    i, j = expand_matches(block.codes, task.gallery_codes)
    keys[i, j] += rounding(keys[i, j], scale[i])
    relevant = np.bincount(i, minlength=len(keys))
    i, j = task.same_image(block.rows)
    keys[i, j] = np.inf
    lost = task.gallery_codes[j] == block.codes[i]
    relevant -= np.bincount(i[lost], minlength=len(keys))
    columns = smallest_columns(keys, min(keys.shape[1], max(int(relevant.max()), depth, knn) + _SPARE))
    values = np.take_along_axis(keys, columns, axis=1)
    classes = np.where(np.isinf(values), -1, task.gallery_codes[columns])
    with np.errstate(invalid="ignore"):  # inf - inf, where no image is left
        close = np.diff(values, axis=1) <= 2 * rounding(values[:, 1:], scale[:, None])
    classes = _settle(block, columns, classes, close, knn)
    score_block(classes == block.codes[:, None], relevant, block.rows, ranking)
    if knn:
        ranking.predicted[block.rows] = vote(classes[:, :knn])


def _settle(block: _Block, columns: Int64, classes: Int64, close: NDArray[np.bool_], knn: int) -> Int64:
    """Put images too close to call into their true order: by distance, other classes first, then gallery order.

    Args:
        block: the b queries.
        columns: (b, m) gallery rows in order of their keys.
        classes: (b, m) their classes, -1 where there is no image.
        close: (b, m - 1) whether the keys of an image and the next may be in the wrong order.
        knn: ranks up to which the order of images of other classes matters too.

    Returns:
        (b, m) classes in the settled order.
    """
    count, width = columns.shape
    hits = classes == block.codes[:, None]
    close = close & (classes[:, 1:] >= 0)
    run = np.cumsum(np.hstack([np.ones((count, 1), dtype=bool), ~close]).ravel()) - 1
    sizes = np.bincount(run)
    inside = np.bincount(run, weights=hits.ravel())
    mixed = (inside > 0) & (inside < sizes)
    mixed[run[np.arange(count)[:, None] * width + np.arange(min(knn, width))]] = True
    undecided = np.flatnonzero((mixed & (sizes > 1))[run])
    column = columns.ravel()[undecided]
    distances = block.ranker.exact(block.task.query, block.rows[undecided // width], column)
    order = np.lexsort((column, hits.ravel()[undecided], distances, run[undecided]))
    settled = classes.ravel().copy()
    settled[undecided] = settled[undecided[order]]
    return settled.reshape(classes.shape)


def score_block(hits: NDArray[np.bool_], relevant: Int64, rows: Int64, ranking: Ranking) -> None:
    """Fill in the rows of ``ranking`` that belong to one block, from which ranks hold a relevant image."""
    ranks = np.arange(1, hits.shape[1] + 1)
    within = hits & (ranks <= relevant[:, None])
    # Dividing by 1 where R is 0 leaves the sums, which are 0 there, as they are.
    r = np.maximum(relevant, 1)
    ranking.relevant[rows] = relevant
    ranking.first[rows] = np.where(hits.any(axis=1), hits.argmax(axis=1) + 1, 0)
    ranking.r_precision[rows] = within.sum(axis=1) / r
    found, rank_of = np.nonzero(within)
    precision = np.cumsum(within, axis=1, dtype=np.int32)[found, rank_of] / (rank_of + 1)
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
