"""The report of the look-alike exercise, once as Markdown and once as a page with its pictures inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from doppelgram.evaluation.result import Metric
from doppelgram.numbers import NONE, count, duration, estimate, interval, listing, percent
from doppelgram.reports.pages import Picture, Table, markdown, page, write_text
from doppelgram.studies.lookalike.findings import Mined, Sized, map_answers, mining_answers, size_answers
from doppelgram.studies.lookalike.neighbourhood import CAPTIONS, Neighbourhood
from doppelgram.studies.lookalike.plan import DIM, NEIGHBOURS, PUBLISHED, Step, Subject

TITLE = "The look-alike exercise, done again"
_BACKBONES = {
    "vgg16": "VGG16",
    "vgg16_bn": "VGG16 with batch norm",
    "small": "our small net",
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
        fingerprint: of the model.
    """

    step: Step
    folder: Path
    metrics: Mapping[str, Metric]
    validation: float
    seconds: float
    warnings: tuple[str, ...] = ()
    fingerprint: str = ""


@dataclass(frozen=True)
class Chapter:
    """All of one data set: how it is divided, what was trained, and the pictures."""

    subject: Subject
    images: Mapping[str, int]
    classes: int
    trained: Sequence[Trained]
    sizes: Sequence[Trained]
    best: Trained
    neighbourhoods: Mapping[str, Neighbourhood]
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
        "answers": _answers(chapters),
        "settings": _settings(chapters, settings),
        "dim": DIM,
        "chapters": [_chapter(chapter) for chapter in chapters],
    }
    write_text(out / "report.md", markdown("studies/lookalike/report.md", **context))
    return write_text(out / "report.html", page("studies/lookalike/report.html", **context))


def network(backbone: str) -> str:
    """A network as the report names it."""
    return _BACKBONES.get(backbone, Path(backbone).name)


def _settings(chapters: Sequence[Chapter], settings: Mapping[str, Any]) -> str:
    """What was trained, in a paragraph."""
    recipe = chapters[0].trained[0].step.recipe
    spent = sum(one.seconds for chapter in chapters for one in _all(chapter))
    epochs = listing(
        [f"{count(each.trained[0].step.recipe.optimiser.epochs, 'epoch')} of {each.subject.name}" for each in chapters]
    )
    side = recipe.data.size
    names = listing([network(name) for name in dict.fromkeys(one.step.backbone for one in chapters[0].trained)])
    text = f"{names[:1].upper()}{names[1:]} at {side} x {side} pixels, in each training {epochs}"
    if settings.get("most_images"):
        text += f", at most {count(settings['most_images'], 'image')} a class"
    if settings.get("quick"):
        text += ". This is the quick version: its figures are no reproduction, only a rehearsal of one"
    if settings["set"]:
        text += f"; changed by --set {', '.join(settings['set'])}"
    text += ". All trainings of a network have the same learning rate"
    return f"{text}. Seed {settings['seed']}; {duration(spent)} of training in all."


def _answers(chapters: Sequence[Chapter]) -> list[tuple[str, list[str]]]:
    """The exercise's questions, each with what the numbers say."""
    mined, sized = [], []
    for chapter in chapters:
        for backbone in dict.fromkeys(one.step.backbone for one in chapter.trained):
            title = f"{chapter.subject.title}, {network(backbone)}"
            by_miner = {one.step.miner: chapter.neighbourhoods[one.step.key] for one in _of(chapter.trained, backbone)}
            named = {"semihard": "semi-hard mining", "batchhard": "batch-hard mining"}
            words = {text: by_miner[miner] for miner, text in named.items()}
            every = {"all": "the contrastive loss", "none": "random triplets", **named}
            troubled = [every[one.step.miner] for one in _of(chapter.trained, backbone) if one.warnings]
            mined.append(Mined(title, by_miner["none"], words, by_miner["all"], troubled))
            sizes = {one.step.dim: chapter.neighbourhoods[one.step.key] for one in _of(chapter.sizes, backbone)}
            sized.append(Sized(title, sizes))
    return [
        ("What does mining change?", mining_answers(mined)),
        ("Do two dimensions suffice?", size_answers(sized)),
        ("What do the maps show?", map_answers(sized)),
    ]


def _of(trained: Sequence[Trained], backbone: str) -> list[Trained]:
    return [one for one in trained if one.step.backbone == backbone]


def _all(chapter: Chapter) -> list[Trained]:
    return list({one.step.key: one for one in [*chapter.trained, *chapter.sizes]}.values())


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
        verdict = f"not clearly different from {published}: these test images cannot tell"
    same = chapter.classes == subject.classes
    classes = "" if same else f"{chapter.classes} classes here against {subject.classes}. "
    alike = " It has the same number of classes." if same else ""
    backbone = chapter.best.step.backbone
    named = network(backbone)
    other = "" if backbone.startswith(PUBLISHED) else f"{named[:1].upper()}{named[1:]} here, a VGG16 there. "
    return (
        f"{subject.title}: {percent(found.value)} by k-NN ({interval(found.low, found.high)}) "
        f"is {verdict}.{alike} What differs: {classes}{other}{subject.differs}"
    )


def _chapter(chapter: Chapter) -> dict[str, Any]:
    """What the template says of one data set."""
    parts = ", ".join(f"{n:,} {part}" for part, n in chapter.images.items())
    figures = ["nearest class mean", f"k-NN ({NEIGHBOURS})", "P@1", "MAP@R", "validation P@1", "training"]
    best = [k for k, one in enumerate(chapter.trained) if one is chapter.best]
    losses = [[network(one.step.backbone), one.step.title, *_row(one)] for one in chapter.trained]
    dims = [[network(one.step.backbone), str(one.step.dim), *_row(one)] for one in chapter.sizes]
    again = [f"{network(one.step.backbone)}: {one.step.title}" for one in chapter.sizes if one in chapter.trained]
    return {
        "title": chapter.subject.title,
        "about": f"{count(sum(chapter.images.values()), 'image')} of {count(chapter.classes, 'class', 'classes')}: "
        f"{parts}. Test images are searched in the training part.",
        "losses": Table(["network", "loss and mining", *figures], losses, "tt" + "n" * len(figures), marked=best),
        "again": again,
        "warnings": [f"{one.step.title}: {warning}" for one in _all(chapter) for warning in one.warnings],
        "sizes": Table(["network", "dimensions", *figures], dims, "tn" + "n" * len(figures)),
        "montage": Picture(
            chapter.montage, "Test images drawn at random, one a class, and their nearest training images"
        ),
        "maps": [
            Picture(file, f"{network(one.step.backbone)}, {one.step.dim} dimensions {CAPTIONS[method]}; train faint")
            for one in chapter.sizes
            for method, file in chapter.neighbourhoods[one.step.key].pictures.items()
        ],
    }


def _row(one: Trained) -> list[str]:
    names = ("ncm_accuracy", "knn_accuracy", "precision_at_1", "map_at_r")
    return [*(_figure(one.metrics, name) for name in names), percent(one.validation), duration(one.seconds)]


def _figure(metrics: Mapping[str, Metric], name: str) -> str:
    metric = metrics.get(name)
    return estimate(metric.value, metric.low, metric.high) if metric else NONE
