"""One call that measures an embedding in every way the reports use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from doppelgram.errors import DoppelgramError
from doppelgram.evaluation.calibration import checked_pairs
from doppelgram.evaluation.classification import classification_metrics, nearest_class_mean
from doppelgram.evaluation.ranking import rank
from doppelgram.evaluation.result import METRICS, EvaluationResult, Evidence, Metric
from doppelgram.evaluation.retrieval import cmc_curve, retrieval_metrics
from doppelgram.evaluation.sampling import sample_pairs
from doppelgram.evaluation.setting import Setting, make_setting
from doppelgram.evaluation.verification import pair_metrics
from doppelgram.space.exact import Ids, pair_distances

if TYPE_CHECKING:
    from doppelgram.dataset.pairs import Pairs


def evaluate_embeddings(
    gallery: Any,
    gallery_labels: Any,
    query: Any = None,
    query_labels: Any = None,
    *,
    gallery_ids: Ids | None = None,
    query_ids: Ids | None = None,
    knn: int = 1,
    threshold: float | None = None,
    pairs: Pairs | None = None,
    seed: int = 0,
    block: int | None = None,
) -> EvaluationResult:
    """Evaluate embeddings by retrieval, classification and verification.

    Ties count against us throughout: of images at equal distances those of other classes come first. A query whose
    class has no image in the gallery besides the query itself cannot be answered; it is left out of the retrieval and
    classification metrics, and a note says how many there were. Metrics that cannot be computed are left out with a
    note. Intervals are at 95 %: Wilson's for proportions of images, and bootstraps over images for the others.

    Args:
        gallery: (n, d) float32 embeddings.
        gallery_labels: n labels, text or numbers.
        query: (q, d) embeddings, or None to look for each gallery image among the others.
        query_labels: q labels.
        gallery_ids: n names of images; a query is never compared with a gallery image of the same name.
        query_ids: q names.
        knn: neighbours that vote in ``knn_accuracy``; equal votes go to the class with the nearest member.
        threshold: the distance up to which pairs count as the same, chosen on other images, for ``pair_accuracy``.
        pairs: pairs to judge, as rows of the queries (of the gallery, if there are no queries). By default up to
            20,000 same and as many different ones are drawn.
        seed: of everything that is drawn.
        block: queries handled at a time; memory is O(block x n).

    Raises:
        DoppelgramError: unusable input, or nothing at all can be computed.
    """
    if knn < 1:
        raise DoppelgramError(f"knn is {knn}; ask for 1 neighbour or more")
    _check_threshold(threshold)
    setting = make_setting(gallery, gallery_labels, query, query_labels, gallery_ids=gallery_ids, query_ids=query_ids)
    notes: list[str] = []
    ranking = rank(setting, knn=knn, block=block)
    counted = ranking.relevant > 0
    truth, predicted = setting.query_codes[counted], ranking.predicted[counted]
    lone = int((~counted).sum())
    if lone:
        notes.append(
            f"{lone:,} of {len(counted):,} queries have no other image of their class in the gallery and are left out "
            "of the retrieval and classification metrics."
        )
    means = nearest_class_mean(setting, block=block)[counted]
    metrics = classification_metrics("knn", predicted, truth, seed=seed)
    metrics |= classification_metrics("ncm", means, truth, seed=seed)
    metrics |= retrieval_metrics(ranking, seed=seed)
    distances, same, left, right = _judged_pairs(setting, pairs, seed)
    of_pairs, remarks = pair_metrics(distances, same, left, right, threshold=threshold, seed=seed)
    metrics |= of_pairs
    if not metrics:
        raise DoppelgramError(
            f"nothing can be computed from {len(setting.query):,} queries and {len(setting.gallery):,} gallery images "
            f"of {len(setting.names):,} classes; give two classes or more, with two images or more in each"
        )
    if len(setting.names) == 1:
        notes.append("There is one class only, so every answer is right by itself.")
    settings = {
        "queries": len(setting.query),
        "gallery": len(setting.gallery),
        "classes": len(setting.names),
        "dimensions": setting.gallery.shape[1],
        "leave_one_out": setting.leave_one_out,
        "knn": knn,
        "threshold": threshold,
        "pairs": "given" if pairs is not None else "drawn",
        "seed": seed,
    }
    evidence = Evidence(distances, same, threshold, cmc_curve(ranking), setting.names[truth], setting.names[predicted])
    return EvaluationResult(_ordered(metrics), tuple(notes + remarks), settings, evidence)


def evaluate_pairs(
    distances: ArrayLike,
    same: ArrayLike,
    image_a_ids: Sequence[Any],
    image_b_ids: Sequence[Any],
    *,
    threshold: float | None = None,
    seed: int = 0,
) -> EvaluationResult:
    """Evaluate a list of judged pairs: the ``pair_*`` and ``tar_*`` metrics.

    Args:
        distances: (p,) Euclidean distances.
        same: (p,) whether each pair is the same.
        image_a_ids: p names of one image of each pair; the intervals draw images again, so an image in several
            pairs must go by one name.
        image_b_ids: p names of the other.
        threshold: chosen on other images; if None, see :func:`.verification.pair_metrics`.
        seed: of everything that is drawn.

    Raises:
        DoppelgramError: unusable input, or one kind of pair is missing.
    """
    d, s = checked_pairs(distances, same)
    _check_threshold(threshold)
    if not len(image_a_ids) == len(image_b_ids) == len(d):
        raise DoppelgramError(
            f"pairs: {len(d)} distances but {len(image_a_ids)} and {len(image_b_ids)} image names; give both for each"
        )
    numbers: dict[Any, int] = {}
    sides = [
        np.array([numbers.setdefault(name, len(numbers)) for name in ids], dtype=np.int64)
        for ids in (image_a_ids, image_b_ids)
    ]
    metrics, notes = pair_metrics(d, s, sides[0], sides[1], threshold=threshold, seed=seed)
    if not metrics:
        raise DoppelgramError(f"{notes[0]} Give pairs of both kinds.")
    settings = {"pairs": len(d), "images": len(numbers), "threshold": threshold, "seed": seed}
    return EvaluationResult(_ordered(metrics), tuple(notes), settings, Evidence(d, s, threshold))


def _judged_pairs(setting: Setting, pairs: Pairs | None, seed: int) -> tuple[Any, Any, Any, Any]:
    """Distances, answers and image numbers of the pairs to judge."""
    if pairs is None:
        a, b, n_same = sample_pairs(setting, seed=seed)
        same = np.arange(len(a)) < n_same
        distances = pair_distances(setting.query, setting.gallery, a, b)
        return distances, same, setting.query_images[a], setting.gallery_images[b]
    rows = len(setting.query)
    a, b = np.asarray(pairs.a, dtype=np.int64), np.asarray(pairs.b, dtype=np.int64)
    side = "gallery" if setting.leave_one_out else "query"
    if a.shape != b.shape or (len(a) and not 0 <= min(a.min(), b.min()) <= max(a.max(), b.max()) < rows):
        raise DoppelgramError(f"pairs: they must point at rows 0 to {rows - 1} of the {side}; one does not")
    distances, same = checked_pairs(pair_distances(setting.query, setting.query, a, b), pairs.same)
    return distances, same, setting.query_images[a], setting.query_images[b]


def _check_threshold(threshold: float | None) -> None:
    if threshold is not None and not (np.isfinite(threshold) and threshold >= 0):
        raise DoppelgramError(f"threshold is {threshold}; it must be a distance of 0 or more")


def _ordered(metrics: dict[str, Metric]) -> dict[str, Metric]:
    return {name: metrics[name] for name in METRICS if name in metrics}
