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
from doppelgram.numbers import NONE, count, duration, estimate, percent
from doppelgram.reports.pages import Picture, Table, markdown, page, write_text
from doppelgram.studies.role_model.data import UNGROUPED_NOTE, Trial
from doppelgram.studies.role_model.plan import PUBLISHED_PAIRS, Rung, published_figure
from doppelgram.studies.role_model.rungs import RungResult
from doppelgram.training.recipes.schema import PairsRecipe

TITLE = "The role-model study's ladder, climbed again"
_OPTIMISERS = {"sgd": "SGD", "adamw": "AdamW"}
_OURS = ("ready", "ours")
_SCHEDULES = {"cosine": "falling along half a cosine", "constant": "constant", "onecycle": "one cycle"}
_FIRST = "; before that the FC layers alone, as with a frozen backbone, on features at the same size"
_QUESTIONS = {"same_place": "study's question", "all": "both kinds"}


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
    context = report_context(ladder) | {"out": out}
    texts = {
        "ladder.json": json.dumps(as_dict(ladder), indent=1, ensure_ascii=False) + "\n",
        "ladder.csv": _csv(ladder),
        "report.md": markdown("studies/role_model/report.md", **context),
        "report.html": page("studies/role_model/report.html", **context),
    }
    for name, text in texts.items():
        write_text(out / name, text)
    return out / "report.html"


def report_context(ladder: Ladder) -> dict[str, Any]:
    """What the report's templates say, in plain values."""
    headings = ["", "published", *(f"{name}: {kind}" for name in ladder.climbed for kind in _QUESTIONS.values())]
    return {
        "title": TITLE,
        "pairs": PUBLISHED_PAIRS,
        "summary": Table(headings, [_summary(ladder, rung) for rung in ladder.rungs]),
        "warning": "" if ladder.grouped else UNGROUPED_NOTE,
        "notes": [*ladder.notes, *_readings(ladder)],
        "pictures": [Picture(file, caption) for file, caption in ladder.pictures],
        "protocols": [_protocol(ladder, name) for name in ladder.climbed],
        "leaks": _leaks(ladder),
        "settings": _settings(ladder),
    }


def _summary(ladder: Ladder, rung: Rung) -> list[str]:
    cells = [rung.title]
    if rung.kind in ("cosine", "euclidean"):
        cells.append("no usable threshold")
    else:
        cells.append(NONE if rung.published is None else _figure(published_figure(rung.published), 0))
    for each in ladder.climbed.values():
        one = each.get(rung.key)
        cells += [_figure(one.metrics[f"accuracy_{question}"]) if one else NONE for question in _QUESTIONS]
    return cells


def _readings(ladder: Ladder) -> list[str]:
    """One sentence a protocol: the best of the study's rungs, and ours beside it; and what the ready-made one knows."""
    found = []
    for name, each in ladder.climbed.items():
        study = [one for one in each.values() if one.rung.kind not in _OURS]
        if not study:
            continue
        best = max(study, key=lambda one: one.metrics["accuracy_all"].value)
        sentence = (
            f"{name.capitalize()} protocol: of the study's rungs “{best.rung.title}” is the highest with "
            f"{_figure(best.metrics['accuracy_all'])} of {count(best.metrics['accuracy_all'].n, 'pair')}"
        )
        reached = [
            f"“{one.rung.title}” {_figure(one.metrics['accuracy_all'])}"
            for one in each.values()
            if one.rung.kind in _OURS
        ]
        found.append(sentence + (f"; {' and '.join(reached)}." if reached else "."))
    ready = next((one for each in ladder.climbed.values() for one in each.values() if one.rung.kind == "ready"), None)
    if ready is not None:
        found.append(
            f"The ready-made model comes with numbers that say what its distances mean; they were fitted on "
            f"{ready.facts['fitted_on']}."
        )
    return found


