"""Train one embedding network from a folder or table of labelled images, and keep the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doppelgram.console import Progress
from doppelgram.dataset.loading import Images, load_images
from doppelgram.dataset.splits import Split, read_class_list
from doppelgram.errors import DoppelgramError, Interrupted
from doppelgram.evaluation.retrieval import precision_at_1_and_map
from doppelgram.evaluation.task import EmbeddedSet
from doppelgram.models.model import Model
from doppelgram.models.networks.embedding import EmbeddingNetwork
from doppelgram.models.towers import ImageTower, unit
from doppelgram.pose.pasting import CutOut
from doppelgram.training.copies import copied_maps, read_people
from doppelgram.training.data import Part
from doppelgram.training.embedding import calibrate, embed_rows, frozen_features, make_framing
from doppelgram.training.features import Features
from doppelgram.training.job import Job, given_parts, keep_parts
from doppelgram.training.networks import make_network
from doppelgram.training.optimisation import mix_start
from doppelgram.training.ranks.announce import announce_ranks
from doppelgram.training.ranks.plan import Ranks
from doppelgram.training.recipes.metric_checks import check_recipe
from doppelgram.training.recipes.schema import MetricRecipe
from doppelgram.training.run import Run
from doppelgram.training.tasks.first_layers import pooled_features
from doppelgram.training.tasks.metric import MetricTask
from doppelgram.training.trainer import Fitted, Place, fit

# Training images, at most, that the calibration searches in.
_SEARCHED = 3000


@dataclass(frozen=True)
class TrainingImages:
    """Images in memory and what they are trained by.

    Attributes:
        images: the readable ones.
        parts: which image belongs to which part.
        features: of all images through the network's frozen backbone, (n, copies, d), where they are known already.
        people: who is set before copies of the images, where the recipe wants that.
    """

    images: Images
    parts: Split
    features: Features | None = None
    people: Sequence[CutOut] = ()


def train_metric(job: Job, run: Run | None, progress: Progress) -> Run:
    """Train what a job with a metric recipe orders; see `doppelgram.api.train.train`."""
    # What can be found wrong cheaply is found before a folder is made and images are read.
    recipe: MetricRecipe = job.recipe
    collection = job.collection(recipe.data.label).labelled(min_images=recipe.data.min_images)
    listed = read_class_list(Path(recipe.data.classes)) if recipe.data.classes else None
    check_recipe(recipe)
    network = make_network(recipe.model, recipe.data.size, job.weights, job.seed)
    parts = given_parts(job, run, collection, progress, listed)
    with job.opened(run) as run:
        images = load_images(collection, make_framing(recipe), progress)
        (job.out / "files.json").write_text(images.report.to_json(), encoding="utf-8")
        parts = keep_parts(job, parts, images.collection, progress, listed)
        people = read_people(recipe, job.weights, progress)
        given = TrainingImages(images, parts, people=people)
        return train_loaded(run, network, given, resume=job.resume, ranks=job.ranks, progress=progress)


def train_loaded(
    run: Run,
    network: EmbeddingNetwork,
    given: TrainingImages,
    progress: Progress,
    *,
    resume: bool = False,
    epoch_done: Callable[[], None] | None = None,
    ranks: Ranks = Ranks(),  # noqa: B008  # immutable
) -> Run:
    """Train a run that has been started, on images that are in memory: what `train` does once everything is read.

    Args:
        run: from `create_run`, or opened to continue it.
        network: from `make_network`, by the run's recipe and seed; trained in place.
        given: the images.
        resume: continue from the last finished epoch, if there is one.
        epoch_done: called after each epoch.
        ranks: processes that train together. On a machine that does not write the run, nothing follows the epochs.
        progress: where progress is shown.

    Raises:
        DoppelgramError: the images or the recipe cannot be used.
        Interrupted: stopped by Ctrl-C; the run can be resumed.
    """
    recipe: MetricRecipe = run.recipe
    images, features = given.images, given.features
    rows = given.parts.rows(images.collection)
    labels = images.collection.labels
    codes, names = _codes(given, rows)
    trained_on = np.sort(np.concatenate([rows["train"], rows["extra"]]))
    absent = len(given.parts.parts) - sum(len(found) for found in rows.values())
    if absent:
        progress.warning(
            f"{absent} of the {len(given.parts.parts)} images that the split names are not used or could not be read"
        )
    progress.note(
        f"{len(trained_on)} images of {len(names)} classes to train on, {len(rows['val'])} to validate, "
        f"{len(rows['test'])} to test"
    )
    framing = make_framing(recipe)
    if network.trained == "head" and features is None:
        features = frozen_features(recipe, network, images, framing, progress)
    inputs: NDArray[Any] = images.pixels if features is None else features
    if network.trained != "head" and recipe.augment.copies > 1:
        inputs = copied_maps(recipe, network, images.pixels, trained_on, given.people, run.seed, progress)
    start = {name: tensor.clone() for name, tensor in network.backbone.state_dict().items()}
    val = Part(inputs, codes[rows["val"]], rows["val"]) if len(rows["val"]) else None
    train = Part(inputs, codes[trained_on], trained_on)
    task = MetricTask(network, train, val, recipe, seed=run.seed, validate=precision_at_1_and_map)
    if val is not None and not task.validates:
        progress.warning("no validation image has another of its class to find; the last epoch is kept")
    if ranks.world > 1:
        announce_ranks(ranks, task, progress)
    with run.timed():
        place = Place.of_run(run.folder)
        fitted = fit(task, recipe.stopping, place, resume=resume, epoch_done=epoch_done, ranks=ranks, progress=progress)
    if fitted.elsewhere:
        return run
    if fitted.interrupted:
        again = "doppelgram train ... --resume" if fitted.history else "the same command with --resume"
        raise Interrupted(f"{run.folder}: stopped after {len(fitted.history)} finished epochs; continue with `{again}`")
    mix_start(network, start, recipe.optimiser.start_share)
    tower = ImageTower(network.eval(), framing, recipe.model.mirror, copies=recipe.model.test_time_copies)
    model = Model(tower, labels=names, recipe=recipe.to_dict())
    if not recipe.model.linear and recipe.model.normalise:
        model.mean = _mean(model, images, trained_on, inputs if task.kept_maps else None)
    if len(rows["val"]):
        # Searches look through what was trained on, too, as they do in a catalog of everything.
        searched = np.sort(np.random.default_rng(run.seed).permutation(rows["train"])[:_SEARCHED])
        groups = given.parts.groups(images.collection)
        with progress.bar("calibrating", len(rows["val"]) + len(searched)) as advance:
            sets = [
                EmbeddedSet(embed_rows(model, images, part, features, progress=advance), labels[part], groups[part])
                for part in (rows["val"], searched)
            ]
        calibrate(model, *sets, seed=run.seed, progress=progress)
    model.save(run.folder / "model")
    counts = {part: len(found) for part, found in rows.items() if len(found)}
    processes = {"processes": ranks.world} if ranks.world > 1 else {}
    run.update(finished=True, **processes, **_facts(model, fitted, counts))
    return run


def _mean(model: Model, images: Images, rows: NDArray[np.int64], maps: NDArray[np.float16] | None) -> tuple[float, ...]:
    """Mean of a model's vectors of some of the images it was trained on, by way of its first layers' maps if kept."""
    some = np.sort(np.random.default_rng(0).permutation(rows)[:_SEARCHED])
    if maps is None:
        vectors = embed_rows(model, images, some)
    else:
        network = model.tower.network
        vectors = unit(pooled_features(network, len(network.frozen), maps[some, 0]))
    return tuple(vectors.mean(0).tolist())


def _codes(given: TrainingImages, rows: Mapping[str, NDArray[np.int64]]) -> tuple[NDArray[np.int64], list[str]]:
    """Number of each image's class, those that are trained on first, -1 for classes of neither part; and their names.

    Raises:
        DoppelgramError: there are fewer than two classes to train on.
    """
    collection = given.images.collection
    trained_on = np.concatenate([rows["train"], rows["extra"]])
    if not len(trained_on):
        raise DoppelgramError(f"{collection.root}: the split leaves no image to train on")
    names = sorted(set(collection.labels[trained_on].tolist()))
    if len(names) < 2:
        raise DoppelgramError(f"{collection.root}: training needs images of two classes or more")
    unseen = sorted(set(collection.labels[rows["val"]].tolist()) - set(names))
    numbers = {name: code for code, name in enumerate([*names, *unseen])}
    return np.array([numbers.get(label, -1) for label in collection.labels.tolist()], dtype=np.int64), names


def _facts(model: Model, fitted: Fitted, counts: Mapping[str, int]) -> Mapping[str, Any]:
    best = fitted.history[fitted.best_epoch - 1] if fitted.history else {}
    return {
        "fingerprint": model.fingerprint,
        "images": dict(counts),
        "epochs": len(fitted.history),
        "best_epoch": fitted.best_epoch,
        "best": {name: round(value, 6) for name, value in best.items()},
        "warnings": fitted.warnings,
    }
