"""The report of the look-alike exercise, once as Markdown and once as a page with its pictures inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from doppelgram.evaluation.result import Metric
from doppelgram.numbers import NONE, count, duration, estimate, interval, percent
from doppelgram.reports.pages import Picture, Table, markdown, page, write_text
from doppelgram.studies.lookalike.plan import Step, Subject

TITLE = "The look-alike exercise, done again"
_BACKBONES = {
    "vgg16": "VGG16 from random weights",
    "vgg16_bn": "VGG16 with batch normalisation, from random weights,",
    "small": "A small residual net from random weights",
}


@dataclass(frozen=True)
class Trained:
    """A finished step.

    Attributes:
        step: what was trained.
        folder: its run.
        metrics: of test images searched in the training part.
        validation: P@1 on the validation part, by which the best is chosen.
        seconds: of training.
        warnings: of training, such as one of a collapse.
    """

    step: Step
    folder: Path
    metrics: Mapping[str, Metric]
    validation: float
    seconds: float
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chapter:
    """All of one data set: how it is divided, what was trained, and the pictures."""

    subject: Subject
    images: Mapping[str, int]
    classes: int
    trained: Sequence[Trained]
    sizes: Sequence[Trained]
    best: Trained
    maps: Sequence[tuple[Path, str]]
    montage: Path


def write_report(out: Path, chapters: Sequence[Chapter], settings: Mapping[str, Any]) -> Path:
    """Write ``report.md`` and ``report.html``, each whole or not at all, and return the latter.

    Raises:
        DoppelgramError: the folder cannot be written to.
    """
    headings = ["", "published", "of classes", "nearest class mean", "k-NN", "of classes", "n"]
    context = {
        "title": TITLE,
        "out": out,
        "summary": Table(headings, [_summary(chapter) for chapter in chapters]),
        "readings": [_reading(chapter) for chapter in chapters],
        "settings": _settings(chapters, settings),
        "chapters": [_chapter(chapter) for chapter in chapters],
    }
    write_text(out / "report.md", markdown("studies/lookalike/report.md", **context))
    return write_text(out / "report.html", page("studies/lookalike/report.html", **context))


def _settings(chapters: Sequence[Chapter], settings: Mapping[str, Any]) -> str:
    """What was trained, in a paragraph."""
    recipe = chapters[0].trained[0].step.recipe
    spent = sum(one.seconds for chapter in chapters for one in _all(chapter))
    side, backbone = recipe.data.size, recipe.model.backbone
    epochs = count(recipe.optimiser.epochs, "epoch")
    text = f"{_BACKBONES.get(backbone, backbone)} at {side} x {side} pixels, {epochs} a training"
    if settings.get("most_images"):
        text += f", at most {count(settings['most_images'], 'image')} a class"
    if settings.get("quick"):
        text += ". This is the quick version: its small network stands in place of VGG16 and its figures are no "
        text += "reproduction, only a rehearsal of one"
    if settings["set"]:
        text += f"; changed by --set {', '.join(settings['set'])}"
    return f"{text}. Seed {settings['seed']}; {duration(spent)} of training in all."


def _all(chapter: Chapter) -> list[Trained]:
    return [*chapter.trained, *(one for one in chapter.sizes if one is not chapter.best)]


def _summary(chapter: Chapter) -> list[str]:
    metrics = chapter.best.metrics
    n = metrics["ncm_accuracy"].n if "ncm_accuracy" in metrics else 0
    ours = [_figure(metrics, name) for name in ("ncm_accuracy", "knn_accuracy")]
    published = [chapter.subject.title, percent(chapter.subject.accuracy, 0), str(chapter.subject.classes)]
    return [*published, *ours, str(chapter.classes), f"{n:,}"]


def _reading(chapter: Chapter) -> str:
    subject = chapter.subject
    found = chapter.best.metrics.get("knn_accuracy")
    if found is None:
        return f"{subject.title}: no test image has a class that was trained on."
    published = f"the published {percent(subject.accuracy, 0)}"
    if found.low > subject.accuracy:
        verdict = f"above {published} even at the lower end of its interval"
    elif found.high < subject.accuracy:
        verdict = f"below {published} even at the upper end of its interval"
    else:
        verdict = f"not to be told from {published} by these test images"
    classes = "the same number of classes" if chapter.classes == subject.classes else f"{chapter.classes} classes here"
    return (
        f"{subject.title}: {percent(found.value)} by k-NN ({interval(found.low, found.high)}) "
        f"is {verdict}. What differs: {classes} against {subject.classes}. {subject.differs}"
    )


def _chapter(chapter: Chapter) -> dict[str, Any]:
    """What the template says of one data set."""
    parts = ", ".join(f"{n:,} {part}" for part, n in chapter.images.items())
    headings = ["", "dimensions", "nearest class mean", "k-NN (5)", "P@1", "MAP@R", "validation P@1", "training"]
    best = [k for k, one in enumerate(chapter.trained) if one is chapter.best]
    losses = Table(headings, [[one.step.title, str(one.step.dim), *_row(one)] for one in chapter.trained], marked=best)
    dims = [[f"{one.step.dim} dimensions", *_row(one)] for one in chapter.sizes]
    return {
        "title": chapter.subject.title,
        "about": f"{count(sum(chapter.images.values()), 'image')} of {count(chapter.classes, 'class', 'classes')}: "
        f"{parts}. Test images are searched in the training part.",
        "losses": losses,
        "best": chapter.best.step.title,
        "warnings": [f"{one.step.title}: {warning}" for one in _all(chapter) for warning in one.warnings],
        "sizes": Table(["", *headings[2:]], dims),
        "montage": Picture(
            chapter.montage, "Test images drawn at random, one a class, and their nearest training images"
        ),
        "maps": [Picture(file, caption) for file, caption in chapter.maps],
    }


def _row(one: Trained) -> list[str]:
    names = ("ncm_accuracy", "knn_accuracy", "precision_at_1", "map_at_r")
    return [*(_figure(one.metrics, name) for name in names), percent(one.validation), duration(one.seconds)]


def _figure(metrics: Mapping[str, Metric], name: str) -> str:
    metric = metrics.get(name)
    return estimate(metric.value, metric.low, metric.high) if metric else NONE
