"""Trainings as their folders tell of them, while they go on and afterwards."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from doppelgram.errors import DoppelgramError
from doppelgram.training.run import RUN_FILE, Run, open_run

RUNNING, FINISHED, INTERRUPTED = "running", "finished", "interrupted"
LOG_FOLDER, METRICS_FILE = "log", "metrics.csv"
# A training that wrote nothing for this long, or for as long as so many epochs take, is not going on.
_SILENT_SECONDS, _SILENT_EPOCHS = 300.0, 3
_MOST_RUNS, _DEEPEST = 300, 2


@dataclass(frozen=True)
class Curves:
    """The figures of one network's epochs.

    Attributes:
        network: name of the tower; empty where the run has one network.
        planned: epochs in all, as the recipe has them; 0 if that is not known.
        monitor: the figure by which the best epoch is chosen.
        columns: by name a value an epoch, None where the epoch has none; ``epoch`` among them.
    """

    network: str
    planned: int
    monitor: str
    columns: Mapping[str, list[float | None]]

    @property
    def epochs(self) -> int:
        """How many are finished."""
        return len(self.columns.get("epoch", ()))

    @property
    def best(self) -> tuple[int, float] | None:
        """Number of the epoch with the best monitored figure, the earliest of equal ones, and the figure."""
        values = self.columns.get(self.monitor, [])
        known = [(value, row) for row, value in enumerate(values) if value is not None and math.isfinite(value)]
        if not known:
            return None
        sign = 1 if self.monitor.endswith("loss") else -1
        value, row = min(known, key=lambda one: (sign * one[0], one[1]))
        return int(self.columns["epoch"][row] or row + 1), value


def find_runs(folder: Path) -> dict[str, Path]:
    """The runs in a folder, at most two levels below it, by their paths in it; a run's own folder by its name.

    Hidden folders and links are passed over; no more than 300 are listed.
    """
    if (folder / RUN_FILE).is_file():
        return {folder.resolve().name: folder}
    found: dict[str, Path] = {}

    def look(here: Path, depth: int) -> None:
        try:
            below = sorted(one for one in here.iterdir() if one.is_dir() and not one.is_symlink())
        except OSError:
            return
        for one in below:
            if one.name.startswith(".") or len(found) >= _MOST_RUNS:
                continue
            if (one / RUN_FILE).is_file():
                found[one.relative_to(folder).as_posix()] = one
            elif depth < _DEEPEST:
                look(one, depth + 1)

    look(folder, 1)
    return found


def read_curves(run: Run) -> list[Curves]:
    """The figures of every network of a run, those of one that has just begun included."""
    log = run.folder / LOG_FOLDER
    files = [log / METRICS_FILE, *sorted(log.glob(f"*/{METRICS_FILE}"))]
    found = []
    for file in files:
        if file.is_file():
            network = "" if file.parent == log else file.parent.name
            planned, monitor = _plan(run.recipe.to_dict(), network)
            found.append(Curves(network, planned, monitor, _columns(file)))
    return found


def state_of(run: Run, curves: list[Curves], now: float | None = None) -> str:
    """Whether a training is finished, goes on, or was interrupted, by the run's own files.

    A training that is ended by Ctrl-C writes its times last; one that was killed has written nothing for a while.

    Args:
        run: the run.
        curves: of `read_curves`.
        now: seconds since 1970; the clock's if None.
    """
    if run.finished:
        return FINISHED
    marks = [*(run.folder / LOG_FOLDER).rglob("*"), *(run.folder / "checkpoints").rglob("*")]
    wrote = max((_modified(one) for one in marks), default=0.0)
    noted = _modified(run.folder / RUN_FILE)
    if "training_seconds" in run.facts and noted > wrote:
        return INTERRUPTED
    longest = max((value or 0.0 for one in curves for value in one.columns.get("seconds", [])), default=0.0)
    silent = (time.time() if now is None else now) - max(wrote, noted)
    return RUNNING if silent < max(_SILENT_SECONDS, _SILENT_EPOCHS * longest) else INTERRUPTED


def read_run(folder: Path) -> Run:
    """Open a run that may just be beginning.

    Raises:
        DoppelgramError: its files are damaged, or not there yet.
    """
    try:
        return open_run(folder)
    except OSError as problem:
        raise DoppelgramError(f"{folder}: cannot be read: {problem.strerror}") from None


def _plan(recipe: Mapping[str, Any], network: str) -> tuple[int, str]:
    part = recipe
    if network:
        towers = recipe.get("towers", [])
        part = next((tower for tower in towers if tower.get("name") == network), {})
    epochs = int(part.get("optimiser", {}).get("epochs", 0))
    return epochs, str(part.get("stopping", {}).get("monitor", "val_loss"))


def _columns(file: Path) -> dict[str, list[float | None]]:
    """A table of figures by its columns; a file that is damaged has none."""
    try:
        with file.open(newline="", encoding="utf-8") as text:
            rows = list(csv.DictReader(text))
        return {name: [_value(row.get(name)) for row in rows] for name in (rows[0] if rows else {}) if name}
    except (OSError, UnicodeError, csv.Error):
        return {}


def _value(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _modified(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0
