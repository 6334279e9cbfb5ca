"""Same and different pairs drawn from labels, evenly or so that half of the different ones look alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from doppelgram.evaluation.task import RetrievalTask
from doppelgram.space.exact import Int64, Ranker

# Pairs of each kind, at most.
LIMIT = 20_000
# Images of other classes that are hard ones of a query: its nearest.
_HARD = 5
MIX = "same and different equally likely; of the different ones half random, half among each other's 5 nearest"


def sample_pairs(task: RetrievalTask, *, seed: int = 0, limit: int = LIMIT) -> tuple[Int64, Int64, int]:
    """Pairs of a query and a gallery row: up to ``limit`` of the same class, then up to ``limit`` of different ones.

    Every possible pair is equally likely, and all are taken where there are no more than ``limit``. Leaving one out,
    a pair is unordered and never of a row with itself. Pairs of one image with itself under the same id are dropped.
    With the gallery in the order of its classes, the partners of a query are one run of rows, so a pair is a number
    that can be drawn and decoded.

    Args:
        task: queries and gallery.
        seed: the same seed gives the same pairs.
        limit: pairs of each kind.

    Returns:
        Query rows and gallery rows, both (p,), and how many of them, from the front, are of the same class.
    """
    rng = np.random.default_rng(seed)
    order = np.argsort(task.gallery_codes, kind="stable")
    codes = task.gallery_codes[order]
    n = len(codes)
    if task.leave_one_out:
        anchors = order
        begin = np.arange(n) + 1
        end = np.searchsorted(codes, codes, side="right")
        different = n - end
    else:
        anchors = np.arange(len(task.query))
        begin = np.searchsorted(codes, task.query_codes, side="left")
        end = np.searchsorted(codes, task.query_codes, side="right")
        different = n - (end - begin)
    lefts, rights, kinds = [], [], []
    for start, sizes in ((begin, end - begin), (end, different)):
        anchor, offset = _decode(_draw(int(sizes.sum()), limit, rng), sizes)
        left, right = anchors[anchor], order[(start[anchor] + offset) % max(n, 1)]
        good = task.query_images[left] != task.gallery_images[right]
        lefts.append(left[good])
        rights.append(right[good])
        kinds.append(int(good.sum()))
    return np.concatenate(lefts), np.concatenate(rights), kinds[0]


def hard_pairs(task: RetrievalTask, ranker: Ranker, each: int = _HARD) -> tuple[Int64, Int64]:
    """Every query with the images of other classes that are nearest to it, at most ``each``: query and gallery rows."""
    lefts, rights = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    few = min(each, len(task.gallery))
    for start in range(0, len(task.query) if few else 0, ranker.rows):
        rows = np.arange(start, min(start + ranker.rows, len(task.query)))
        keys = np.array(ranker.keys(task.query[rows])[0])
        keys[task.query_codes[rows, None] == task.gallery_codes] = np.inf
        keys[task.same_image(rows)] = np.inf
        nearest = np.argpartition(keys, few - 1, axis=1)[:, :few]
        there = np.isfinite(np.take_along_axis(keys, nearest, axis=1))
        lefts.append(np.repeat(rows, few)[there.ravel()])
        rights.append(nearest[there])
    return np.concatenate(lefts), np.concatenate(rights)


def mixed_pairs(
    task: RetrievalTask, ranker: Ranker, *, seed: int = 0, limit: int = LIMIT
) -> tuple[Int64, Int64, NDArray[np.bool_]]:
    """Pairs as `MIX` says, for whoever weighs both kinds alike: query rows, gallery rows, and which are the same."""
    rng = np.random.default_rng(seed)
    a, b, n_same = sample_pairs(task, seed=seed, limit=limit)
    hard = np.column_stack(hard_pairs(task, ranker))
    easy = np.column_stack([a[n_same:], b[n_same:]])
    half = min(len(hard), len(easy), limit // 2)
    drawn = [np.column_stack([a[:n_same], b[:n_same]])]
    drawn += [kind[rng.permutation(len(kind))[:half]] for kind in (easy, hard)]
    left, right = np.concatenate(drawn).T
    return left, right, np.arange(len(left)) < n_same


def _draw(total: int, limit: int, rng: np.random.Generator) -> Int64:
    """``limit`` different numbers below ``total`` in rising order, or all of them if there are no more."""
    if total <= limit:
        return np.arange(total)
    if total < 4 * limit:
        return np.sort(rng.permutation(total)[:limit])
    drawn = np.empty(0, dtype=np.int64)
    while len(drawn) < limit:
        drawn = np.unique(np.concatenate([drawn, rng.integers(0, total, size=limit)]))
    return np.sort(rng.permutation(drawn)[:limit])


def _decode(numbers: Int64, sizes: Int64) -> tuple[Int64, Int64]:
    """Which run of lengths ``sizes`` each number falls into, and where in it."""
    ends = np.cumsum(sizes)
    run = np.searchsorted(ends, numbers, side="right")
    return run, numbers - (ends[run] - sizes[run])
