"""Same and different pairs drawn evenly from labels, without ever listing all pairs."""

from __future__ import annotations

import numpy as np

from doppelgram.evaluation.task import RetrievalTask
from doppelgram.space.exact import Int64

# Pairs of each kind, at most.
LIMIT = 20_000


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
