"""Evaluate vectors of places and poses: by both together, and by each alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from doppelgram.errors import DoppelgramError
from doppelgram.evaluation.classification import classification_metrics
from doppelgram.evaluation.evaluate import evaluate_pairs
from doppelgram.evaluation.ranking import DEPTH, Ranking, score_block, vote
from doppelgram.evaluation.result import ARRANGEMENT_METRICS, METRICS, EvaluationResult, Evidence, Metric
from doppelgram.evaluation.retrieval import cmc_curve, proportion, retrieval_metrics
from doppelgram.evaluation.sampling import sample_pairs
from doppelgram.evaluation.setting import Setting, make_setting
from doppelgram.evaluation.verification import pair_metrics
from doppelgram.space.arrangement import ArrangementSpace
from doppelgram.space.arrangement_search import JointSearch
from doppelgram.space.exact import Float64, Ids, Int64, smallest_columns

# Numbers of one block of comparisons.
_BLOCK_ELEMENTS = 2_000_000
# Stands for the distance of a pose that cannot be compared: farther than any two vectors of length one.
_UNKNOWN = 4.0
# Keys that differ by less, in units of distance, count as equal: above the rounding of a float64 matrix product.
_TIE = 4e-6


def evaluate_arrangements(
    space: ArrangementSpace,
    gallery: Any,
    gallery_labels: Any,
    query: Any = None,
    query_labels: Any = None,
    *,
    gallery_ids: Ids | None = None,
    query_ids: Ids | None = None,
    places: tuple[Any, Any] | None = None,
    poses: tuple[Any, Any] | None = None,
    knn: int = 1,
    threshold: float | None = None,
    seed: int = 0,
) -> EvaluationResult:
    """Evaluate vectors of places and poses as `evaluate_embeddings` does others.

    The distance of two photographs is the probability that their arrangements differ. There is no mean of a class in
    such a space, so nothing is said about nearest class means. By place and by pose alone, the nearest image's place
    and pose are compared, where these are known.

    Args:
        space: how vectors are made up and what distances mean.
        gallery: (n, dim) vectors.
        gallery_labels: n labels of arrangements.
        query: (q, dim), or None to look for each gallery image among the others.
        query_labels: q labels.
        gallery_ids: n names of images; a query is never compared with a gallery image of the same name.
        query_ids: q names.
        places: labels of the gallery's and of the queries' places, the latter None if the former are asked.
        poses: the same of poses.
        knn: neighbours that vote in ``knn_accuracy``.
        threshold: the distance up to which pairs count as the same, chosen on other images.
        seed: of everything that is drawn.

    Raises:
        DoppelgramError: unusable input, or nothing at all can be computed.
    """
    if knn < 1:
        raise DoppelgramError(f"knn is {knn}; ask for 1 neighbour or more")

    def setting_of(labels: Any, asked: Any) -> Setting:
        return make_setting(gallery, labels, query, asked, gallery_ids=gallery_ids, query_ids=query_ids)

    setting = setting_of(gallery_labels, query_labels)
    search = JointSearch(space, setting.gallery)
    ranking = rank_arrangements(search, setting, by="joint", knn=knn)
    counted = ranking.relevant > 0
    truth, predicted = setting.query_codes[counted], ranking.predicted[counted]
    notes: list[str] = []
    if not counted.all():
        notes.append(
            f"{int((~counted).sum()):,} of {len(counted):,} queries have no other image of their class in the gallery "
            "and are left out of the retrieval and classification metrics."
        )
    metrics = classification_metrics("knn", predicted, truth, seed=seed) | retrieval_metrics(ranking, seed=seed)
    for by, labels in (("place", places), ("pose", poses)):
        if labels is not None:
            alone = rank_arrangements(search, setting_of(*labels), by=by, knn=0, depth=1)
            answerable = alone.relevant > 0
            if answerable.any():
                metrics[f"{by}_precision_at_1"] = proportion(alone.first[answerable] == 1)
    a, b, n_same = sample_pairs(setting, seed=seed)
    judged = space.judge(setting.query[a], setting.gallery[b])
    distances, same = 1 - judged.probability, np.arange(len(a)) < n_same
    left, right = setting.query_images[a], setting.gallery_images[b]
    of_pairs, remarks = pair_metrics(distances, same, left, right, threshold=threshold, seed=seed)
    metrics |= of_pairs
    if not metrics:
        raise DoppelgramError("nothing can be computed; give two arrangements or more, with two images or more in each")
    evidence = Evidence(distances, same, threshold, cmc_curve(ranking), setting.names[truth], setting.names[predicted])
    settings = {
        "queries": len(setting.query), "gallery": len(setting.gallery), "classes": len(setting.names),
        "leave_one_out": setting.leave_one_out, "knn": knn, "threshold": threshold, "seed": seed,
    }  # fmt: skip
    notes.append("Distances are probabilities that two arrangements differ; nobody found means the pose's prior.")
    return EvaluationResult(_ordered(metrics), (*notes, *remarks), settings, evidence)


def evaluate_arrangement_pairs(
    space: ArrangementSpace,
    a: NDArray[np.float32],
    b: NDArray[np.float32],
    same: ArrayLike,
    image_a_ids: Sequence[Any],
    image_b_ids: Sequence[Any],
    *,
    threshold: float | None = None,
    seed: int = 0,
) -> EvaluationResult:
    """Evaluate judged pairs by both together as `evaluate_pairs` does, and how far place and pose alone would get.

    Args:
        space: how vectors are made up and what distances mean.
        a: (p, dim) vectors of one photograph of each pair.
        b: (p, dim) of the other.
        same: (p,) whether both show the same arrangement.
        image_a_ids: p names, as for `evaluate_pairs`.
        image_b_ids: p names.
        threshold: probability that two arrangements differ up to which they count as the same; chosen on other images.
        seed: of everything that is drawn.
    """
    judged = space.judge(a, b)
    result = evaluate_pairs(1 - judged.probability, same, image_a_ids, image_b_ids, threshold=threshold, seed=seed)
    metrics = dict(result.metrics)
    for what, probability in (("place", judged.place_probability), ("pose", judged.pose_probability)):
        alone = evaluate_pairs(1 - probability, same, image_a_ids, image_b_ids, seed=seed)
        metrics[f"pair_{what}_auc"] = alone["pair_auc"]
    unknown = int(np.isnan(judged.pose_distance).sum())
    notes = list(result.notes)
    if unknown:
        notes.append(
            f"In {unknown:,} of {len(judged.probability):,} pairs a photograph shows nobody: the pose's prior."
        )
    return replace(result, metrics=_ordered(metrics), notes=tuple(notes))


def rank_arrangements(
    search: JointSearch, setting: Setting, *, by: str, knn: int = 1, depth: int = DEPTH
) -> Ranking:  # fmt: skip
    """Rank the gallery for each query, as `evaluation.ranking.rank` does by Euclidean distance.

    Images of the query's class come after others that are as near as rounding can tell, and poses that cannot be
    compared come last. Memory is O(block x n).

    Args:
        search: the prepared gallery of ``setting``.
        setting: queries and gallery.
        by: ``joint``, ``place`` or ``pose``.
        knn: neighbours that vote on the class; 0 for no vote.
        depth: ranks to look at besides the first R.
    """
    count, n = len(setting.query), len(setting.gallery)
    ranking = Ranking(
        np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64), np.zeros(count), np.zeros(count),
        np.full(count, -1, dtype=np.int64),
    )  # fmt: skip
    if not count or not n:
        return ranking
    calibration = search.space.calibration
    tie = _TIE
    if by == "joint":
        tie *= calibration.place_weight * calibration.place.slope + calibration.pose_weight * calibration.pose.slope
    step = max(1, _BLOCK_ELEMENTS // n)
    for start in range(0, count, step):
        rows = np.arange(start, min(start + step, count))
        keys = search.keys(setting.query[rows], by)
        keys[np.isinf(keys)] = _UNKNOWN
        _rank_block(setting, rows, keys, tie, knn, depth, ranking)
    return ranking


def _rank_block(
    setting: Setting, rows: Int64, keys: Float64, tie: float, knn: int, depth: int, ranking: Ranking
) -> None:
    hits = setting.query_codes[rows][:, None] == setting.gallery_codes[None]
    keys[hits] += tie
    i, j = setting.same_image(rows)
    keys[i, j] = np.inf
    hits[i, j] = False
    relevant = hits.sum(axis=1)
    columns = smallest_columns(keys, min(keys.shape[1], max(int(relevant.max()), depth, knn, 1)))
    classes = np.where(np.isinf(np.take_along_axis(keys, columns, axis=1)), -1, setting.gallery_codes[columns])
    score_block(classes == setting.query_codes[rows][:, None], relevant, rows, ranking)
    if knn:
        ranking.predicted[rows] = vote(classes[:, :knn])


def _ordered(metrics: dict[str, Metric]) -> dict[str, Metric]:
    return {name: metrics[name] for name in (*METRICS, *ARRANGEMENT_METRICS) if name in metrics}
