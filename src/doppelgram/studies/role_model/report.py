"""The report of the ladder: a table with every rung beside its published figure, as Markdown, CSV, JSON and a page."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from doppelgram.evaluation.result import Metric
from doppelgram.files import written_whole
from doppelgram.reports.blocks import Block, as_html, as_markdown, duration, percent
from doppelgram.studies.role_model.data import FLATTERS, Trial
from doppelgram.studies.role_model.plan import PUBLISHED_PAIRS, Rung, published_figure
from doppelgram.studies.role_model.rungs import RungResult

TITLE = "The role-model study's ladder, climbed again"
_OPTIMISERS = {"sgd": "SGD", "adamw": "AdamW"}
_ASKED = (
    "Study's question: the same arrangement, or the same place in another pose. Both kinds: of the different pairs "
    "half share the place and half the pose"
)


@dataclass(frozen=True)
class Ladder:
    """Everything that the report tells.

    Attributes:
        rungs: lowest first.
        trials: by protocol.
        climbed: by protocol and rung's key.
        leaky: rungs by key, their accuracy when pairs are split instead of photographs.
        settings: of the call.
        grouped: whether persons and photos are known.
        notes: remarks that a reader should see.
        pictures: files and captions.
    """

    rungs: Sequence[Rung]
    trials: Mapping[str, Trial]
    climbed: Mapping[str, Mapping[str, RungResult]]
    leaky: Mapping[str, RungResult]
    settings: Mapping[str, Any]
    grouped: bool
    notes: Sequence[str]
    pictures: Sequence[tuple[Path, str]]


def write_ladder(out: Path, ladder: Ladder) -> Path:
    """Write ``report.html``, ``report.md``, ``ladder.csv`` and ``ladder.json``, each whole or not at all.

    Returns:
        The page.

    Raises:
        DoppelgramError: the folder cannot be written to.
    """
    blocks = ladder_blocks(ladder)
    texts = {
        "ladder.json": json.dumps(as_dict(ladder), indent=1, ensure_ascii=False) + "\n",
        "ladder.csv": _csv(ladder),
        "report.md": as_markdown(blocks, out),
        "report.html": as_html(TITLE, blocks),
    }
    for name, text in texts.items():
        with written_whole(out / name) as aside:
            aside.write_text(text, encoding="utf-8")
    return out / "report.html"


def ladder_blocks(ladder: Ladder) -> list[Block]:
    """The report's headings, paragraphs, tables and pictures."""
    names = list(ladder.climbed)
    headings = ["", "published", *(f"{name}: {kind}" for name in names for kind in ("study's question", "both kinds"))]
    blocks: list[Block] = [
        ("h1", TITLE),
        ("p", "When do two photographs show the same arrangement, the same body pose before the same place? The "
         f"study's networks, in its order, with its published accuracies on {PUBLISHED_PAIRS} pairs beside what comes "
         "out here. Every figure is the share of test pairs judged rightly, same and different pairs weighing "
         "equally, with its 95 % interval."),
        ("table", headings, [_summary(ladder, rung) for rung in ladder.rungs]),
        ("p", "Published: Wilson intervals; its pairs were split, so photographs stood on both sides. Here: photo"
         f"graphs are drawn again, not pairs; thresholds are chosen on validation pairs. {_ASKED}. Chance is 50 %."),
    ]  # fmt: skip
    if not ladder.grouped:
        blocks.append(("p", f"Warning: {FLATTERS}"))
    blocks += [("p", note) for note in (*ladder.notes, *_readings(ladder))]
    blocks += [("image", file, caption) for file, caption in ladder.pictures]
    for name in names:
        blocks += _chapter(ladder, name)
    blocks += _leaks(ladder)
    blocks += [("h2", "Settings"), ("p", _settings(ladder))]
    return blocks


def _summary(ladder: Ladder, rung: Rung) -> list[str]:
    cells = [rung.title]
    if rung.kind in ("cosine", "euclidean"):
        cells.append("no usable threshold")
    else:
        cells.append("–" if rung.published is None else _figure(published_figure(rung.published), digits=0))
    for each in ladder.climbed.values():
        one = each.get(rung.key)
        cells += [_figure(one.metrics[f"accuracy_{question}"]) if one else "–" for question in ("same_place", "all")]
    return cells


def _readings(ladder: Ladder) -> list[str]:
    """One sentence a protocol: the best of the study's rungs, and ours beside it."""
    found = []
    for name, each in ladder.climbed.items():
        study = [one for one in each.values() if one.rung.kind != "ours"]
        if not study:
            continue
        best = max(study, key=lambda one: one.metrics["accuracy_all"].value)
        sentence = (
            f"{name.capitalize()} protocol: of the study's rungs “{best.rung.title}” is the highest with "
            f"{_figure(best.metrics['accuracy_all'])} of {best.metrics['accuracy_all'].n:,} pairs"
        )
        if "ours" in each:
            sentence += f"; ours reaches {_figure(each['ours'].metrics['accuracy_all'])}"
        found.append(sentence + ".")
    return found


