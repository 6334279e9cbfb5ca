"""Figures of a rung of the ladder on the pairs of a protocol: thresholds from validation, figures from the test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doppelgram.dataset.pairs import Pairs
from doppelgram.evaluation.calibration import best_threshold
from doppelgram.evaluation.result import Metric
from doppelgram.evaluation.verification import pair_metrics
from doppelgram.studies.role_model.data import Posts, Trial

# Which pairs are used: all; as in the study, those in which the place never differs; the pose never differs.
QUESTIONS = ("all", "same_place", "same_pose")


def distances(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log-odds of "the same" as distances from 0 to 1: the probability of "different"."""
    return np.asarray(np.exp(-np.logaddexp(0.0, log_odds)))


def pairs_of_question(question: str, pairs: Pairs, posts: Posts) -> NDArray[np.bool_]:
    """Which pairs belong to a question, (m,)."""
    if question == "all":
        return np.ones(len(pairs), dtype=bool)
    numbers = posts.place if question == "same_place" else posts.pose
    return np.asarray(pairs.same | (numbers[pairs.a] == numbers[pairs.b]))


def score_pairs(
    validation: NDArray[np.float64], test: NDArray[np.float64], trial: Trial, posts: Posts, *, seed: int
) -> dict[str, Metric]:
    """Accuracy and area under the curve of each question, as ``accuracy_all``, ``auc_all`` and so on.

    A question's threshold is chosen on its validation pairs. Accuracy weighs same and different pairs equally;
    intervals draw photographs again, not pairs.

    Args:
        validation: distances of the trial's validation pairs, (m,).
        test: distances of its test pairs, (p,).
        trial: the pairs.
        posts: whose they are.
        seed: of the intervals.
    """
    metrics: dict[str, Metric] = {}
    for question in QUESTIONS:
        chosen, kept = (
            pairs_of_question(question, trial.validation, posts),
            pairs_of_question(question, trial.test, posts),
        )
        threshold = best_threshold(validation[chosen], trial.validation.same[chosen])
        pairs = trial.test
        found, _ = pair_metrics(
            test[kept], pairs.same[kept], pairs.a[kept], pairs.b[kept], threshold=threshold, seed=seed
        )
        metrics[f"accuracy_{question}"] = found["pair_accuracy"]
        metrics[f"auc_{question}"] = found["pair_auc"]
    return metrics


def metrics_from(written: Mapping[str, Any]) -> dict[str, Metric]:
    """Figures as they were written to JSON."""
    return {name: Metric(**values) for name, values in written.items()}
