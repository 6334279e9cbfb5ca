"""The look-alike exercise rerun from beginning to end, its published figures beside ours."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from doppelgram.api.evaluate import evaluate
from doppelgram.api.train import train
from doppelgram.catalog.index import index_collection
from doppelgram.catalog.store import Catalog
from doppelgram.console import Progress, TerminalProgress
from doppelgram.dataset.loading import load_images
from doppelgram.dataset.splits import read_class_list
from doppelgram.errors import DoppelgramError, Interrupted
from doppelgram.evaluation.result import Metric
from doppelgram.models.bundle import load_model, model_folder
from doppelgram.models.model import Model, require_model
from doppelgram.reports.evaluation import write_evaluation
from doppelgram.reports.montage import draw_montage
from doppelgram.studies.experiment import open_experiment
from doppelgram.studies.lookalike.data import Prepared, prepare
from doppelgram.studies.lookalike.neighbourhood import (
    Neighbourhood,
    Shown,
    find_neighbourhood,
    methods,
    read_neighbourhood,
    write_neighbourhood,
)
from doppelgram.studies.lookalike.plan import (
    DIM,
    DIMS,
    FULL,
    NEIGHBOURS,
    QUICK,
    SUBJECTS,
    Step,
    Subject,
    basic_steps,
    size_steps,
)
from doppelgram.studies.lookalike.report import Chapter, Trained, write_report
from doppelgram.training.networks import make_network
from doppelgram.training.run import Run

DATA_FOLDER, RUNS_FOLDER, EVALUATIONS = "data", "runs", "evaluations"
_QUERIES, _ANSWERS = 10, 6


@dataclass(frozen=True)
class _Context:
    """What every step needs."""

    out: Path
    weights: Path | None
    seed: int
    progress: Progress


def reproduce_lookalike(
    signs: Path | str,
    faces: Path | str,
    out: Path | str,
    *,
    face_classes: Path | str | None = None,
    weights: Path | str | None = None,
    quick: bool = False,
    epochs: int | None = None,
    most_images: int | None = None,
    overrides: Sequence[str] = (),
    backbones: Sequence[str] = (),
    dims: Sequence[int] = DIMS,
    seed: int = 0,
    progress: Progress | None = None,
) -> Path:
    """Train on signs and faces as the exercise does, compare, map and search, and write a report.

    Finished steps are kept: the same call resumes after an interruption.

    Args:
        signs: traffic-sign crops, ``<class>/<panorama>_<n>.png``.
        faces: LFW, ``<Name>/<Name>_<n>.jpg``.
        out: folder for everything; new, or of an earlier same call.
        face_classes: text file with the identities, one a line; those of 16 images or more by default.
        weights: folder of pretrained weights, if ``backbones`` name one that needs some.
        quick: a small network alone, at most 40 images a class and few epochs.
        epochs: of each training, in place of the default; faces, of which there are fewer, take three times as many.
        most_images: of a class, drawn by whole panoramas; 0 for all; by default all, and 40 if ``quick``.
        overrides: ``key=value`` changes to every training's recipe.
        backbones: networks that are compared; by default VGG16 and a small residual net, both from random weights.
        dims: embedding sizes to try beside 64.
        seed: of splits, weights and batches.
        progress: where progress is shown; the terminal by default.

    Returns:
        The report, ``report.html``; the same stands in ``report.md``.

    Raises:
        DoppelgramError: data or settings cannot be used, or ``out`` belongs to other settings.
        Interrupted: stopped by Ctrl-C.
    """
    progress = progress or TerminalProgress()
    effort = QUICK if quick else FULL
    if epochs is not None:
        effort = replace(effort, epochs=epochs)
    if most_images is not None:
        effort = replace(effort, most_images=most_images)
    if backbones:
        effort = replace(effort, backbones=tuple(dict.fromkeys(backbones)))
    out = Path(out).expanduser()
    places = {"signs": Path(signs).expanduser(), "faces": Path(faces).expanduser()}
    listed = Path(face_classes).expanduser() if face_classes is not None else None
    for name, place in places.items():
        if not place.exists():
            raise DoppelgramError(f"--{name} {place}: there is no such folder or table")
    if listed is not None:
        read_class_list(listed)
    # First, so that wrong keys and sizes leave nothing behind.
    plans = {subject: basic_steps(subject, effort, overrides) for subject in SUBJECTS}
    folder = Path(weights).expanduser() if weights is not None else None
    # Weights that are missing are missed now, and not when another network has been trained for hours.
    for step in {step.backbone: step for step in plans[SUBJECTS[0]]}.values():
        make_network(step.recipe.model, step.recipe.data.size, folder, seed)
    if min(dims, default=DIM) < 2:
        raise DoppelgramError(f"dims has {min(dims)}; an embedding has 2 numbers or more")
    settings: dict[str, Any] = {
        **{name: os.path.abspath(place) for name, place in places.items()},
        "face_classes": str(listed.absolute()) if listed else "",
        "backbones": list(effort.backbones),
        "epochs": effort.epochs,
        "most_images": effort.most_images,
        "set": list(overrides),
        "dims": list(dims),
        "seed": seed,
    }
    open_experiment(out, settings, results=[RUNS_FOLDER], prepared=[DATA_FOLDER])
    context = _Context(out, folder, seed, progress)
    try:
        # Both first, so that unusable images are reported before the long training starts.
        prepared = [
            _prepared(
                subject.name,
                places[subject.name],
                out,
                effort.most_images,
                listed if subject.name == "faces" else None,
                seed,
            )
            for subject in plans
        ]
        chapters = [
            _chapter(context, subject, steps, dims, data)
            for (subject, steps), data in zip(plans.items(), prepared, strict=True)
        ]
    except (Interrupted, KeyboardInterrupt):
        raise Interrupted(f"{out}: interrupted; the same command resumes it") from None
    return write_report(out, chapters, {**settings, "quick": quick})


def _prepared(name: str, place: Path, out: Path, most: int, listed: Path | None, seed: int) -> Prepared:
    """`prepare`; an error names the option of the folder."""
    try:
        return prepare(name, place, out / DATA_FOLDER, most=most, listed=listed, seed=seed)
    except DoppelgramError as problem:
        raise DoppelgramError(f"--{name}: {problem}") from problem


def _chapter(
    context: _Context, subject: Subject, steps: Sequence[Step], dims: Sequence[int], data: Prepared
) -> Chapter:
    trained = [_trained(context, subject, step, data) for step in steps]
    # Of each network the step that did best on the validation part, again in the other sizes.
    best_of = {
        backbone: max((one for one in trained if one.step.backbone == backbone), key=lambda one: one.validation)
        for backbone in dict.fromkeys(step.backbone for step in steps)
    }
    done = {one.step.key: one for one in trained}
    sizes = [
        done[step.key] if step.key in done else _trained(context, subject, step, data)
        for best in best_of.values()
        for step in size_steps(best.step, dims)
    ]
    best = max(best_of.values(), key=lambda one: one.validation)
    neighbourhoods = _neighbourhoods(context, subject, data, trained, sizes)
    montage = _montage(context, subject, data, best)
    return Chapter(subject, data.parts.counts(), data.classes, trained, sizes, best, neighbourhoods, montage)


def _say(context: _Context, subject: Subject, what: str) -> None:
    context.progress.note(f"\n{subject.title}: {what}")


def _trained(context: _Context, subject: Subject, step: Step, data: Prepared) -> Trained:
    """The run of a step and its figures on the test part; both are made if they are not there."""
    folder = context.out / RUNS_FOLDER / f"{subject.name}-{step.key}"
    report = context.out / EVALUATIONS / folder.name
    _say(context, subject, step.title)
    run = train(
        data.table,
        step.recipe,
        folder,
        split=data.split,
        weights=context.weights,
        seed=context.seed,
        resume=True,
        progress=context.progress,
    )
    metrics: Mapping[str, Metric] | None = _read_metrics(report, run)
    if metrics is None:
        found = evaluate(folder, part="test", knn=NEIGHBOURS, seed=context.seed, progress=context.progress)
        write_evaluation(found, report)
        metrics = found.metrics
    validation = float(run.facts.get("best", {}).get("val_precision_at_1", 0.0))
    seconds = float(run.facts.get("training_seconds", 0.0))
    return Trained(
        step, folder, metrics, validation, seconds, tuple(run.facts.get("warnings", ())), run.facts["fingerprint"]
    )


def _read_metrics(report: Path, run: Run) -> dict[str, Metric] | None:
    """Figures of an earlier call, if they are of this very model."""
    try:
        details = json.loads((report / "details.json").read_text(encoding="utf-8"))
        written = json.loads((report / "metrics.json").read_text(encoding="utf-8"))
        if details["settings"]["model"] != run.facts["fingerprint"]:
            return None
        return {name: Metric(**values) for name, values in written.items()}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _neighbourhoods(
    context: _Context, subject: Subject, data: Prepared, trained: Sequence[Trained], sizes: Sequence[Trained]
) -> dict[str, Neighbourhood]:
    """The space of every step by its key; those of the size table are drawn too."""
    drawn_keys = {one.step.key for one in sizes}
    shown: Shown | None = None
    neighbourhoods: dict[str, Neighbourhood] = {}
    for one in [*trained, *sizes]:
        if one.step.key in neighbourhoods:
            continue
        names = methods(one.step.dim) if one.step.key in drawn_keys else ()
        drawn = {method: _map_file(context, subject, one, method) for method in names}
        file = context.out / EVALUATIONS / one.folder.name / "neighbourhood.npz"
        space = read_neighbourhood(file, one.fingerprint, drawn)
        if space is None:
            otherwise = f"{one.folder}: holds another kind of model; choose another --out"
            model = require_model(load_model(one.folder), otherwise)
            if shown is None:
                _say(context, subject, "spaces and maps")
                shown = _shown(context, data, model)
            title = f"{subject.title}, {one.step.dim} dimensions"
            space = find_neighbourhood(
                model, shown, drawn=drawn, title=title, seed=context.seed, progress=context.progress
            )
            write_neighbourhood(space, file, one.fingerprint)
        neighbourhoods[one.step.key] = space
    return neighbourhoods


def _shown(context: _Context, data: Prepared, model: Model) -> Shown:
    """Images of the training and the test part, as the models of one data set see them: all have the same framing."""
    rows = data.parts.rows(data.collection)
    both = data.collection.take(np.concatenate([rows["train"], rows["test"]]))
    images = load_images(both, model.framing, context.progress)
    collection = images.collection
    parts = np.array([data.parts.parts[name] for name in collection.names])
    units = collection.column("group") if "group" in collection.table else np.array(images.hashes)
    return Shown(images, parts, units)


def _map_file(context: _Context, subject: Subject, one: Trained, method: str) -> Path:
    return context.out / "figures" / f"{subject.name}-{one.step.key}-{method}.png"


def _montage(context: _Context, subject: Subject, data: Prepared, best: Trained) -> Path:
    """Look-alikes of test images among the training images, by the best of the compared models."""
    file = context.out / "figures" / f"{subject.name}-look-alikes.png"
    if file.is_file():
        return file
    _say(context, subject, "look-alikes")
    model = load_model(best.folder)
    rows = data.parts.rows(data.collection)
    gallery = data.collection.take(rows["train"])
    store = Catalog.open_or_create(
        context.out / "catalogs" / f"{subject.name}-{best.step.key}", model, model_folder(best.folder)
    )
    with context.progress.bar("indexing", len(gallery)) as advance:
        index_collection(gallery, model, store, progress=advance)
    test = data.collection.take(rows["test"])
    first: dict[str, int] = {}
    for row, label in enumerate(test.labels.tolist()):
        first.setdefault(label, row)
    # One query a class, classes drawn at random: neither the first in the alphabet nor the ones that look best.
    order = np.random.default_rng(context.seed).permutation(len(first))[:_QUERIES]
    queries = test.take(np.array(list(first.values()))[np.sort(order)])
    found = store.search(queries.paths, _ANSWERS)
    given = {str(path): label for path, label in zip(queries.paths, queries.labels.tolist(), strict=True)}
    return draw_montage(found, store, file, query_labels=given)
