"""Retrieval metrics: how well the images nearest to a query are of its class."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from doppelgram.errors import DoppelgramError
from doppelgram.evaluation.intervals import bootstrap_mean, wilson
from doppelgram.evaluation.ranking import DEPTH, Ranking, rank
from doppelgram.evaluation.result import Metric
from doppelgram.evaluation.task import EmbeddedSet, make_task
from doppelgram.space.exact import Float64


def proportion(correct: NDArray[np.bool_]) -> Metric:
    """Share of true values with Wilson's interval."""
    successes, n = int(correct.sum()), len(correct)
    return Metric(successes / n, *wilson(successes, n), n)


def mean(values: Float64, *, seed: int) -> Metric:
    """Mean over images with a bootstrap interval."""
    return Metric(float(values.mean()), *bootstrap_mean(values, seed=seed), len(values))


def retrieval_metrics(ranking: Ranking, *, seed: int = 0) -> dict[str, Metric]:
    """Metrics over the queries that have a relevant image in the gallery; empty if none has.

    With R the number of relevant images of a query and ties counted against us (:func:`.ranking.rank`):

    - ``precision_at_1``, ``cmc_5``, ``cmc_10``: the first relevant image stands at rank 1, within 5, within 10;
    - ``r_precision``: share of relevant images among the first R;
    - ``map_at_r``: 1/R times the sum, over the first R ranks i that hold a relevant image, of the precision at i
      (Musgrave, Belongie and Lim, A metric learning reality check, 2020).
    """
    counted = ranking.relevant > 0
    if not counted.any():
        return {}
    first = ranking.first[counted]
    return {
        "precision_at_1": proportion(first == 1),
        "cmc_5": proportion((first > 0) & (first <= 5)),
        "cmc_10": proportion((first > 0) & (first <= 10)),
        "r_precision": mean(ranking.r_precision[counted], seed=seed),
        "map_at_r": mean(ranking.average_precision[counted], seed=seed),
    }


def cmc_curve(ranking: Ranking) -> Float64 | None:
    """Cumulative match characteristic: share of queries with a relevant image by rank 1 to `DEPTH`.

    Returns:
        (`DEPTH`,), or None if no query has a relevant image.
    """
    first = ranking.first[ranking.relevant > 0]
    if not len(first):
        return None
    return np.cumsum(np.bincount(first, minlength=DEPTH + 1)[1 : DEPTH + 1]) / len(first)


def precision_at_1_and_map(
    embeddings: Any, labels: Any, gallery: Any = None, gallery_labels: Any = None
) -> dict[str, float]:
    """Precision at 1 and MAP@R without intervals: the cheap check between two epochs.

    Args:
        embeddings: (n, d) queries; without a gallery, each is looked for among the others.
        labels: n labels.
        gallery: (m, d), or None.
        gallery_labels: m labels.

    Returns:
        ``precision_at_1`` and ``map_at_r``, over the queries that have a relevant image.

    Raises:
        DoppelgramError: unusable input, or no query has a relevant image.
    """
    queries = EmbeddedSet(embeddings, labels)
    task = make_task(queries) if gallery is None else make_task(EmbeddedSet(gallery, gallery_labels), queries)
    ranking = rank(task, knn=0, depth=1)
    counted = ranking.relevant > 0
    if not counted.any():
        raise DoppelgramError("no image has another one of its class to be found; put two images or more in a class")
    return {
        "precision_at_1": float((ranking.first[counted] == 1).mean()),
        "map_at_r": float(ranking.average_precision[counted].mean()),
    }