def _chapter(ladder: Ladder, name: str) -> list[Block]:
    trial, each = ladder.trials[name], ladder.climbed[name]
    counts = ", ".join(f"{len(trial.rows[part]):,} {part}" for part in ("train", "val", "test"))
    text = f"{counts} posts; {len(trial.validation):,} validation pairs and {len(trial.test):,} test pairs. "
    if name == "open":
        text += (
            f"Whole places and poses are held out: tested on {', '.join(trial.places['test'])} and on "
            f"{', '.join(trial.poses['test'])}, none of which was trained on. "
        )
    elif ladder.grouped:
        text += "No person and no photograph of a place stands in two parts. "
    if trial.left_out:
        text += f"{trial.left_out:,} posts stand in none, since their person or photograph belongs to another part. "
    if ladder.grouped:
        text += "No pair shares a person or a photograph."
    headings = ["", *(f"{what}, {question}" for question in ("same place", "both kinds", "same pose")
                      for what in ("accuracy", "AUC"))]  # fmt: skip
    rows = []
    for one in each.values():
        cells = [one.rung.title]
        for question in ("same_place", "all", "same_pose"):
            cells += [_figure(one.metrics[f"{what}_{question}"]) for what in ("accuracy", "auc")]
        rows.append(cells)
    blocks: list[Block] = [
        ("h2", f"The {name} protocol"),
        ("p", text),
        ("table", headings, rows),
    ]
    trained = [one for one in each.values() if one.rung.kind == "pairs"]
    if trained:
        blocks += [
            ("h3", "Training"),
            ("table", ["", "pixels", "pairs an epoch", "epochs", "best", "training loss", "validation loss",
                       "validation accuracy", "time"], [_training(one) for one in trained]),
            ("p", "Loss: binary cross-entropy, 0.693 where nothing is learned; first epoch and the one that is kept. "
             "Trained and stopped early on pairs of the study's kind: different ones are of the same place."),
        ]  # fmt: skip
    return blocks


def _training(one: RungResult) -> list[str]:
    facts = one.facts
    return [
        one.rung.title, str(facts["size"]), f"{facts['pairs_an_epoch']:,}", str(facts["epochs"]),
        str(facts["best_epoch"]), f"{facts['first_train_loss']:.3f} to {facts['best_train_loss']:.3f}",
        f"{facts['first_val_loss']:.3f} to {facts['best_val_loss']:.3f}", percent(facts["val_accuracy"]),
        duration(facts["seconds"]),
    ]  # fmt: skip


def _leaks(ladder: Ladder) -> list[Block]:
    if not ladder.leaky:
        return []
    rows = []
    for one in ladder.leaky.values():
        honest = [each[one.rung.key] for each in ladder.climbed.values() if one.rung.key in each]
        published = "–" if one.rung.published is None else f"{100 * one.rung.published:.0f} %"
        rows.append([
            one.rung.title, published, _figure(one.metrics["accuracy"]), f"{one.metrics['accuracy'].n:,}",
            percent(one.facts["both_seen"]),
            *(_figure(two.metrics["accuracy_same_place"]) for two in honest),
        ])  # fmt: skip
    shown = [f"{name} protocol" for name in ladder.climbed]
    return [
        ("h2", "What splitting pairs instead of photographs does"),
        ("table", ["", "published", "pairs split", "n", "both photographs seen in training", *shown], rows),
        ("p", "As the study divided them: a fifth of the pairs to validate on, photographs on both sides, the accuracy "
         "that of the validation pairs which also stopped the training. The same question as beside it, asked of "
         "photographs that were never seen, is what the protocols measure."),
    ]  # fmt: skip


def _settings(ladder: Ladder) -> str:
    settings = ladder.settings
    text = f"Backbone {settings['backbone']}, skeletons by {settings['estimator']}, seed {settings['seed']}. "
    for frozen, what in ((True, "Frozen backbone"), (False, "Trained as a whole")):
        recipe = next((rung.recipe for rung in ladder.rungs if rung.recipe and rung.frozen == frozen), None)
        if recipe is not None:
            o = recipe.optimiser
            text += (
                f"{what}: {_OPTIMISERS[o.name]} at {o.lr:g}, at most {o.epochs} epochs, patience "
                f"{recipe.stopping.patience}, {recipe.pairs.batch} pairs a batch, dropout {recipe.model.dropout:g}. "
            )
    if settings.get("set"):
        text += f"Changed by --set {', '.join(settings['set'])}. "
    if settings.get("quick"):
        text += "This is the quick version: small pictures and few epochs, a rehearsal and no reproduction."
    return text.strip()


def _figure(metric: Metric, digits: int = 1) -> str:
    low, value, high = (f"{100 * share:.{digits}f}" for share in (metric.low, metric.value, metric.high))
    return f"{value} % ({low}–{high})"


def as_dict(ladder: Ladder) -> dict[str, Any]:
    """Every figure as JSON-ready values."""
    return {
        "settings": dict(ladder.settings),
        "grouped": ladder.grouped,
        "notes": list(ladder.notes),
        "published": {
            rung.key: asdict(published_figure(rung.published)) for rung in ladder.rungs if rung.published is not None
        },
        "protocols": {
            name: {
                "posts": {part: len(ladder.trials[name].rows[part]) for part in ("train", "val", "test")},
                "left_out": ladder.trials[name].left_out,
                "pairs": {"val": len(ladder.trials[name].validation), "test": len(ladder.trials[name].test)},
                "rungs": {key: _as_dict(one) for key, one in each.items()},
            }
            for name, each in ladder.climbed.items()
        },
        "leaky": {key: _as_dict(one) for key, one in ladder.leaky.items()},
    }


def _as_dict(one: RungResult) -> dict[str, Any]:
    metrics = {name: asdict(metric) for name, metric in one.metrics.items()}
    return {"title": one.rung.title, "metrics": metrics, "facts": dict(one.facts)}


def _csv(ladder: Ladder) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["protocol", "rung", "title", "figure", "value", "low", "high", "n", "published"])
    for name, each in ladder.climbed.items():
        for key, one in each.items():
            for figure, m in one.metrics.items():
                published = "" if one.rung.published is None else one.rung.published
                writer.writerow([name, key, one.rung.title, figure, m.value, m.low, m.high, m.n, published])
    return file.getvalue()
