"""Train a model from a folder, a table or a collection of labelled images."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from doppelgram.console import Progress, TerminalProgress
from doppelgram.dataset.read import as_collection
from doppelgram.dataset.splits import read_split
from doppelgram.errors import DoppelgramError
from doppelgram.training.job import Job
from doppelgram.training.ranks.plan import planned_ranks
from doppelgram.training.recipes.files import read_recipe
from doppelgram.training.recipes.schema import Recipe
from doppelgram.training.run import Run
from doppelgram.training.start import run_training


def train(
    data: Any,
    recipe: str | Path | Recipe,
    out: Path | str,
    *,
    overrides: Sequence[str] = (),
    split: Path | str | None = None,
    weights: Path | str | None = None,
    seed: int = 0,
    resume: bool = False,
    devices: int = 1,
    num_nodes: int = 1,
    progress: Progress | None = None,
) -> Run:
    """Train a model and keep it, with everything needed to evaluate and repeat it, in a run folder.

    The run holds ``recipe.toml``, ``split.csv``, ``run.json``, ``files.json`` (what happened to each image file),
    ``log/`` (CSV and TensorBoard), ``checkpoints/`` and, when finished, ``model/``.

    Args:
        data: labelled images, a collection or what `read_collection` takes: a folder, a table, a DataFrame, ...
        recipe: a shipped recipe's name, a TOML file, or a Recipe.
        out: run folder; has to be new or empty unless ``resume``.
        overrides: ``key=value`` changes to the recipe.
        split: CSV with ``path,part``; by default that of the images, if they come divided (column ``part``), and
            otherwise the recipe's own, drawn from the seed.
        weights: folder to look pretrained weights up in.
        seed: the same recipe, collection and seed give the same run again.
        resume: continue the run in ``out`` from its last finished epoch.
        devices: processes on each machine: one a graphics card, or so many on the processors; see docs/scale.md.
        num_nodes: machines; each runs the same call, with ``MASTER_ADDR``, ``MASTER_PORT`` and ``NODE_RANK`` set.
        progress: where progress is shown; the terminal by default.

    Returns:
        The run, which may stand wherever its path may: ``evaluate(train(...))``. On a machine other than
        machine 0, which writes it, it is not finished.

    Raises:
        DoppelgramError: something in the data, recipe or folders cannot be used.
        Interrupted: stopped by Ctrl-C; the run can be resumed.
    """
    if isinstance(recipe, Recipe) and overrides:
        raise DoppelgramError("overrides go with a recipe's name or file; change the Recipe itself")
    job = Job(
        data=Path(data).expanduser() if isinstance(data, (str, PathLike)) else as_collection(data),
        recipe=recipe if isinstance(recipe, Recipe) else read_recipe(recipe, overrides),
        out=Path(out).expanduser(),
        split=read_split(Path(split).expanduser()) if split is not None else None,
        weights=Path(weights).expanduser() if weights is not None else None,
        seed=seed,
        resume=resume,
        ranks=planned_ranks(devices, num_nodes),
    )
    return run_training(job, progress or TerminalProgress())
