"""What an evaluation found: numbers with their intervals, and remarks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doppelgram.errors import DoppelgramError
from doppelgram.evaluation.reliability import Reliability

# Metrics in the order in which they are reported; `doppelgram.reports.evaluation` has their names in words.
METRICS = (
    "knn_accuracy",
    "balanced_knn_accuracy",
    "ncm_accuracy",
    "balanced_ncm_accuracy",
    "precision_at_1",
    "cmc_5",
    "cmc_10",
    "r_precision",
    "map_at_r",
    "pair_auc",
    "pair_eer",
    "tar_at_far_0.1",
    "tar_at_far_0.01",
    "tar_at_far_0.001",
    "pair_accuracy",
)
# The same of metrics that only models of places and poses have.
ARRANGEMENT_METRICS = (
    "place_precision_at_1",
    "pose_precision_at_1",
    "pair_place_auc",
    "pair_pose_auc",
)


@dataclass(frozen=True)
class Metric:
    """One number: its value, a 95 % interval, and how many images (or pairs) it rests on."""

    value: float
    low: float
    high: float
    n: int

    def __post_init__(self) -> None:
        if not all(np.isfinite([self.value, self.low, self.high])) or self.n < 1:
            raise DoppelgramError(f"{self} is not a measurement; leave the metric out and say why in a note")


@dataclass(frozen=True)
class Evidence:
    """What the numbers were computed from, kept for figures; not written to ``metrics.json``.

    Attributes:
        distances: (p,) distances of the pairs judged, or None.
        same: (p,) their answers.
        threshold: the distance up to which pairs count as the same, if there is one.
        cmc: (ranks,) share of queries that found their class by rank 1, 2, ..., or None.
        truth: (q,) class name of each query, or None.
        predicted: (q,) class named by nearest neighbours.
    """

    distances: NDArray[np.float64] | None = None
    same: NDArray[np.bool_] | None = None
    threshold: float | None = None
    cmc: NDArray[np.float64] | None = None
    truth: NDArray[Any] | None = None
    predicted: NDArray[Any] | None = None


@dataclass(frozen=True)
class EvaluationResult:
    """Metrics by name, in order, with remarks, settings, and how well probabilities hold.

    ``reliability`` is of what a search says of its nearest images (``search``) and of what is said of two given images
    (``verify``), where the model is calibrated.
    """

    metrics: Mapping[str, Metric]
    notes: Sequence[str] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    reliability: Mapping[str, Reliability] = field(default_factory=dict)
    evidence: Evidence = field(default_factory=Evidence, repr=False, compare=False)

    def __getitem__(self, name: str) -> Metric:
        """The metric of this name."""
        return self.metrics[name]

    def __contains__(self, name: object) -> bool:
        """Whether this metric could be computed."""
        return name in self.metrics

    def to_dict(self) -> dict[str, dict[str, float | int]]:
        """``{metric: {value, low, high, n}}``."""
        return {name: asdict(metric) for name, metric in self.metrics.items()}
