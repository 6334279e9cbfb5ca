"""An evaluation to read: its metrics in words, as a table in Markdown, and as the files of a folder."""

from __future__ import annotations

import json
from pathlib import Path

from doppelgram.evaluation.reliability import Reliability
from doppelgram.evaluation.result import EvaluationResult
from doppelgram.numbers import interval, number, percent
from doppelgram.reports.evaluation_figures import write_figures
from doppelgram.reports.pages import Table, markdown, write_text

# Metrics in words, by name.
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
    # Of models of places and poses alone:
    "place_precision_at_1": "Nearest image by place alone shows the right place",
    "pose_precision_at_1": "Nearest image by pose alone shows the right pose",
    "pair_place_auc": "A same pair is nearer than a different one by place alone (area under the ROC curve)",
    "pair_pose_auc": "A same pair is nearer than a different one by pose alone (area under the ROC curve)",
}

# Of what the probabilities were, by name in `EvaluationResult.reliability`.
SAID = {
    "search": "Whether what a search says of its nearest images is so",
    "verify": "Whether what is said of two given images is so",
}


def reliability_table(found: Reliability) -> Table:
    """Said beside what came true, one row a range of probabilities."""
    rows = [
        [f"{100 * each.low:.0f} to {100 * each.high:.0f} %", f"{each.n:,}", percent(each.said), percent(each.right)]
        for each in found.bins
    ]
    return Table(["probability", "n", "said on average", "came true"], rows, "tnnn")


def reliability_title(name: str, found: Reliability) -> str:
    """What a table of reliability is of, and the two numbers that sum it up."""
    return (
        f"{SAID.get(name, name)}: {found.n:,} answers, expected calibration error {percent(found.ece)}, "
        f"log-loss {number(found.log_loss, 3)}, Brier score {number(found.brier, 3)}."
    )


def evaluation_markdown(result: EvaluationResult) -> str:
    """A table to read, followed by the remarks."""
    rows = [
        [
            METRIC_NAMES.get(name, name),
            percent(metric.value),
            interval(metric.low, metric.high),
            f"{metric.n:,}",
            f"`{name}`",
        ]
        for name, metric in result.metrics.items()
    ]
    table = Table(["what", "value", "95 % interval", "n", "name"], rows, "tnnnt")
    held = [(reliability_title(name, found), reliability_table(found)) for name, found in result.reliability.items()]
    return markdown("reports/evaluation.md", table=table, reliability=held, notes=result.notes)


def write_evaluation(result: EvaluationResult, folder: Path | str) -> list[Path]:
    """Write ``metrics.json``, ``details.json`` (settings and remarks), ``metrics.md`` and the figures.

    Raises:
        DoppelgramError: the folder cannot be written to.
    """
    folder = Path(folder).expanduser()
    held = {name: found.to_dict() for name, found in result.reliability.items()}
    details = {"settings": dict(result.settings), "notes": list(result.notes), "reliability": held}
    texts = {
        "metrics.json": json.dumps(result.to_dict(), indent=2, allow_nan=False) + "\n",
        "details.json": json.dumps(details, indent=2, allow_nan=False, ensure_ascii=False) + "\n",
        "metrics.md": evaluation_markdown(result),
    }
    written = [write_text(folder / name, text) for name, text in texts.items()]
    return [*written, *write_figures(folder, result)]
