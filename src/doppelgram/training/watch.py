"""What a person sees while a model trains: one line an epoch, and a plain word when it does not learn."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import lightning

from doppelgram.console import Advance, Progress
from doppelgram.errors import DivergedError
from doppelgram.files import written_whole
from doppelgram.numbers import percent

# Spread is the mean distance from the mean embedding; for points scattered over the unit sphere it is near 1.
COLLAPSED_SPREAD = 0.02
STUCK_SHARE = 0.02
# Epochs in a row before it is said: in the first, running statistics have not settled and everything looks alike.
COLLAPSED_EPOCHS, STUCK_EPOCHS = 2, 3


class EpochLines:
    """A bar while an epoch lasts, and one line with its figures after it."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self._bar = ExitStack()
        self._advance: Advance | None = None

    def start_epoch(self, epoch: int, epochs: int, batches: int) -> None:
        """An epoch, from 1, of so many batches starts."""
        self._advance = self._bar.enter_context(self.progress.bar(f"epoch {epoch}/{epochs}", batches))

    def batch(self, figures: Mapping[str, float]) -> None:
        """A batch is done: move the bar, with the batch's own figures."""
        if self._advance:
            live = {name.removeprefix("train_"): float(value) for name, value in figures.items()}
            self._advance(1, _line(live))

    def end_epoch(self, epoch: int, epochs: int, figures: Mapping[str, float]) -> None:
        """Print the epoch's line."""
        self.close()
        self.progress.note(f"epoch {epoch:>3}/{epochs}  {_line(figures)}  {figures['seconds']:.0f} s")

    def close(self) -> None:
        """Take the bar away."""
        self._bar.close()
        self._advance = None


class EpochBar(EpochLines):
    """One bar for the whole training: for networks that are one of several, or have very short epochs."""

    def __init__(self, progress: Progress, title: str, first_epoch: int) -> None:
        super().__init__(progress)
        self.title, self.first_epoch = title, first_epoch

    def start_epoch(self, epoch: int, epochs: int, batches: int) -> None:
        """Start the bar with the first epoch."""
        if self._advance is None:
            self._advance = self._bar.enter_context(self.progress.bar(f"{self.title}: batches", epochs * batches))
            self._advance(self.first_epoch * batches)

    def batch(self, figures: Mapping[str, float]) -> None:
        """Move the bar."""
        if self._advance:
            self._advance(1)

    def end_epoch(self, epoch: int, epochs: int, figures: Mapping[str, float]) -> None:
        """Nothing: the bar says enough."""


class Watch(lightning.Callback):  # type: ignore[misc]
    """The figures of every epoch: shown, written to a table, and warned about in plain words.

    Args:
        display: what a person sees.
        table: CSV that holds the figures of every finished epoch, also those before a resumption.
        margin: margin of the triplet loss, if that is what is trained: the value it is stuck at when
            all embeddings are equal.
        epoch_done: called after each epoch.
    """

    def __init__(
        self,
        display: EpochLines,
        table: Path,
        margin: float | None = None,
        epoch_done: Callable[[], None] | None = None,
    ) -> None:
        self.display = display
        self.table = table
        self.margin = margin
        self.epoch_done = epoch_done
        self.history: list[dict[str, float]] = []
        self.warnings: list[str] = []
        self._stuck = self._collapsed = 0

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run needs to continue the same history."""
        return {"history": self.history, "warnings": self.warnings, "stuck": self._stuck, "collapsed": self._collapsed}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue the history of the run that is resumed."""
        self.history, self.warnings = list(state_dict["history"]), list(state_dict["warnings"])
        self._stuck, self._collapsed = int(state_dict["stuck"]), int(state_dict["collapsed"])

    def on_train_epoch_start(self, trainer: Any, module: Any) -> None:
        """Start the epoch's clock."""
        self._started = time.perf_counter()
        self.display.start_epoch(trainer.current_epoch + 1, trainer.max_epochs, int(trainer.num_training_batches))

    def on_train_batch_end(self, trainer: Any, module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Show the batch's figures."""
        self.display.batch(module.live)

    def on_exception(self, trainer: Any, module: Any, exception: BaseException) -> None:
        """Take the bar away when training is interrupted."""
        self.display.close()

    def on_train_end(self, trainer: Any, module: Any) -> None:
        """Take the bar away."""
        self.display.close()

    def on_train_epoch_end(self, trainer: Any, module: Any) -> None:
        """Show the epoch's figures, and say so if it does not learn."""
        figures = {name: float(value) for name, value in trainer.callback_metrics.items()}
        figures["epoch"] = float(trainer.current_epoch + 1)
        figures["seconds"] = time.perf_counter() - self._started
        self.history.append(figures)
        if trainer.is_global_zero:
            self._write_table()
        self.display.end_epoch(trainer.current_epoch + 1, trainer.max_epochs, figures)
        for warning in self.diagnose(figures):
            if warning not in self.warnings:
                self.warnings.append(warning)
                self.display.progress.warning(warning)
        if self.epoch_done:
            self.epoch_done()

    def _write_table(self) -> None:
        columns = list(dict.fromkeys(name for epoch in self.history for name in ("epoch", *epoch)))
        with written_whole(self.table) as aside, aside.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(self.history)

    def diagnose(self, figures: Mapping[str, float]) -> list[str]:
        """Plain sentences about an epoch's figures that show it does not learn; raises if it diverged."""
        found = []
        loss = figures.get("train_loss", 0.0)
        if not math.isfinite(loss):
            raise DivergedError
        # Without a validation part the negatives of the training batches tell: they coincide when everything does.
        spread = figures.get("val_spread", figures.get("train_negative_distance", 1.0))
        self._collapsed = self._collapsed + 1 if spread < COLLAPSED_SPREAD else 0
        if self._collapsed >= COLLAPSED_EPOCHS:
            found.append(
                "collapse: all embeddings are nearly equal, so nothing can be told apart; try a smaller optimiser.lr, "
                "miner.name=semihard instead of batchhard, or a loss with class weights such as cosface"
            )
        stuck = self.margin is not None and abs(loss - self.margin) < STUCK_SHARE * self.margin
        self._stuck = self._stuck + 1 if stuck else 0
        if self._stuck >= STUCK_EPOCHS:
            found.append(
                f"the loss is stuck at its margin ({self.margin:g}), where positives are as far apart as negatives; "
                "try a smaller optimiser.lr, miner.name=semihard, or a smaller margin"
            )
        return found


def _line(figures: Mapping[str, float]) -> str:
    """The figures that tell whether it learns, in one line; names may carry the prefix train_."""

    def get(name: str) -> float | None:
        return figures.get(f"train_{name}", figures.get(name))

    parts = []
    if (loss := get("loss")) is not None:
        parts.append(f"loss {loss:.4f}")
    if (active := get("active")) is not None:
        parts.append(f"active {percent(active, 0):>5}")
    positive, negative = get("positive_distance"), get("negative_distance")
    if positive is None:
        positive, negative = figures.get("val_positive_distance"), figures.get("val_negative_distance")
    if positive is not None and negative is not None:
        parts.append(f"d+ {positive:.3f}  d- {negative:.3f}")
    if "val_loss" in figures:
        parts.append(f"val loss {figures['val_loss']:.4f}")
    if "val_precision_at_1" in figures:
        parts.append(f"val P@1 {percent(figures['val_precision_at_1'])}")
    if "val_map_at_r" in figures:
        parts.append(f"MAP@R {figures['val_map_at_r']:.3f}")
    return "  ".join(parts)
