"""Every training of a grid, one after the other, with one line each and the time that is left."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from doppelgram.comparison.cells import ComparisonTrainer, read_result
from doppelgram.comparison.folder import RUNS_FOLDER
from doppelgram.comparison.grid import Cell
from doppelgram.comparison.result import RunResult
from doppelgram.console import Progress
from doppelgram.errors import DoppelgramError
from doppelgram.numbers import duration, percent


def run_cells(cells: Sequence[Cell], trainer: ComparisonTrainer, out: Path, part: str, progress: Progress) -> None:
    """Train and measure every cell that is not finished.

    Args:
        cells: of the grid.
        trainer: images, split and features that all cells share.
        out: folder of the comparison.
        part: whose images are the queries.
        progress: where a bar of epochs and a line a cell are shown.

    Raises:
        DoppelgramError: a folder cannot be used.
        Interrupted: stopped by Ctrl-C; what is finished is kept.
    """
    todo = [cell for cell in cells if read_result(out / RUNS_FOLDER / cell.folder, part) is None]
    if len(todo) < len(cells):
        progress.note(f"{len(cells) - len(todo)} of {len(cells)} runs are finished already")
    started = time.perf_counter()
    with progress.bar("training", sum(cell.recipe.optimiser.epochs for cell in todo)) as advance:
        for number, cell in enumerate(todo, 1):
            folder, cell_started = out / RUNS_FOLDER / cell.folder, time.perf_counter()
            counted = _Counted(advance)
            run = trainer.train(cell, folder, counted.one)
            advance(cell.recipe.optimiser.epochs - counted.steps)  # those that were not needed, or done earlier
            trainer.measure(cell, folder, part)
            read = read_result(folder, part)
            if read is None:
                raise DoppelgramError(f"{folder}: was altered while it was trained")
            now = time.perf_counter()
            parts = [
                f"[{number:>{len(str(len(todo)))}}/{len(todo)}]",
                f"{cell.setting}, seed {cell.seed}: P@1 {percent(read[0].nearest.mean())}",
                f"best epoch {run.facts.get('best_epoch', '–')} of {cell.recipe.optimiser.epochs}",
                duration(now - cell_started),
                _what_happened(read[0]),
                f"about {duration((now - started) / number * (len(todo) - number))} left" if number < len(todo) else "",
            ]
            progress.note("  ".join(filter(None, parts)))


class _Counted:
    """A bar that counts what it was moved by."""

    def __init__(self, advance: Callable[[int], None]) -> None:
        self._advance, self.steps = advance, 0

    def one(self) -> None:
        self._advance(1)
        self.steps += 1


def _what_happened(result: RunResult) -> str:
    """The worst that happened in a training, if anything did."""
    happened = {
        "diverged": result.diverged,
        "collapsed": result.collapsed,
        "stuck at its margin": result.stuck,
    }
    return next((word for word, true in happened.items() if true), "")