def _protocol(ladder: Ladder, name: str) -> dict[str, Any]:
    """What is said of one protocol: its parts, every rung's figures, and how training went."""
    trial, each = ladder.trials[name], ladder.climbed[name]
    counts = ", ".join(f"{len(trial.rows[part]):,} {part}" for part in ("train", "val", "test"))
    pairs = [count(len(trial.validation), "validation pair"), count(len(trial.test), "test pair")]
    sentences = [f"{counts} posts; {' and '.join(pairs)}."]
    if name == "open":
        sentences.append(
            f"Whole places and poses are held out: tested on {', '.join(trial.places['test'])} and on "
            f"{', '.join(trial.poses['test'])}, none of which was trained on."
        )
    elif ladder.grouped:
        sentences.append("No person and no photograph of a place stands in two parts.")
    if trial.left_out:
        sentences.append(
            f"{count(trial.left_out, 'post')} left out, since the person or the photograph belongs to another part."
        )
    if ladder.grouped:
        sentences.append("No pair shares a person or a photograph.")
    questions = {"same_place": "same place", "all": "both kinds", "same_pose": "same pose"}
    figures = [(figure, question) for question in questions for figure in ("accuracy", "auc")]
    shown = {"accuracy": "accuracy", "auc": "AUC"}
    trained = [one for one in each.values() if one.rung.kind == "pairs"]
    return {
        "name": name,
        "about": " ".join(sentences),
        "figures": Table(
            ["", *(f"{shown[figure]}, {questions[question]}" for figure, question in figures)],
            [
                [one.rung.title, *(_figure(one.metrics[f"{figure}_{question}"]) for figure, question in figures)]
                for one in each.values()
            ],
        ),
        "training": Table(
            [
                *("", "pixels", "pairs an epoch", "epochs", "best", "training loss", "validation loss"),
                *("validation accuracy", "time"),
            ],
            [_training(one) for one in trained],
        ),
    }


def _training(one: RungResult) -> list[str]:
    facts = one.facts
    losses = [f"{facts[f'first_{part}_loss']:.3f} to {facts[f'best_{part}_loss']:.3f}" for part in ("train", "val")]
    counts = [str(facts["size"]), f"{facts['pairs_an_epoch']:,}", str(facts["epochs"]), str(facts["best_epoch"])]
    return [one.rung.title, *counts, *losses, percent(facts["val_accuracy"]), duration(facts["seconds"])]


def _leaks(ladder: Ladder) -> Table | None:
    """What splitting pairs instead of photographs does to the figures."""
    rows = []
    for one in ladder.leaky.values():
        honest = [each[one.rung.key] for each in ladder.climbed.values() if one.rung.key in each]
        accuracy = one.metrics["accuracy"]
        leaky = [percent(one.rung.published, 0), _figure(accuracy), f"{accuracy.n:,}", percent(one.facts["both_seen"])]
        rows.append([one.rung.title, *leaky, *(_figure(two.metrics["accuracy_same_place"]) for two in honest)])
    headings = ["", "published", "pairs split", "n", "both photographs in training"]
    return Table([*headings, *(f"{name} protocol" for name in ladder.climbed)], rows) if rows else None


def _settings(ladder: Ladder) -> str:
    settings = ladder.settings
    names = list(dict.fromkeys(rung.recipe.model.backbone for rung in ladder.rungs if rung.recipe is not None))
    names = names or settings["backbones"]  # our own models alone
    backbones = f"Backbone{'s' * (len(names) > 1)} {', '.join(names)}"
    text = f"{backbones}, skeletons by {settings['estimator']}, seed {settings['seed']}. "
    said = set()
    for rung in (rung for rung in ladder.rungs if rung.kind == "pairs"):
        what = "Frozen backbone" if rung.frozen else "Trained as a whole" if rung.first is None else "Tuned here"
        if what not in said and rung.recipe is not None:
            said.add(what)
            text += f"{what}: {_steps(rung.recipe)}{_FIRST if rung.first is not None else ''}. "
    if settings.get("set"):
        text += f"Changed by --set {', '.join(settings['set'])}. "
    if settings.get("quick"):
        text += "This is the quick version: small pictures and few epochs, a rehearsal and no reproduction."
    return text.strip()


def _steps(recipe: PairsRecipe) -> str:
    """How a network is stepped, in words."""
    o = recipe.optimiser
    backbone = f", the backbone at {o.lr * o.backbone_lr:g}" if recipe.model.train == "full" else ""
    schedule = f", {_SCHEDULES[o.schedule]} after {percent(o.warmup, 0)} of warm-up" if o.warmup else ""
    patience = f"patience {recipe.stopping.patience}" if recipe.stopping.patience else "never stopped early"
    return (
        f"{_OPTIMISERS[o.name]} at {o.lr:g}{backbone}{schedule}, at most {count(o.epochs, 'epoch')}, {patience}, "
        f"{recipe.pairs.batch} pairs a batch, dropout {recipe.model.dropout:g}"
    )


def _figure(metric: Metric, digits: int = 1) -> str:
    return estimate(metric.value, metric.low, metric.high, digits)


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
