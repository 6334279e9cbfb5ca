"""What an evaluation found: numbers with their intervals, remarks, and the files and table made of them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doppelgram.errors import DoppelgramError

# Code name to plain words, in the order in which metrics are reported; the last four are of places and poses.
METRIC_NAMES: dict[str, str] = {
    "knn_accuracy": "Right class by nearest neighbours",
    "balanced_knn_accuracy": "Right class by nearest neighbours, classes weighing equally",
    "ncm_accuracy": "Right class by nearest class mean",
    "balanced_ncm_accuracy": "Right class by nearest class mean, classes weighing equally",
    "precision_at_1": "Nearest image is of the right class",
    "cmc_5": "Right class among the 5 nearest images",
    "cmc_10": "Right class among the 10 nearest images",
    "r_precision": "Share of right images among the first R (R = how many there are)",
    "map_at_r": "Mean average precision within the first R",
    "pair_auc": "A same pair is nearer than a different one (area under the ROC curve)",
    "pair_eer": "Error rate where false accepts equal false rejects",
    "tar_at_far_0.1": "Same pairs accepted while at most 1 in 10 different ones is",
    "tar_at_far_0.01": "Same pairs accepted while at most 1 in 100 different ones is",
    "tar_at_far_0.001": "Same pairs accepted while at most 1 in 1,000 different ones is",
    "pair_accuracy": "Pairs judged rightly as same or different",
    "place_precision_at_1": "Nearest image by place alone shows the right place",
    "pose_precision_at_1": "Nearest image by pose alone shows the right pose",
    "pair_place_auc": "A same pair is nearer than a different one by place alone (area under the ROC curve)",
    "pair_pose_auc": "A same pair is nearer than a different one by pose alone (area under the ROC curve)",
}


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
    """Metrics by name, in order, with remarks and the settings they were computed under."""

    metrics: Mapping[str, Metric]
    notes: Sequence[str] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
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

    def to_markdown(self) -> str:
        """A table to read, followed by the remarks."""
        lines = ["| what | value | 95 % interval | n | name |", "|---|---:|---:|---:|---|"]
        for name, metric in self.metrics.items():
            plain = METRIC_NAMES.get(name, name)
            interval = f"{_percent(metric.low)} to {_percent(metric.high)}"
            lines.append(f"| {plain} | {_percent(metric.value)} | {interval} | {metric.n:,} | `{name}` |")
        if self.notes:
            lines += ["", *(f"- {note}" for note in self.notes)]
        return "\n".join(lines) + "\n"

    def write(self, folder: Path | str) -> list[Path]:
        """Write ``metrics.json``, ``details.json`` (settings and remarks) and ``metrics.md``, each whole or not at all.

        Raises:
            DoppelgramError: the folder cannot be written to.
        """
        folder = Path(folder)
        details = {"settings": dict(self.settings), "notes": list(self.notes)}
        texts = {
            "metrics.json": json.dumps(self.to_dict(), indent=2, allow_nan=False) + "\n",
            "details.json": json.dumps(details, indent=2, allow_nan=False, ensure_ascii=False) + "\n",
            "metrics.md": self.to_markdown(),
        }
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name, text in texts.items():
                aside = folder / f".{name}.{os.getpid()}.part"
                aside.write_text(text, encoding="utf-8")
                aside.replace(folder / name)
        except OSError as problem:
            raise DoppelgramError(f"{folder}: the results cannot be written there: {problem.strerror}") from None
        return [folder / name for name in texts]


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
