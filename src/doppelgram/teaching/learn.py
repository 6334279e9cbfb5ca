"""A model trained on the photographs that have names, taken over if names that were kept out say it is better."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from doppelgram.catalog.folder import MODEL_FOLDER
from doppelgram.catalog.index import index_collection
from doppelgram.catalog.store import Catalog
from doppelgram.console import Progress
from doppelgram.dataset.collection import Collection
from doppelgram.errors import DoppelgramError, Interrupted
from doppelgram.evaluation.answers import nearest_answers
from doppelgram.evaluation.intervals import bootstrap_mean
from doppelgram.evaluation.space_fit import calibrate_embedding
from doppelgram.evaluation.task import EmbeddedSet, make_task
from doppelgram.models.bundle import load_model
from doppelgram.models.embedder import Embedder
from doppelgram.numbers import count, percent, points
from doppelgram.space.exact import Float32, Float64, Int64
from doppelgram.teaching.recalibrate import Change
from doppelgram.teaching.versions import CATALOG_FOLDER, Versions
from doppelgram.training.job import Job
from doppelgram.training.recipes.schema import MetricRecipe, Recipe
from doppelgram.training.start import run_training

FEWEST_NAMES = 8
"""Fewer names than this, of two photographs or more each, train nothing."""

_KEPT_OUT = 4  # every fourth name is kept out
RUN_FOLDER = "run"


def train_on_names(
    catalog: Catalog,
    names: Mapping[str, str],
    recipe: Recipe,
    progress: Progress,
    *,
    weights: Path | None = None,
    seed: int = 0,
) -> Change:
    """Train on named photographs, embed all anew, and take that over if kept-out names say it is better.

    Every fourth name, in the order of their hashes, is kept out of training. Measured is the share of their photographs
    whose nearest neighbour among them has the same name, by the model in effect and by the new one; the interval is
    that of the paired bootstrap over photographs. What is not taken over leaves nothing behind.

    Args:
        catalog: the outer one.
        names: of photographs, by id.
        recipe: of task ``metric``.
        progress: where progress is shown.
        weights: folder to look pretrained weights up in.
        seed: of training and bootstrap.

    Raises:
        DoppelgramError: there are too few names, the catalog has a row for each face, or the training fails.
        Interrupted: stopped by Ctrl-C; nothing was changed.
    """
    if catalog.faces:
        raise DoppelgramError(f"{catalog.folder}: has a row for each face, and a recipe trains on whole photographs")
    rows = catalog.rows(("id", "path"))
    rows["label"] = [names.get(id_, "") for id_ in rows["id"]]
    sizes = rows.loc[rows["label"] != "", "label"].value_counts()
    usable = sorted(sizes[sizes >= 2].index, key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    if len(usable) < FEWEST_NAMES:
        raise DoppelgramError(
            f"{catalog.folder}: {count(len(usable), 'name')} of two photographs or more; training needs {FEWEST_NAMES}"
        )
    kept_out = set(usable[::_KEPT_OUT])
    if isinstance(recipe, MetricRecipe):  # the names that are kept out are the test
        recipe = recipe.with_values(split={"test": 0.0})
    trained = rows[rows["label"].isin(set(usable) - kept_out)]
    versions = Versions(catalog.folder)
    before_catalog = Catalog.open(versions.catalog_folder())
    number = versions.begin()
    place = versions.place(number)
    try:
        images = Collection(catalog.folder, trained[["path", "label"]].reset_index(drop=True), "label")
        run = run_training(Job(images, recipe, place / RUN_FOLDER, weights=weights, seed=seed), progress)
        model = load_model(run)
        inner = Catalog.open_or_create(place / CATALOG_FOLDER, model, run)
        everything = Collection(catalog.folder, rows[["path"]].reset_index(drop=True))
        with progress.bar("embedding anew", len(everything)) as advance:
            index_collection(everything, model, inner, progress=advance)
        labels = dict(zip(rows["id"], rows["label"], strict=True))
        asked = {id_ for id_, name in labels.items() if name in kept_out} & inner.hashes() & before_catalog.hashes()
        if not model.space.calibrated:  # the part kept for that was too small; these were not trained on either
            _calibrate(model, inner, labels, sorted(asked))
        before, after = (_right(each, labels, sorted(asked), weights) for each in (before_catalog, inner))
    except (KeyboardInterrupt, Interrupted):
        shutil.rmtree(place, ignore_errors=True)
        raise Interrupted(f"{catalog.folder}: the training was stopped; nothing was changed") from None
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    difference = after - before
    low, high = bootstrap_mean(difference, seed=seed)
    accepted = low > 0
    sentence = (
        f"{'The trained model is taken over' if accepted else 'The trained model is not taken over'}: of "
        f"{count(len(asked), 'photograph')} of {count(len(kept_out), 'name')} that were kept out, "
        f"{percent(float(before.mean()))} have their own name nearest before and {percent(float(after.mean()))} after, "
        f"{points(float(difference.mean()), low, high)}."
    )
    if accepted:
        figures = {
            "trained_on": len(trained),
            "names": len(usable) - len(kept_out),
            "kept_out": len(asked),
            "before": float(before.mean()),
            "after": float(after.mean()),
            "interval": [low, high],
        }
        versions.add_trained(number, f"trained with {recipe.name} on names", figures)
    else:
        shutil.rmtree(place, ignore_errors=True)
    return Change(float(before.mean()), float(after.mean()), (low, high), accepted, sentence, versions.current().number)


def _calibrate(model: Embedder, catalog: Catalog, labels: Mapping[str, str], asked: list[str]) -> None:
    images = EmbeddedSet(_vectors(catalog, asked), [labels[id_] for id_ in asked])
    model.calibrate(calibrate_embedding(images, fitted_on="names that were kept out").to_dict())
    model.save(catalog.folder / MODEL_FOLDER)


def _vectors(catalog: Catalog, asked: list[str]) -> Float32:
    """Those of the photographs asked about, (q, dim)."""
    found, vectors = catalog.snapshot(["id"])
    rows: Int64 = pd.Index(found["id"]).get_indexer(pd.Index(asked))
    return np.asarray(vectors[rows])


def _right(catalog: Catalog, labels: Mapping[str, str], asked: list[str], weights: Path | None) -> Float64:
    """For each of the photographs asked about whether its nearest neighbour among them has its name, (q,)."""
    space, names = catalog.load_model(weights=weights).space, [labels[id_] for id_ in asked]
    answers = nearest_answers(space, make_task(EmbeddedSet(_vectors(catalog, asked), names)), 1)
    right = np.zeros(len(asked))
    right[answers.query] = answers.right
    return right
