"""Classification by distance: nearest neighbours and nearest class mean, with the confusions they make."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from doppelgram.evaluation.intervals import bootstrap_balanced
from doppelgram.evaluation.result import Metric
from doppelgram.evaluation.retrieval import proportion
from doppelgram.evaluation.task import RetrievalTask
from doppelgram.space.exact import Int64, block_rows

_TOLERANCE = 1e-12


def classification_metrics(name: str, predicted: Int64, truth: Int64, *, seed: int = 0) -> dict[str, Metric]:
    """``{name}_accuracy`` over images and ``balanced_{name}_accuracy``, the mean over classes of each class's share.

    Args:
        name: ``knn`` or ``ncm``.
        predicted: (n,) classes.
        truth: (n,) classes; nothing is returned for n = 0.
        seed: of the balanced metric's bootstrap, which draws images again within each class.
    """
    if not len(truth):
        return {}
    correct = predicted == truth
    balanced = Metric(*bootstrap_balanced(correct, truth, seed=seed), len(truth))
    return {f"{name}_accuracy": proportion(correct), f"balanced_{name}_accuracy": balanced}


def nearest_class_mean(task: RetrievalTask, *, block: int | None = None) -> Int64:
    """The class whose mean embedding is nearest to each query.

    A query's own vector, and any other gallery vector of the same image, is taken out of the means first. Of means
    at equal distances the query's own class comes last; squared distances count as equal to a part in 10^12 of the
    squared norms after centring, which is well above float64's rounding.

    Args:
        task: queries and gallery.
        block: queries handled at a time.

    Returns:
        (q,) class; -1 where no class has an image left.
    """
    count, classes, width = len(task.query), len(task.names), task.gallery.shape[1]
    centre = task.gallery.mean(axis=0, dtype=np.float64) if len(task.gallery) else np.zeros(width)
    gallery, query = task.gallery - centre, task.query - centre
    sizes = np.bincount(task.gallery_codes, minlength=classes)
    sums = np.zeros((classes, width))
    np.add.at(sums, task.gallery_codes, gallery)
    means = sums / np.maximum(sizes, 1)[:, None]
    norms = np.einsum("ij,ij->i", means, means)
    predicted = np.full(count, -1, dtype=np.int64)
    step = block_rows(max(classes, width), block)
    for start in range(0, count, step):
        rows = np.arange(start, min(start + step, count))
        x, truth = query[rows], task.query_codes[rows]
        own = np.einsum("ij,ij->i", x, x)
        keys = norms - 2 * (x @ means.T)
        keys[:, sizes == 0] = np.inf
        i, j = task.same_image(rows)
        cells, member = np.unique(i * classes + task.gallery_codes[j], return_inverse=True)
        row, column = cells // classes, cells % classes
        rest = sums[column]
        np.subtract.at(rest, member, gallery[j])
        left = sizes[column] - np.bincount(member, minlength=len(cells))
        rest /= np.maximum(left, 1)[:, None]
        keys[row, column] = np.einsum("ij,ij->i", rest, rest) - 2 * np.einsum("ij,ij->i", x[row], rest)
        keys[row[left == 0], column[left == 0]] = np.inf
        scale = own + norms.max(initial=0.0)
        keys[np.arange(len(rows)), truth] += _TOLERANCE * scale + np.finfo(np.float64).tiny
        best = keys.argmin(axis=1)
        predicted[rows] = np.where(np.isfinite(keys[np.arange(len(rows)), best]), best, -1)
    return predicted


def top_confusions(truth: NDArray[Any], predicted: NDArray[Any], most: int = 15) -> list[tuple[str, str, int, int]]:
    """The most frequent mistakes as (true class, class named instead, how often, images of the true class)."""
    names, codes = np.unique(np.concatenate([truth, predicted]), return_inverse=True)
    a, b = codes[: len(truth)], codes[len(truth) :]
    sizes = np.bincount(a, minlength=len(names))
    cells, counts = np.unique(a[a != b] * len(names) + b[a != b], return_counts=True)
    order = np.lexsort((cells, -counts))[:most]
    return [
        (str(names[cell // len(names)]), str(names[cell % len(names)]), int(n), int(sizes[cell // len(names)]))
        for cell, n in zip(cells[order], counts[order], strict=True)
    ]
