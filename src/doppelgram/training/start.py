"""Start or resume a training: what is checked before anything is read, and the run folder that it is kept in."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from doppelgram.dataset.collection import Collection
from doppelgram.dataset.read import read_collection
from doppelgram.dataset.splits import Split, make_split, read_split, split_of_data
from doppelgram.errors import DoppelgramError
from doppelgram.training.embedding import warn
from doppelgram.training.recipe import ArrangementRecipe, MetricRecipe, Recipe, anchored
from doppelgram.training.recipe_sections import Split as SplitSection
from doppelgram.training.run import RECIPE_FILE, RUN_FILE, SPLIT_FILE, Run, create_run, open_run


@dataclass(frozen=True)
class Job:
    """One training as it was ordered.

    Attributes:
        data: the images: a folder, a table, or a collection in memory.
        recipe: how it is trained.
        out: run folder.
        split: the parts, if they are given.
        weights: folder to look pretrained weights up in.
        seed: the same recipe, collection and seed give the same run again.
        resume: continue the run in ``out`` if there is one.
    """

    data: Path | Collection
    recipe: Any
    out: Path
    split: Split | None = None
    weights: Path | None = None
    seed: int = 0
    resume: bool = False

    @property
    def source(self) -> Path:
        """The folder or table, or where a collection in memory has its root: for messages."""
        return self.data.root if isinstance(self.data, Collection) else self.data

    def collection(self, label: str) -> Collection:
        """The images, compared by a column; by their own where ``label`` is empty."""
        if isinstance(self.data, Collection):
            return self.data.with_label(label) if label else self.data
        return read_collection(self.data, label=label)

    def open(self, run: Run | None) -> Run:
        """The run that is resumed, or a new one in its folder."""
        return run or create_run(self.out, self.recipe, self.data, self.seed)


def run_training(job: Job, console: Console) -> Run:
    """Train what a job orders; a run that is finished already is returned as it is.

    Raises:
        DoppelgramError: something in the data, recipe or folders cannot be used.
        Interrupted: stopped by Ctrl-C; the run can be resumed.
    """
    recipe: Recipe = anchored(job.recipe)
    if isinstance(job.data, Collection):
        job, collection = _absolute(job, job.data)
        if isinstance(recipe, MetricRecipe) and not recipe.data.label:
            recipe = recipe.with_values(data={"label": collection.label})
    job = replace(job, recipe=recipe)
    if isinstance(recipe, MetricRecipe):
        if job.split is not None and recipe.data.classes:
            raise DoppelgramError("data.classes divides the images itself; it does not go with --split")
    elif not isinstance(recipe, ArrangementRecipe):
        raise DoppelgramError(
            f"recipe '{recipe.name}' is of task '{recipe.task}', which only `doppelgram reproduce rolemodel` trains"
        )
    run = _resumed(job) if job.resume and (job.out / RUN_FILE).is_file() else None
    if run is not None and run.finished:
        console.print(f"{job.out} is finished already", style="dim", markup=False)
        return run
    if isinstance(recipe, MetricRecipe):
        from doppelgram.training.metric_run import train_metric

        return train_metric(job, run, console)
    from doppelgram.training.arrangement.run import train_arrangement

    return train_arrangement(job, run, console)


def given_parts(
    job: Job, run: Run | None, collection: Collection, console: Console, listed: list[str] | None = None
) -> Split | None:
    """The parts that a run has already, that were given, or that images come with; None where they are to be drawn.

    Raises:
        DoppelgramError: they do not fit the collection.
    """
    kept = job.out / SPLIT_FILE
    parts = read_split(kept) if run is not None and kept.is_file() else job.split
    if parts is None:
        parts = split_of_data(job.source, collection, console, listed)
    if parts is not None:
        parts.rows(collection)
    return parts


def drawn_parts(
    collection: Collection, settings: SplitSection, seed: int, console: Console, listed: list[str] | None = None
) -> Split:
    """Parts drawn from the seed, as the recipe has it."""
    shares = {"val": settings.val, "test": settings.test}
    shares["train"] = 1 - sum(shares.values())
    parts = make_split(collection, settings.by, shares, seed, listed)
    for part in parts.empty_parts(shares):
        warn(console, f"the {part} part is empty: there are too few images or groups to divide")
    return parts


def _absolute(job: Job, collection: Collection) -> tuple[Job, Collection]:
    """A job whose collection in memory, and split, name images by absolute paths, as the run folder's table will."""
    names = {name: os.path.abspath(path) for name, path in zip(collection.names, collection.paths, strict=True)}
    collection = replace(
        collection, table=collection.table.assign(path=[os.path.abspath(path) for path in collection.paths])
    )
    split = job.split
    if split is not None:
        split = replace(split, parts={names.get(name, name): part for name, part in split.parts.items()})
    return replace(job, data=collection, split=split), collection


def _resumed(job: Job) -> Run:
    """Open a run to resume it; refuses to continue it as something else than it was started as."""
    out = job.out
    run = open_run(out)
    mine, theirs = (_flat(recipe.to_dict()) for recipe in (job.recipe, run.recipe))
    if mine != theirs:
        differing = sorted(key for key in {*mine, *theirs} if mine.get(key) != theirs.get(key))
        what = ", ".join(differing)
        raise DoppelgramError(
            f"{out}: was started with another recipe ({what}); resume with {RECIPE_FILE} from the run"
        )
    if isinstance(job.data, Path) and str(run.data) != os.path.abspath(job.data):
        raise DoppelgramError(f"{out}: was started on {run.data}, not on {job.data}")
    if run.seed != job.seed:
        raise DoppelgramError(f"{out}: was started with seed {run.seed}; resume with --seed {run.seed}")
    if job.split is not None and (out / SPLIT_FILE).is_file() and dict(run.split().parts) != dict(job.split.parts):
        raise DoppelgramError(f"{out}: was started with another split; resume without --split")
    return run


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested dictionaries as one, its keys joined by dots; towers by their names."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        if key == "towers":
            value = {tower["name"]: tower for tower in value}
        if isinstance(value, dict):
            found |= _flat(value, f"{prefix}{key}.")
        else:
            found[prefix + key] = value
    return found
