"""What a comparison leaves to read: tables, figures, a Markdown file, and a page that needs nothing but itself."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from doppelgram.comparison.effects import FACTORS, effects
from doppelgram.comparison.findings import Finding, read_comparison, seconds
from doppelgram.comparison.result import REPLICATES, Comparison
from doppelgram.files import written_whole
from doppelgram.reports.comparison.curves import write_curves
from doppelgram.reports.comparison.page import page
from doppelgram.training.recipe import MetricRecipe

# Column of the table to its heading, in order; intervals are joined to the figure before them.
_HEADINGS = ("loss", "miner", "dims", "runs", "P@1", "interval", "NCM", "interval", "MAP@R",
             "epochs to 95 %", "time to 95 %", "time", "collapsed", "diverged")  # fmt: skip


@dataclass(frozen=True)
class Facts:
    """What the methods paragraph needs to know besides the comparison itself."""

    data: str
    recipe: MetricRecipe
    part: str
    command: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    images: Mapping[str, int] = field(default_factory=dict)


def write_report(out: Path, comparison: Comparison, facts: Facts) -> list[Finding]:
    """Write every table, figure and text of a comparison into its folder.

    Returns:
        The findings that the texts begin with.

    Raises:
        DoppelgramError: the folder cannot be written to.
    """
    findings = read_comparison(comparison)
    figures = write_curves(out, comparison)
    how = methods(comparison, facts)
    rows = table_rows(comparison)
    texts = {
        "comparison.csv": comparison.table.to_csv(index=False),
        "runs.csv": comparison.runs_table.to_csv(index=False),
        "comparison.json": json.dumps(to_dict(comparison, findings, facts), indent=1, ensure_ascii=False) + "\n",
        "comparison.md": markdown(findings, rows, how, list(figures)),
        "report.html": page(findings, _HEADINGS, rows, figures, how, comparison.settings.index(comparison.best)),
    }
    for name, text in texts.items():
        with written_whole(out / name) as aside:
            aside.write_text(text, encoding="utf-8")
    return findings


def table_rows(comparison: Comparison) -> list[list[str]]:
    """The table as text, a row a setting."""

    def percent(value: float) -> str:
        return f"{100 * value:.1f} %"

    return [
        [
            str(row["loss"]), str(row["miner"]) if comparison.mines(setting) else "(none used)", str(row["dim"]),
            str(row["runs"]), percent(row["p1"]), f"{100 * row['p1_low']:.1f} to {100 * row['p1_high']:.1f}",
            percent(row["ncm"]), f"{100 * row['ncm_low']:.1f} to {100 * row['ncm_high']:.1f}", f"{row['map_at_r']:.3f}",
            "–" if math.isnan(row["epochs_to_95"]) else f"{row['epochs_to_95']:.1f}".removesuffix(".0"),
            "–" if math.isnan(row["seconds_to_95"]) else seconds(row["seconds_to_95"]),
            "–" if math.isnan(row["seconds"]) else seconds(row["seconds"]), str(row["collapsed"] or "–"),
            str(row["diverged"] or "–"),
        ]
        for setting, row in zip(comparison.settings, comparison.table.to_dict("records"), strict=True)
    ]  # fmt: skip


def methods(comparison: Comparison, facts: Facts) -> list[str]:
    """How the figures came about, in paragraphs."""
    seeds = comparison.seeds()
    part = {"val": "validation part", "test": "test part"}[facts.part]
    images = ", ".join(f"{count:,} {name}" for name, count in facts.images.items())
    texts = [
        f"{len(comparison.runs)} runs of {len(comparison.settings)} settings, "
        f"{'seed' if len(seeds) == 1 else 'seeds'} {', '.join(map(str, seeds))}, on {facts.data} ({images} images). "
        f"All runs share one split (split.csv) and the recipe '{facts.recipe.name or 'without a name'}' but for loss, "
        f"miner and embedding size: backbone {facts.recipe.model.backbone} (trained: {facts.recipe.model.train}), "
        f"{facts.recipe.data.size} px, {facts.recipe.optimiser.epochs} epochs, "
        f"batches of {facts.recipe.sampler.batch}, learning rate {facts.recipe.optimiser.lr:g}.",
        f"Each of {comparison.queries:,} images of the {part} was asked of the training part (of the others in its own "
        "part, if no class is in both). P@1: the nearest image is of the right class; NCM: the nearest class mean is "
        "the right one; MAP@R: mean average precision within the first R. Of each run the epoch with the best "
        f"{facts.recipe.stopping.monitor} on the validation part was kept"
        + (
            ", so figures of that part flatter all settings alike; `doppelgram evaluate RUN` gives the figure of the "
            "test part for the one that is chosen."
            if facts.part == "val" else "."
        ),
        "Epochs and seconds to 95 %: until validation P@1 (validation images asked of each other) first reached 95 % "
        "of the run's own best; mean over seeds. Seconds are of training and validation on this machine, decoding and "
        "frozen features not counted, whatever else it did meanwhile.",
        f"Intervals: 95 %, percentiles of a two-level bootstrap ({REPLICATES:,} draws) over query images and seeds "
        "(Owen 2007); of S seeds S - 1 are drawn (Rao and Wu 1988). All settings see the same draws, so differences "
        "are paired. No interval is widened for the number of comparisons.",
        "The share of active triplets is of all triplets of a batch, whichever of them the miner chose; for losses on "
        "pairs it is of the pairs that were looked at.",
        "Versions: " + ", ".join(f"{name} {version}" for name, version in facts.versions.items()) + ".",
    ]  # fmt: skip
    if facts.command:
        texts.append(f"Command: {facts.command}")
    return texts


def markdown(
    findings: Sequence[Finding], rows: Sequence[Sequence[str]], how: Sequence[str], names: Sequence[str]
) -> str:
    """The report as Markdown, figures linked."""

    def cell(text: str) -> str:
        return text.replace("|", "\\|")

    lines = ["# Comparison", ""]
    lines += [f"- **{finding.topic}**: {finding.text}" for finding in findings]
    lines += ["", "| " + " | ".join(_HEADINGS) + " |", "|---|---|" + "---:|" * (len(_HEADINGS) - 2)]
    lines += ["| " + " | ".join(map(cell, row)) + " |" for row in rows]
    for name in names:
        lines += ["", f"![{name}]({name}.png)"]
    lines += ["", "## How", ""]
    for text in how:
        lines += [text, ""]
    return "\n".join(lines)


def to_dict(comparison: Comparison, findings: Sequence[Finding], facts: Facts) -> dict[str, Any]:
    """Everything as plain values for another program; figures that do not exist are null."""
    return {
        "part": comparison.part,
        "queries": comparison.queries,
        "seeds": comparison.seeds(),
        "reading": [finding._asdict() for finding in findings],
        "best": comparison.best._asdict(),
        "settings": _plain(comparison.table),
        "effects": [
            {
                "factor": effect.factor, "higher": effect.higher, "lower": effect.lower,
                **effect.difference._asdict(), "decided": effect.difference.decided, "settings": effect.settings,
            }
            for factor in FACTORS for effect in effects(comparison, factor)
        ],
        "runs": _plain(comparison.runs_table),
        "data": facts.data,
        "images": dict(facts.images),
        "recipe": facts.recipe.to_dict(),
        "versions": dict(facts.versions),
        "command": facts.command,
    }  # fmt: skip


def _plain(table: pd.DataFrame) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = json.loads(table.to_json(orient="records", double_precision=6))
    return records
