"""The run folder: what one training leaves behind."""

from __future__ import annotations

import json
import os
import platform
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from doppelgram.dataset.collection import Collection
from doppelgram.dataset.read import read_collection
from doppelgram.dataset.splits import Split, read_split
from doppelgram.errors import DoppelgramError
from doppelgram.files import written_whole
from doppelgram.training.recipes.files import read_recipe, write_recipe
from doppelgram.training.recipes.schema import Recipe

RUN_FILE, RECIPE_FILE, SPLIT_FILE = "run.json", "recipe.toml", "split.csv"
COLLECTION_FILE = "collection.csv"


@dataclass(frozen=True)
class Run:
    """A folder that holds one training: recipe, split, data's place, log, checkpoints and the model.

    Attributes:
        folder: where it lies.
        recipe: the resolved recipe.
        facts: what ``run.json`` says: data, seed, versions, and once it is finished figures and times.
    """

    folder: Path
    recipe: Any
    facts: dict[str, Any]

    @property
    def data(self) -> Path:
        """The folder or table that was trained on."""
        return Path(self.facts["data"])

    @property
    def seed(self) -> int:
        """Seed of the run."""
        return int(self.facts["seed"])

    @property
    def finished(self) -> bool:
        """Whether the model has been saved, and still is there."""
        return bool(self.facts.get("finished")) and (self.folder / "model" / "model.json").is_file()

    def split(self) -> Split:
        """The split that it was trained by."""
        return read_split(self.folder / SPLIT_FILE)

    def collection(self) -> Collection:
        """The labelled images that it was trained on."""
        collection = read_collection(self.data, label=self.recipe.data.label)
        return collection.labelled(min_images=getattr(self.recipe.data, "min_images", 1))

    def __fspath__(self) -> str:
        """The folder, so that a run may stand wherever its path may."""
        return str(self.folder)

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Add the time spent inside to ``training_seconds`` and ``processor_seconds``, also if it is interrupted."""
        started, computed = time.perf_counter(), _processor_seconds()
        try:
            yield
        finally:
            seconds = self.facts.get("training_seconds", 0.0) + time.perf_counter() - started
            # Of all threads, so that the cost of a training can be told also where others kept the machine busy.
            computing = self.facts.get("processor_seconds", 0.0) + _processor_seconds() - computed
            self.update(training_seconds=round(seconds, 1), processor_seconds=round(computing, 1))

    def update(self, **facts: Any) -> None:
        """Add to ``run.json``, whole or not at all."""
        self.facts.update(facts)
        with written_whole(self.folder / RUN_FILE) as aside:
            aside.write_text(json.dumps(self.facts, indent=1) + "\n", encoding="utf-8")


def _processor_seconds() -> float:
    """Of this process, and of those that it started and that have ended."""
    times = os.times()
    return time.process_time() + times.children_user + times.children_system


def versions() -> dict[str, str]:
    """Versions of what decides a result."""
    from importlib.metadata import version

    named = {name: version(name) for name in ("doppelgram", "torch", "lightning", "numpy", "pillow")}
    return {"python": platform.python_version(), **named}


def create_run(folder: Path, recipe: Recipe, data: Path | Collection, seed: int) -> Run:
    """Start a run in a new or empty folder; a collection in memory, its paths absolute, is written there.

    Raises:
        DoppelgramError: the folder already holds something.
    """
    if folder.is_file():
        raise DoppelgramError(f"{folder}: is a file; a run needs a folder")
    if folder.is_dir() and any(folder.iterdir()):
        if (folder / RUN_FILE).is_file():
            raise DoppelgramError(f"{folder}: already holds a run; continue it with --resume, or choose another --out")
        raise DoppelgramError(f"{folder}: is not empty; choose another --out")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise DoppelgramError(f"{folder}: cannot be made: {problem.strerror}") from None
    source = folder / COLLECTION_FILE if isinstance(data, Collection) else data.expanduser()
    # Not resolved: relative paths of a table that is reached through a link start beside the link.
    run = Run(folder, recipe, {"data": os.path.abspath(source), "seed": seed, "versions": versions()})
    try:
        (folder / RUN_FILE).open("x").close()  # of two trainings started at once, one gets the folder
    except FileExistsError:
        raise DoppelgramError(f"{folder}: another training has just started there; choose another --out") from None
    if isinstance(data, Collection):
        data.table.to_csv(source, index=False)
    write_recipe(recipe, folder / RECIPE_FILE)
    run.update()
    return run


def abandon_run(run: Run) -> None:
    """Take away a run that failed before its first checkpoint, so that the corrected command can use the folder."""
    if any((run.folder / "checkpoints").rglob("last.ckpt")):
        return
    for name in (RUN_FILE, RECIPE_FILE, SPLIT_FILE, COLLECTION_FILE, "files.json"):
        (run.folder / name).unlink(missing_ok=True)
    for name in ("log", "checkpoints"):
        shutil.rmtree(run.folder / name, ignore_errors=True)
    if not any(run.folder.iterdir()):
        run.folder.rmdir()


def open_run(folder: Path | str | Run) -> Run:
    """Open a run.

    Raises:
        DoppelgramError: the folder is not a run, or one of its files was damaged.
    """
    folder = Path(folder).expanduser()
    file = folder / RUN_FILE
    if not file.is_file():
        raise DoppelgramError(f"{folder}: is not a run: there is no {RUN_FILE} in it")
    try:
        facts = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(facts["data"], str) or not isinstance(facts["seed"], int):
            raise TypeError
    except (ValueError, KeyError, TypeError):
        raise DoppelgramError(f"{file}: is damaged; it should name the data and the seed") from None
    return Run(folder, read_recipe(folder / RECIPE_FILE, drop_unused=True), facts)
