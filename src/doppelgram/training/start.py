"""Start or resume a training: what is checked before anything is read, and the run folder that it is kept in."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from doppelgram.console import Progress
from doppelgram.dataset.collection import Collection
from doppelgram.dataset.splits import read_split
from doppelgram.errors import DoppelgramError, Interrupted
from doppelgram.training.job import Job
from doppelgram.training.recipes.files import anchored
from doppelgram.training.recipes.schema import ArrangementRecipe, MetricRecipe, Recipe, flat
from doppelgram.training.run import RECIPE_FILE, RUN_FILE, SPLIT_FILE, Run, open_run


def run_training(job: Job, progress: Progress) -> Run:
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
    if job.ranks.world > 1 and not isinstance(recipe, MetricRecipe):
        raise DoppelgramError(
            f"recipe '{recipe.name}' is of task '{recipe.task}', which one process trains; leave out --devices and "
            "--num-nodes, which are for task 'metric'"
        )
    if not job.ranks.leads:
        return _help_to_train(job, progress)
    run = _resumed(job) if job.resume and (job.out / RUN_FILE).is_file() else None
    if run is not None and run.finished:
        progress.note(f"{job.out} is finished already")
        return run
    if isinstance(recipe, MetricRecipe):
        from doppelgram.training.metric_run import train_metric

        return train_metric(job, run, progress)
    from doppelgram.training.arrangement.run import train_arrangement

    return train_arrangement(job, run, progress)


def _help_to_train(job: Job, progress: Progress) -> Run:
    """Take part in a training whose run another machine writes; what is written here meanwhile is taken away again.

    The folder of the run may be the same on all machines, or not be seen here at all.
    """
    from doppelgram.training.metric_run import train_metric

    ranks, kept = job.ranks, job.out / SPLIT_FILE
    split = read_split(kept) if job.split is None and job.resume and kept.is_file() else job.split
    with TemporaryDirectory(prefix="doppelgram-") as aside:
        try:
            run = train_metric(replace(job, out=Path(aside) / "run", split=split), None, progress)
        except Interrupted:
            raise Interrupted(
                f"machine {ranks.node} of {ranks.nodes}: stopped; continue with the same command and --resume on all"
            ) from None
    return replace(run, folder=job.out)


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
    mine, theirs = (flat(recipe.to_dict()) for recipe in (job.recipe, run.recipe))
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
