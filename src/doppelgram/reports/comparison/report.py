"""What a comparison leaves to read: tables, figures, a Markdown file, and a page that needs nothing but itself."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import pandas as pd

from doppelgram.comparison.effects import FACTORS, Effect, effects
from doppelgram.comparison.findings import Finding, read_comparison
from doppelgram.comparison.result import REPLICATES, Comparison
from doppelgram.numbers import NONE, count, duration, interval, number, percent
from doppelgram.reports.comparison.curves import write_curves
from doppelgram.reports.figures import inline_svg
from doppelgram.reports.pages import Table, markdown, page, write_text
from doppelgram.training.recipes.schema import MetricRecipe

TITLE = "Losses and miners compared"
CAPTIONS = {
    "heat": "Every setting: share of queries whose nearest image is of the right class, in percent, with its 95 % "
    "interval.",
    "sizes": "The same share by embedding size. Bars are 95 % intervals.",
    "progress": "Validation P@1 as training goes on. Lines are means over seeds, bands reach from the lowest to the "
    "highest seed.",
    "learning": "Training loss, and the share of all triplets of a batch that violate the margin (for losses on pairs: "
    "of the pairs used). The scales of two losses cannot be compared.",
    "mining": "What mining does, for one loss and size: how well the nearest image is found, and the share of all "
    "triplets of a batch that still violate the margin, whichever of them the miner chose.",
}
_HEADINGS = (
    *("loss", "miner", "dims", "runs", "P@1", "interval", "NCM", "interval", "MAP@R"),
    *("epochs to 95 %", "time to 95 %", "time", "collapsed", "diverged"),
)


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
    topics = groupby(findings, key=lambda finding: finding.topic)
    figures = write_curves(out, comparison)
    context = {
        "title": TITLE,
        "lead": about(comparison, facts),
        "topics": {topic: [finding.text for finding in group] for topic, group in topics},
        "table": settings_table(comparison),
        "figures": {name: inline_svg(svg, name, CAPTIONS[name]) for name, svg in figures.items()},
        "captions": CAPTIONS,
        "methods": methods(comparison, facts),
        "command": facts.command,
    }
    texts = {
        "comparison.csv": comparison.table.to_csv(index=False),
        "runs.csv": comparison.runs_table.to_csv(index=False),
        "comparison.json": json.dumps(to_dict(comparison, findings, facts), indent=1, ensure_ascii=False) + "\n",
        "comparison.md": markdown("reports/comparison/report.md", **context),
        "report.html": page("reports/comparison/report.html", **context),
    }
    for name, text in texts.items():
        write_text(out / name, text)
    return findings


def settings_table(comparison: Comparison) -> Table:
    """What each setting reaches, a row a setting; the best one stands out. Baselines follow."""
    rows = [
        [
            str(row["loss"]),
            str(row["miner"]) if comparison.mines(setting) else "(none used)",
            str(row["dim"]),
            str(row["runs"]),
            percent(row["p1"]),
            interval(row["p1_low"], row["p1_high"]),
            percent(row["ncm"]),
            interval(row["ncm_low"], row["ncm_high"]),
            number(row["map_at_r"], 3),
            number(row["epochs_to_95"]).removesuffix(".0"),
            duration(row["seconds_to_95"]),
            duration(row["seconds"]),
            str(row["collapsed"] or NONE),
            str(row["diverged"] or NONE),
        ]
        for setting, row in zip(comparison.settings, comparison.table.to_dict("records"), strict=True)
    ]
    for one in comparison.baselines:
        shares = [percent(one.p1.value), interval(*one.p1[1:]), percent(one.ncm.value), interval(*one.ncm[1:])]
        rows.append([one.name, "(ready-made)", NONE, NONE, *shares, number(one.map_at_r, 3), *[NONE] * 5])
    return Table(_HEADINGS, rows, "ttnnninin" + "n" * 5, [comparison.settings.index(comparison.best)])


def about(comparison: Comparison, facts: Facts) -> str:
    """How much was compared, on what."""
    seeds = comparison.seeds()
    return (
        f"{count(len(comparison.runs), 'run')} of {count(len(comparison.settings), 'setting')}, "
        f"{'seed' if len(seeds) == 1 else 'seeds'} {', '.join(map(str, seeds))}, on {facts.data} "
        f"({', '.join(f'{n:,} {name}' for name, n in facts.images.items())} images)."
    )


def methods(comparison: Comparison, facts: Facts) -> list[str]:
    """How the figures came about, in paragraphs."""
    part = {"val": "validation part", "test": "test part"}[facts.part]
    recipe = facts.recipe
    flatters = (
        ", so figures of that part flatter all settings alike; `doppelgram evaluate RUN` gives the figure of the test "
        "part for the one that is chosen"
    )
    return [
        f"All runs share one split (split.csv) and the recipe '{recipe.name or 'without a name'}' but for loss, "
        f"miner and embedding size: backbone {recipe.model.backbone} (trained: {recipe.model.train}), "
        f"{recipe.data.size} px, {count(recipe.optimiser.epochs, 'epoch')}, batches of {recipe.sampler.batch}, "
        f"learning rate {recipe.optimiser.lr:g}.",
        f"Each of {count(comparison.queries, 'image')} of the {part} was searched in the training part (in the others "
        "of its own part, if no class is in both). P@1: the nearest image is of the right class; NCM: the nearest "
        "class mean is the right one; MAP@R: mean average precision within the first R. Of each run the epoch with the "
        f"best {recipe.stopping.monitor} on the validation part was kept{flatters if facts.part == 'val' else ''}.",
        "Epochs and seconds to 95 %: until validation P@1 (each validation image searched in the others) first reached "
        "95 % of the run's own best; mean over seeds. Seconds are of training and validation on this machine, without "
        "decoding and frozen features, and depend on what else it did meanwhile.",
        f"Intervals: 95 %, percentiles of a two-level bootstrap ({REPLICATES:,} draws) over query images and seeds "
        "(Owen 2007); of S seeds S - 1 are drawn (Rao and Wu 1988). All settings see the same draws, so differences "
        "are paired. No interval is widened for the number of comparisons.",
        "The share of active triplets is of all triplets of a batch, whichever of them the miner chose; for losses on "
        "pairs it is of the pairs that were used.",
        f"Versions: {', '.join(f'{name} {version}' for name, version in facts.versions.items())}.",
    ]


def to_dict(comparison: Comparison, findings: Sequence[Finding], facts: Facts) -> dict[str, Any]:
    """Everything as plain values for another program; figures that do not exist are null."""
    return {
        "part": comparison.part,
        "queries": comparison.queries,
        "seeds": comparison.seeds(),
        "reading": [finding._asdict() for finding in findings],
        "best": comparison.best._asdict(),
        "settings": _plain(comparison.table),
        "baselines": [
            {"name": one.name, "p1": one.p1._asdict(), "ncm": one.ncm._asdict(), "map_at_r": one.map_at_r}
            for one in comparison.baselines
        ],
        "effects": [_effect(effect) for factor in FACTORS for effect in effects(comparison, factor)],
        "runs": _plain(comparison.runs_table),
        "data": facts.data,
        "images": dict(facts.images),
        "recipe": facts.recipe.to_dict(),
        "versions": dict(facts.versions),
        "command": facts.command,
    }


def _effect(effect: Effect) -> dict[str, Any]:
    levels = {"factor": effect.factor, "higher": effect.higher, "lower": effect.lower}
    difference = {**effect.difference._asdict(), "decided": effect.difference.decided}
    return {**levels, **difference, "settings": effect.settings}


def _plain(table: pd.DataFrame) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = json.loads(table.to_json(orient="records", double_precision=6))
    return records
