"""Train a model from a folder or table of labelled images."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from doppelgram.console import progress_bar
from doppelgram.dataset.loading import Images, load_images
from doppelgram.dataset.read import read_collection
from doppelgram.dataset.splits import Split, make_split, read_class_list, read_split, split_of_data
from doppelgram.errors import DoppelgramError, Interrupted
from doppelgram.evaluation.retrieval import precision_at_1_and_map
from doppelgram.images.framing import Framing
from doppelgram.models.backbones.registry import BUILT_IN, make_backbone
from doppelgram.models.model import Model
from doppelgram.models.networks.embedding import DepthwisePooling, EmbeddingHead, EmbeddingNetwork
from doppelgram.training.data import Part
from doppelgram.training.embedding import calibrate, embed_rows, frozen_features, make_framing, warn
from doppelgram.training.features import Features
from doppelgram.training.fit import Fitted, check_recipe, fit
from doppelgram.training.recipe import Recipe
from doppelgram.training.recipe_file import read_recipe
from doppelgram.training.run import RECIPE_FILE, RUN_FILE, SPLIT_FILE, Run, abandon_run, create_run, open_run


def train(
    data: Path | str,
    recipe: str | Path | Recipe,
    out: Path | str,
    *,
    overrides: Sequence[str] = (),
    split: Path | str | None = None,
    weights: Path | str | None = None,
    seed: int = 0,
    resume: bool = False,
    console: Console | None = None,
) -> Run:
    """Train a model and keep it, with everything needed to judge and repeat it, in a run folder.

    The run holds ``recipe.toml``, ``split.csv``, ``run.json``, ``files.json`` (what happened to each image file),
    ``log/`` (CSV and TensorBoard), ``checkpoints/`` and, when finished, ``model/``.

    Args:
        data: folder or table of labelled images; see `read_collection`.
        recipe: a shipped recipe's name, a TOML file, or a Recipe.
        out: run folder; has to be new or empty unless ``resume``.
        overrides: ``key=value`` changes to the recipe.
        split: CSV with ``path,part``; by default that of the folder or table, if its images come divided (column
            ``part``), and otherwise the recipe's own, drawn from the seed.
        weights: folder to look pretrained weights up in.
        seed: the same recipe, collection and seed give the same run again.
        resume: go on with the run in ``out`` from its last finished epoch.
        console: where progress is shown; standard error by default.

    Raises:
        DoppelgramError: something in the data, recipe or folders cannot be used.
        Interrupted: stopped by Ctrl-C; the run can be resumed.
    """
    console = console or Console(stderr=True)
    data, out = Path(data).expanduser(), Path(out).expanduser()
    if isinstance(recipe, Recipe):
        if overrides:
            raise DoppelgramError("overrides go with a recipe's name or file; change the Recipe itself")
        resolved = recipe
    else:
        resolved = read_recipe(recipe, overrides)
    given = read_split(Path(split).expanduser()) if split is not None else None
    if given is not None and resolved.data.classes:
        raise DoppelgramError("data.classes divides the images itself; it does not go with --split")
    resolved = anchored(resolved)
    run = _resumed(out, resolved, data, seed, given) if resume and (out / RUN_FILE).is_file() else None
    if run is not None and run.finished:
        console.print(f"{out} is finished already", style="dim", markup=False)
        return run
    if resolved.arrangement.estimator:
        from doppelgram.training.arrangement import train_arrangement

        folder = Path(weights).expanduser() if weights else None
        return train_arrangement(data, resolved, out, given=given, weights=folder, seed=seed, run=run, console=console)
    # What can be found wrong cheaply is found before a folder is made and images are read.
    collection = read_collection(data, label=resolved.data.label).labelled(min_images=resolved.data.min_images)
    listed = read_class_list(Path(resolved.data.classes)) if resolved.data.classes else None
    check_recipe(resolved)
    network = make_network(resolved, Path(weights) if weights else None, seed)
    kept = out / SPLIT_FILE
    parts = read_split(kept) if run is not None and kept.is_file() else given
    if parts is None:
        parts = split_of_data(data, collection, console, listed)
    if parts is not None:
        parts.rows(collection)
    if run is None:
        run = create_run(out, resolved, data, seed)
    if parts is not None and not kept.is_file():
        parts.write(kept)
    try:
        framing = make_framing(resolved)
        images = load_images(collection, framing, console)
        (out / "files.json").write_text(images.report.to_json(), encoding="utf-8")
        if parts is None:
            shares = {"val": resolved.split.val, "test": resolved.split.test}
            shares["train"] = 1 - sum(shares.values())
            parts = make_split(images.collection, resolved.split.by, shares, seed, listed)
            parts.write(kept)
            for part in parts.empty_parts(shares):
                warn(console, f"the {part} part is empty: there are too few images or groups to divide")
        return train_loaded(run, network, images, parts, framing, resume=resume, console=console)
    except Interrupted:
        raise
    except DoppelgramError:
        abandon_run(run)
        raise


def train_loaded(
    run: Run,
    network: EmbeddingNetwork,
    images: Images,
    parts: Split,
    framing: Framing,
    *,
    resume: bool = False,
    features: Features | None = None,
    epoch_done: Callable[[], None] | None = None,
    console: Console | None = None,
) -> Run:
    """Train a run that has been begun, on images that are in memory: what `train` does once everything is read.

    Args:
        run: from `create_run`, or opened to go on with it.
        network: from `make_network`, by the run's recipe and seed; trained in place.
        images: the readable images.
        parts: which image belongs to which part.
        framing: how the images were framed.
        resume: go on from the last finished epoch, if there is one.
        features: of all images through the network's frozen backbone, (n, views, d), where they are known already.
        epoch_done: called after each epoch's validation.
        console: where progress is shown; standard error by default.

    Raises:
        DoppelgramError: the images or the recipe cannot be used.
        Interrupted: stopped by Ctrl-C; the run can be resumed.
    """
    console = console or Console(stderr=True)
    recipe, out = run.recipe, run.folder
    rows = parts.rows(images.collection)
    labels = images.collection.labels
    taught = np.sort(np.concatenate([rows["train"], rows["extra"]]))
    if not len(taught):
        raise DoppelgramError(f"{images.collection.root}: the split leaves no image to train on")
    absent = len(parts.parts) - sum(len(found) for found in rows.values())
    if absent:
        warn(
            console, f"{absent} of the {len(parts.parts)} images that the split names are not used or could not be read"
        )
    names = sorted(set(labels[taught].tolist()))
    unseen = sorted(set(labels[rows["val"]].tolist()) - set(names))
    numbers = {name: code for code, name in enumerate([*names, *unseen])}
    codes = np.array([numbers.get(label, -1) for label in labels.tolist()], dtype=np.int64)
    if len(names) < 2:
        raise DoppelgramError(f"{images.collection.root}: training needs images of two classes or more")
    console.print(
        f"{len(taught)} images of {len(names)} classes to train on, {len(rows['val'])} to validate, "
        f"{len(rows['test'])} to test",
        highlight=False,
        soft_wrap=True,
    )

    if network.trained == "head" and features is None:
        features = frozen_features(recipe, network, images, framing, console)
    inputs: np.ndarray[Any, Any] = images.pixels if features is None else features
    train_part = Part(inputs, codes[taught], taught)
    val = Part(inputs, codes[rows["val"]], rows["val"]) if len(rows["val"]) else None

    def validate(*arrays: Any) -> dict[str, float]:
        figures = validation_figures(*arrays)
        if epoch_done:
            epoch_done()
        return figures

    started, computed = time.perf_counter(), time.process_time()
    fitted = fit(
        network,
        train_part,
        val,
        recipe,
        out,
        seed=run.seed,
        resume=resume,
        validate=validate,
        console=console,
    )
    seconds = run.facts.get("training_seconds", 0.0) + time.perf_counter() - started
    # Of all threads, so that the cost of a training can be told also where others kept the machine busy.
    computing = run.facts.get("processor_seconds", 0.0) + time.process_time() - computed
    run.update(training_seconds=round(seconds, 1), processor_seconds=round(computing, 1))
    if fitted.interrupted:
        again = "doppelgram train ... --resume" if fitted.history else "the same command with --resume"
        raise Interrupted(f"{out}: stopped after {len(fitted.history)} finished epochs; go on with `{again}`")

    model = Model(
        network.eval(), framing, recipe.model.mirror, labels=names, recipe=recipe.to_dict(), views=recipe.model.views
    )
    if len(rows["val"]):
        with progress_bar(console, "calibrating", len(rows["val"])) as advance:
            embeddings = embed_rows(model, images, rows["val"], features, progress=advance)
        calibrate(model, embeddings, labels[rows["val"]], seed=run.seed, console=console)
    model.save(out / "model")
    counts = {part: len(found) for part, found in rows.items() if len(found)}
    run.update(finished=True, **_facts(model, fitted, counts))
    return run


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


def make_network(recipe: Recipe, weights: Path | None, seed: int) -> EmbeddingNetwork:
    """The untrained network of a recipe; its random weights follow from the seed."""
    import torch

    torch.manual_seed(seed)
    settings = recipe.model
    if weights is not None and not weights.expanduser().is_dir():
        raise DoppelgramError(f"{weights}: there is no such folder of weights")
    backbone = make_backbone(settings.backbone, pretrained=settings.pretrained, weights=weights, stride=settings.stride)
    try:
        with torch.inference_mode():
            image = torch.zeros(1, 3, recipe.data.size, recipe.data.size)
            backbone.eval()(image)
            places = tuple(backbone.maps(image).shape[2:]) if settings.pooling else ()
    except (RuntimeError, ValueError) as problem:
        reason = str(problem).splitlines()[0]
        raise DoppelgramError(
            f"backbone '{settings.backbone}' cannot take images of data.size={recipe.data.size}: {reason}"
        ) from None
    head = EmbeddingHead(
        backbone.dim, settings.dim, hidden=settings.hidden, dropout=settings.dropout,
        batch_norm=settings.batch_norm, normalise=settings.normalise,
    )  # fmt: skip
    pooling = DepthwisePooling(backbone.dim, *places) if settings.pooling else None
    return EmbeddingNetwork(
        backbone, head, settings.train, frozen_norms=settings.frozen_norms, frozen_layers=settings.frozen_layers,
        pooling=pooling,
    )  # fmt: skip


def validation_figures(query: Any, labels: Any, gallery: Any = None, gallery_labels: Any = None) -> dict[str, float]:
    """P@1 and MAP@R of the validation part after an epoch; 0 where no query has an answer."""
    if gallery is None:
        return precision_at_1_and_map(query, labels)
    return precision_at_1_and_map(query, labels, gallery=gallery, gallery_labels=gallery_labels)


def anchored(recipe: Recipe) -> Recipe:
    """The recipe with its relative paths made absolute, so that it means the same from another folder."""
    backbone, classes = Path(recipe.model.backbone).expanduser(), recipe.data.classes
    if backbone.is_dir() and recipe.model.backbone not in BUILT_IN:
        recipe = replace(recipe, model=replace(recipe.model, backbone=str(backbone.absolute())))
    if classes:
        recipe = replace(recipe, data=replace(recipe.data, classes=str(Path(classes).expanduser().absolute())))
    return recipe


def _resumed(out: Path, recipe: Recipe, data: Path, seed: int, split: Split | None) -> Run:
    """Open a run to go on with it; refuses to go on with it as something else than it was begun as."""
    run = open_run(out)
    if run.recipe != recipe:
        mine, theirs = recipe.to_dict(), run.recipe.to_dict()
        differing = [
            f"{section}.{key}"
            for section, keys in mine.items() if isinstance(keys, dict)
            for key, value in keys.items() if theirs[section][key] != value
        ]  # fmt: skip
        what = f" ({', '.join(differing)})" if differing else ""
        raise DoppelgramError(f"{out}: was begun with another recipe{what}; resume with {RECIPE_FILE} from the run")
    if str(run.data) != os.path.abspath(data):
        raise DoppelgramError(f"{out}: was begun on {run.data}, not on {data}")
    if run.seed != seed:
        raise DoppelgramError(f"{out}: was begun with seed {run.seed}; resume with --seed {run.seed}")
    if split is not None and (out / SPLIT_FILE).is_file() and dict(run.split().parts) != dict(split.parts):
        raise DoppelgramError(f"{out}: was begun with another split; resume without --split")
    return run
