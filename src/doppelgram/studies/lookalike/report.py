"""The report of the look-alike exercise, once as Markdown and once as a page with its pictures inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from doppelgram.evaluation.result import Metric
from doppelgram.files import written_whole
from doppelgram.reports.blocks import Block, as_html, as_markdown, duration, percent
from doppelgram.studies.lookalike.plan import Step, Subject

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
        metrics: on the test part, asked of the training part.
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
    out: Path


def write_report(out: Path, chapters: Sequence[Chapter], settings: Mapping[str, Any], seconds: float) -> Path:
    """Write ``report.md`` and ``report.html``, each whole or not at all, and return the latter.

    Raises:
        DoppelgramError: the folder cannot be written to.
    """
    blocks = _blocks(chapters, settings, seconds)
    for name, text in (
        ("report.md", as_markdown(blocks, out)),
        ("report.html", as_html("The look-alike exercise", blocks)),
    ):
        with written_whole(out / name) as aside:
            aside.write_text(text, encoding="utf-8")
    return out / "report.html"


def _blocks(chapters: Sequence[Chapter], settings: Mapping[str, Any], seconds: float) -> list[Block]:
    spent = sum(one.seconds for chapter in chapters for one in _all(chapter))
    blocks: list[Block] = [
        ("h1", "The look-alike exercise, done again"),
        ("table", ["", "published", "of classes", "nearest class mean", "k-NN", "of classes", "n"],
         [_summary(chapter) for chapter in chapters]),
        ("p", "Right class of test images, with 95 % intervals (Wilson). Ours is the model that did best on the "
         "validation part; the test part chose nothing. The published figures come without n and interval."),
    ]  # fmt: skip
    blocks += [("p", _reading(chapter)) for chapter in chapters]
    recipe = chapters[0].trained[0].step.recipe
    side, backbone, epochs = recipe.data.size, recipe.model.backbone, recipe.optimiser.epochs
    what = (
        f"{_BACKBONES.get(backbone, backbone)} at {side} x {side} pixels, {epochs} epoch{'s' * (epochs > 1)} a training"
    )
    if settings.get("most_images"):
        what += f", at most {settings['most_images']} images a class"
    if settings.get("quick"):
        what += ". This is the quick version: its small network stands in place of VGG16 and its figures are no "
        what += "reproduction, only a rehearsal of one"
    if settings["set"]:
        what += f"; changed by --set {', '.join(settings['set'])}"
    blocks.append(("p", f"{what}. Seed {settings['seed']}; {duration(spent)} of training in all."))
    for chapter in chapters:
        blocks += _chapter(chapter)
    return blocks


def _all(chapter: Chapter) -> list[Trained]:
    return [*chapter.trained, *(one for one in chapter.sizes if one is not chapter.best)]


def _summary(chapter: Chapter) -> list[str]:
    metrics = chapter.best.metrics
    n = metrics["ncm_accuracy"].n if "ncm_accuracy" in metrics else 0
    return [
        chapter.subject.title, f"{100 * chapter.subject.accuracy:.0f} %", str(chapter.subject.classes),
        _figure(metrics, "ncm_accuracy"), _figure(metrics, "knn_accuracy"), str(chapter.classes), f"{n:,}",
    ]  # fmt: skip


def _reading(chapter: Chapter) -> str:
    subject = chapter.subject
    found = chapter.best.metrics.get("knn_accuracy")
    if found is None:
        return f"{subject.title}: no test image has a class that was trained on."
    published = f"the published {100 * subject.accuracy:.0f} %"
    if found.low > subject.accuracy:
        verdict = f"above {published} even at the lower end of its interval"
    elif found.high < subject.accuracy:
        verdict = f"below {published} even at the upper end of its interval"
    else:
        verdict = f"not to be told from {published} by these test images"
    classes = "the same number of classes" if chapter.classes == subject.classes else f"{chapter.classes} classes here"
    return (
        f"{subject.title}: {percent(found.value)} by k-NN ({percent(found.low)} to {percent(found.high)}) "
        f"is {verdict}. What differs: {classes} against {subject.classes}. {subject.differs}"
    )


def _chapter(chapter: Chapter) -> list[Block]:
    images = ", ".join(f"{count:,} {part}" for part, count in chapter.images.items())
    headings = ["", "dimensions", "nearest class mean", "k-NN (5)", "P@1", "MAP@R", "validation P@1", "training"]
    blocks: list[Block] = [
        ("h2", chapter.subject.title),
        ("p", f"{sum(chapter.images.values()):,} images of {chapter.classes} classes: {images}. Test images are asked "
         "of the training part."),
        ("h3", "Loss and mining"),
        ("table", headings, [_row(one, one is chapter.best) for one in chapter.trained]),
    ]  # fmt: skip
    blocks += [("p", f"{one.step.title}: {warning}") for one in _all(chapter) for warning in one.warnings]
    blocks += [
        ("h3", "Embedding size"),
        ("p", f"{chapter.best.step.title} did best on the validation part and is trained again with other sizes."),
        ("table", ["", *headings[2:]], [_without_dim(one) for one in chapter.sizes]),
        ("h3", "Look-alikes"),
        ("image", chapter.montage, "Test images drawn at random, one a class, and their nearest training images"),
        ("h3", "The space"),
    ]
    return [*blocks, *(("image", file, caption) for file, caption in chapter.maps)]


def _row(one: Trained, best: bool, title: str = "") -> list[str]:
    names = ("ncm_accuracy", "knn_accuracy", "precision_at_1", "map_at_r")
    name = (title or one.step.title) + (" · best on validation" if best else "")
    figures = [_figure(one.metrics, metric) for metric in names]
    return [name, str(one.step.dim), *figures, percent(one.validation), duration(one.seconds)]


def _without_dim(one: Trained) -> list[str]:
    title, _, *rest = _row(one, False, f"{one.step.dim} dimensions")
    return [title, *rest]


def _figure(metrics: Mapping[str, Metric], name: str) -> str:
    if name not in metrics:
        return "–"
    metric = metrics[name]
    return f"{percent(metric.value)} ({100 * metric.low:.1f}–{100 * metric.high:.1f})"
