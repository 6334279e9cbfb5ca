"""One call that measures an embedding in every way the reports use, in whichever space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from doppelgram.errors import DoppelgramError
from doppelgram.evaluation.answers import nearest_answers
from doppelgram.evaluation.calibration import checked_pairs, pair_weights
from doppelgram.evaluation.classification import classification_metrics, nearest_class_mean
from doppelgram.evaluation.ranking import rank
from doppelgram.evaluation.reliability import Reliability, reliability
from doppelgram.evaluation.result import ARRANGEMENT_METRICS, METRICS, EvaluationResult, Evidence, Metric
from doppelgram.evaluation.retrieval import cmc_curve, proportion, retrieval_metrics
from doppelgram.evaluation.sampling import mixed_pairs, sample_pairs
from doppelgram.evaluation.task import EmbeddedSet, RetrievalTask, make_task
from doppelgram.evaluation.verification import pair_metrics
from doppelgram.space.exact import Int64
from doppelgram.space.space import Index, PairResult, Space

if TYPE_CHECKING:
    from doppelgram.dataset.pairs import Pairs

# Numbers gathered at a time where pairs are compared.
_PAIR_ELEMENTS = 4_000_000


def evaluate_embeddings(
    space: Space,
    gallery: EmbeddedSet,
    query: EmbeddedSet | None = None,
    *,
    knn: int = 1,
    threshold: float | None = None,
    pairs: Pairs | None = None,
    seed: int = 0,
) -> EvaluationResult:
    """Evaluate embeddings by retrieval, classification and verification.

    Ties count against us throughout: of images at equal distances those of other classes come first. A query whose
    class has no image in the gallery besides the query itself cannot be answered; it is left out of the retrieval and
    classification metrics, and a note says how many there were. Metrics that cannot be computed are left out with a
    note. Intervals are at 95 %: Wilson's for proportions of images, and bootstraps over images for the others.

    Args:
        space: what distances between the vectors mean; adapted to the gallery here.
        gallery: in which is searched. Where it knows labels of the space's parts, each part is asked alone, too.
        query: what is searched for, or None to look for each gallery image among the others.
        knn: neighbours that vote in ``knn_accuracy``; equal votes go to the class with the nearest member.
        threshold: the distance up to which pairs count as the same, chosen on other images, for ``pair_accuracy``.
        pairs: pairs to compare, as rows of the queries (of the gallery, if there are no queries). By default up to
            20,000 same and as many different ones are drawn.
        seed: of everything that is drawn.

    Raises:
        DoppelgramError: unusable input, or nothing at all can be computed.
    """
    if knn < 1:
        raise DoppelgramError(f"knn is {knn}; ask for 1 neighbour or more")
    _check_threshold(threshold)
    task = make_task(gallery, query)
    space = space.adapted(task.gallery)
    index = space.index(task.gallery)
    ranking = rank(task, index.ranker(), knn=knn)
    counted = ranking.relevant > 0
    truth, predicted = task.query_codes[counted], ranking.predicted[counted]
    notes: list[str] = []
    if not counted.all():
        notes.append(
            f"{int((~counted).sum()):,} of {len(counted):,} queries have no other image of their class in the gallery "
            "and are left out of the retrieval and classification metrics."
        )
    metrics = classification_metrics("knn", predicted, truth, seed=seed)
    if space.has_means:
        metrics |= classification_metrics("ncm", nearest_class_mean(task)[counted], truth, seed=seed)
    metrics |= retrieval_metrics(ranking, seed=seed)
    metrics |= _by_part(space, index, gallery, query)
    distances, same, left, right = _compared_pairs(space, task, pairs, seed)
    of_pairs, remarks = pair_metrics(distances, same, left, right, threshold=threshold, seed=seed)
    metrics |= of_pairs
    if not metrics:
        raise DoppelgramError(
            f"nothing can be computed from {len(task.query):,} queries and {len(task.gallery):,} gallery images "
            f"of {len(task.names):,} classes; give two classes or more, with two images or more in each"
        )
    if len(task.names) == 1:
        notes.append("There is one class only, so every answer is right by itself.")
    if space.parts:
        notes.append(
            "Distances are probabilities that two photographs differ. There is no mean of a class among them, so "
            "nothing is said about nearest class means."
        )
    settings = {
        "queries": len(task.query),
        "gallery": len(task.gallery),
        "classes": len(task.names),
        "dimensions": task.gallery.shape[1],
        "leave_one_out": task.leave_one_out,
        "knn": knn,
        "threshold": threshold,
        "pairs": "given" if pairs is not None else "drawn",
        "seed": seed,
    }
    evidence = Evidence(distances, same, threshold, cmc_curve(ranking), task.names[truth], task.names[predicted])
    held = _reliability(space, task, index, seed)
    return EvaluationResult(_ordered(metrics), tuple(notes + remarks), settings, held, evidence)


def evaluate_pairs(
    compared: PairResult,
    same: ArrayLike,
    image_a_ids: Sequence[Any],
    image_b_ids: Sequence[Any],
    *,
    threshold: float | None = None,
    seed: int = 0,
) -> EvaluationResult:
    """Evaluate a list of compared pairs: the ``pair_*`` and ``tar_*`` metrics, and how far each part alone would get.

    Args:
        compared: p pairs.
        same: (p,) whether each pair is the same.
        image_a_ids: p names of one image of each pair; the intervals draw images again, so an image in several
            pairs must go by one name.
        image_b_ids: p names of the other.
        threshold: chosen on other images; if None, see :func:`.verification.pair_metrics`.
        seed: of everything that is drawn.

    Raises:
        DoppelgramError: unusable input, or one kind of pair is missing.
    """
    d, s = checked_pairs(compared.distance, same)
    _check_threshold(threshold)
    if not len(image_a_ids) == len(image_b_ids) == len(d):
        raise DoppelgramError(
            f"pairs: {len(d)} distances but {len(image_a_ids)} and {len(image_b_ids)} image names; give both for each"
        )
    numbers: dict[Any, int] = {}
    left, right = (
        np.array([numbers.setdefault(name, len(numbers)) for name in ids], dtype=np.int64)
        for ids in (image_a_ids, image_b_ids)
    )
    metrics, notes = pair_metrics(d, s, left, right, threshold=threshold, seed=seed)
    if not metrics:
        raise DoppelgramError(f"{notes[0]} Give pairs of both kinds.")
    for name, part in compared.parts.items():
        metrics[f"pair_{name}_auc"] = pair_metrics(1 - part.probability, s, left, right, seed=seed)[0]["pair_auc"]
        unknown = int(np.isnan(part.distance).sum())
        if unknown:
            notes.append(f"In {unknown:,} of {len(d):,} pairs the {name} is unknown: its usual probability stands in.")
    settings = {"pairs": len(d), "images": len(numbers), "threshold": threshold, "seed": seed}
    said = compared.probability
    held = {} if said is None else {"verify": reliability(said, s, pair_weights(s))}
    return EvaluationResult(_ordered(metrics), tuple(notes), settings, held, Evidence(d, s, threshold))


def _reliability(space: Space, task: RetrievalTask, index: Index, seed: int) -> dict[str, Reliability]:
    """How well holds what is said of the nearest images, and of pairs of which half of the different ones are hard."""
    if not space.calibrated or not len(task.query) or not len(task.gallery):
        return {}
    held = {}
    answers = nearest_answers(space, task)
    if answers.probability is not None and len(answers.right):
        held["search"] = reliability(answers.probability, answers.right)
    a, b, same = mixed_pairs(task, index.ranker(), seed=seed)
    if same.any() and not same.all():
        said = space.probability(_distances(space, task.query, a, task.gallery, b))
        held["verify"] = reliability(said, same, pair_weights(same))
    return held


def _by_part(space: Space, index: Index, gallery: EmbeddedSet, query: EmbeddedSet | None) -> dict[str, Metric]:
    """How often the nearest image by one part alone is right in that part, where the labels of it are known."""
    metrics = {}
    for name in space.parts:
        if name not in gallery.parts or (query is not None and name not in query.parts):
            continue
        sides = [replace(side, labels=side.parts[name]) for side in (gallery, query) if side is not None]
        alone = rank(make_task(*sides), index.ranker(name), knn=0, depth=1)
        answerable = alone.relevant > 0
        if answerable.any():
            metrics[f"{name}_precision_at_1"] = proportion(alone.first[answerable] == 1)
    return metrics


def _compared_pairs(space: Space, task: RetrievalTask, pairs: Pairs | None, seed: int) -> tuple[Any, Any, Any, Any]:
    """Distances, answers and image numbers of pairs that are given or drawn."""
    if pairs is None:
        a, b, n_same = sample_pairs(task, seed=seed)
        distances = _distances(space, task.query, a, task.gallery, b)
        return distances, np.arange(len(a)) < n_same, task.query_images[a], task.gallery_images[b]
    rows = len(task.query)
    a, b = np.asarray(pairs.a, dtype=np.int64), np.asarray(pairs.b, dtype=np.int64)
    side = "gallery" if task.leave_one_out else "query"
    if a.shape != b.shape or (len(a) and not 0 <= min(a.min(), b.min()) <= max(a.max(), b.max()) < rows):
        raise DoppelgramError(f"pairs: they must point at rows 0 to {rows - 1} of the {side}; one does not")
    distances, same = checked_pairs(_distances(space, task.query, a, task.query, b), pairs.same)
    return distances, same, task.query_images[a], task.query_images[b]


def _distances(space: Space, first: Any, a: Int64, second: Any, b: Int64) -> NDArray[np.float64]:
    """Distances of the rows ``first[a]`` and ``second[b]``, some of them in memory at a time."""
    found = np.empty(len(a))
    step = max(1, _PAIR_ELEMENTS // first.shape[1])
    for start in range(0, len(a), step):
        part = slice(start, start + step)
        found[part] = space.distance(first[a[part]], second[b[part]])
    return found


def _check_threshold(threshold: float | None) -> None:
    if threshold is not None and not (np.isfinite(threshold) and threshold >= 0):
        raise DoppelgramError(f"threshold is {threshold}; it must be a distance of 0 or more")


def _ordered(metrics: dict[str, Metric]) -> dict[str, Metric]:
    return {name: metrics[name] for name in (*METRICS, *ARRANGEMENT_METRICS) if name in metrics}
