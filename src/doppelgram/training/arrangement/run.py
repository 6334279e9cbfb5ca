"""Train a model of places and poses from labelled posts, and keep it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from doppelgram.console import Progress
from doppelgram.dataset.collection import Collection
from doppelgram.dataset.splits import Split
from doppelgram.errors import DoppelgramError
from doppelgram.images.read import Want
from doppelgram.models.arrangement import ArrangementModel
from doppelgram.models.finder import open_finder
from doppelgram.models.finder_settings import READY_MADE, FinderSettings
from doppelgram.training.arrangement.calibration import calibrated_space, of_kind
from doppelgram.training.arrangement.fit import TowerTraining, TrainingPosts, image_tower
from doppelgram.training.arrangement.inputs import read_tower_inputs
from doppelgram.training.arrangement.towers import PlannedTower, TowerViews, make_towers
from doppelgram.training.job import Job, given_parts, keep_parts
from doppelgram.training.recipes.schema import Arrangement, ArrangementRecipe
from doppelgram.training.recipes.towers import ClassesTower
from doppelgram.training.run import Run
from doppelgram.training.tasks.first_layers import check_cut


def train_arrangement(job: Job, run: Run | None, progress: Progress) -> Run:
    """Train what a job with a recipe of task `arrangements` orders; see `doppelgram.api.train.train`.

    Photographs have the columns ``place`` and ``pose``; those without a pose are trained on for their place. Every
    tower is kept as it is trained, in ``checkpoints/``; a run that is resumed continues in the middle of one. Found
    people are kept in the user's cache.
    """
    recipe: ArrangementRecipe = job.recipe
    collection = _posts(job)
    settings = _finder_settings(recipe.arrangement, job.weights)
    finder = open_finder(settings, job.weights)
    parts = given_parts(job, run, collection, progress)
    with job.opened(run) as run:
        parts = keep_parts(job, parts, collection, progress)
        names = _names(job, collection, parts)
        towers = make_towers(recipe, job.weights, {kind: len(found) for kind, found in names.items()}, job.seed)
        _check_cuts(towers)
        views = TowerViews(towers)
        want = Want(settings.framing, extras=finder.extras)
        inputs = read_tower_inputs(
            collection, want, views.of("place"), views.of("pose"), recipe.arrangement.people, progress
        )
        (job.out / "files.json").write_text(inputs.report.to_json(), encoding="utf-8")
        training = TowerTraining(run, towers, TrainingPosts(inputs, views, parts, names), progress)
        training.fit_all()
        space, figures = calibrated_space(training, recipe.arrangement.people, str(job.source), progress)
        place, pose = ([each.tower for each in of_kind(towers, kind)] for kind in ("place", "pose"))
        labels = (*names["place"].tolist(), *names["pose"].tolist())
        model = ArrangementModel(place, pose, space, settings, labels, recipe.to_dict())
        model.save(job.out / "model")
    counts = {name: len(found) for name, found in parts.rows(collection).items() if len(found)}
    epochs = max(fitted["epochs"] for fitted in run.facts["towers"].values())
    run.update(
        finished=True,
        fingerprint=model.fingerprint,
        images=counts,
        epochs=epochs,
        best_epoch=epochs,
        best=figures,
        warnings=[],
    )
    return run


def _posts(job: Job) -> Collection:
    collection = job.collection("place+pose")
    place = collection.column("place")
    if not (place != "").any():
        raise DoppelgramError(f"{job.source}: no photograph names its place; posts have the columns place and pose")
    return collection.take(place != "")


def _finder_settings(settings: Arrangement, weights: Path | None) -> FinderSettings:
    from doppelgram.pose.estimators.registry import make_estimator
    from doppelgram.pose.segmenter import make_segmenter

    key = "" if settings.estimator == READY_MADE else make_estimator(settings.estimator, weights).key
    mask = make_segmenter(settings.segmenter, weights).key if settings.segmenter else ""
    return FinderSettings(settings.estimator, key, settings.segmenter, mask)


def _names(job: Job, collection: Collection, parts: Split) -> dict[str, NDArray[np.str_]]:
    """Names of the places and poses that are trained on, sorted; raises DoppelgramError for fewer than two."""
    rows = parts.rows(collection)
    trained_on = np.concatenate([rows["train"], rows["extra"]])
    found = {}
    for kind in ("place", "pose"):
        values = np.unique(collection.column(kind)[trained_on])
        found[kind] = values[values != ""]
        if len(found[kind]) < 2:
            raise DoppelgramError(
                f"{job.source}: the training part has {len(found[kind])} {kind} in all; "
                "at least two are needed to tell apart"
            )
    return found


def _check_cuts(towers: list[PlannedTower]) -> None:
    """Raise DoppelgramError for a backbone that cannot be cut after its frozen layers."""
    for each in towers:
        if isinstance(each.recipe, ClassesTower):
            check_cut(image_tower(each).network, each.recipe.frozen_layers, each.recipe.size)
