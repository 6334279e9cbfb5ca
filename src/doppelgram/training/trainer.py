"""The one trainer: Lightning's loop with our batches, figures, checkpoints and log, for all four tasks."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lightning
from lightning.pytorch.callbacks import EarlyStopping
from lightning.pytorch.loggers import TensorBoardLogger
from torch import nn

from doppelgram.console import Progress
from doppelgram.training.checkpoints import BestCheckpoint, LastCheckpoint, gave_up, read_checkpoint
from doppelgram.training.data import plan_loader, single_loader
from doppelgram.training.hardware import lightning_precision
from doppelgram.training.recipes.sections import Stopping
from doppelgram.training.task import Task
from doppelgram.training.watch import EpochBar, EpochLines, Watch

LAST, BEST = "last.ckpt", "best.ckpt"


@dataclass
class Fitted:
    """What a training ended with; the task's network holds the weights that are kept.

    Attributes:
        history: figures of every finished epoch, by name.
        warnings: what was found wrong while training, each once.
        best_epoch: whose weights are kept, from 1.
        interrupted: whether Ctrl-C stopped it; the same call with ``resume`` continues it.
    """

    history: list[dict[str, float]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    best_epoch: int = 0
    interrupted: bool = False


@dataclass(frozen=True)
class Place:
    """Where the training of one network keeps its files, and how it is shown.

    Attributes:
        checkpoints: folder of ``best.ckpt`` and ``last.ckpt``.
        log: folder of ``metrics.csv`` and ``tensorboard/``.
        title: of the bar; empty: one line an epoch is printed instead.
    """

    checkpoints: Path
    log: Path
    title: str = ""

    @classmethod
    def of_run(cls, folder: Path, tower: str = "", title: str = "") -> Place:
        """The files of a run's only network, or of one of its towers."""
        return cls(folder / "checkpoints" / tower, folder / "log" / tower, title or tower)


def fit(
    task: Task,
    stopping: Stopping,
    place: Place,
    progress: Progress,
    *,
    resume: bool = False,
    epoch_done: Callable[[], None] | None = None,
) -> Fitted:
    """Train a task's network; its weights end as those of the best epoch, or of the last one.

    Checkpoints are written after every epoch. An interrupted training that is resumed ends with the same weights as one
    that was not: every epoch's order, augmentation and dropout follow from the seed and the epoch's number alone.

    Args:
        task: what is trained.
        stopping: which epoch is kept, and when to stop early; used where the task validates.
        place: where files are kept.
        resume: continue from ``last.ckpt`` if it is there.
        epoch_done: called after each epoch.
        progress: where progress is shown.

    Raises:
        DoppelgramError: training diverged, or a checkpoint is damaged.
    """
    epochs, last = task.optimiser.epochs, place.checkpoints / LAST
    resumed = last if resume and last.is_file() else None
    first_epoch = 0
    if resumed:
        state = read_checkpoint(resumed)
        first_epoch = int(state["epoch"]) + 1
        if task.validates and gave_up(state, stopping.patience):
            epochs = first_epoch  # restored, but not trained any further
    task.train()  # Lightning leaves every part in the mode it finds, and a backbone from a folder is not training
    shown = EpochBar(progress, place.title, first_epoch) if place.title else EpochLines(progress)
    watch = Watch(shown, place.log / "metrics.csv", task.margin, epoch_done)
    callbacks: list[Any] = [watch]
    best = BestCheckpoint(place.checkpoints, stopping.monitor) if task.validates else None
    if best is not None:
        callbacks.append(best)
        if stopping.patience:
            callbacks.append(
                EarlyStopping(
                    stopping.monitor,
                    stopping.min_delta,
                    stopping.patience,
                    mode=best.mode,
                    check_on_train_epoch_end=True,
                )
            )
    callbacks.append(LastCheckpoint(place.checkpoints))  # after the best one, whose state it holds
    interrupted = False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Lightning's, about workers and the like, which do not apply here
        trainer = _trainer(task, epochs, callbacks, place)
        try:
            trainer.fit(
                task,
                plan_loader(task.plan, first_epoch),
                single_loader() if task.validates else None,
                ckpt_path=resumed,
                weights_only=True if resumed else None,
            )
        except (KeyboardInterrupt, SystemExit):
            interrupted = True  # Lightning turns the first Ctrl-C into SystemExit once it has cleaned up
    if interrupted or trainer.interrupted:
        # An epoch counts once it can be resumed from, which is a moment after its line was printed.
        kept = int(read_checkpoint(last)["epoch"]) + 1 if last.is_file() else 0
        return Fitted(watch.history[:kept], watch.warnings, interrupted=True)
    fitted = Fitted(watch.history, watch.warnings, best_epoch=len(watch.history))
    task.network.load_state_dict(task.kept.state_dict())
    if best is not None and best.best_model_path and stopping.keep == "best":
        fitted.best_epoch = load_kept(task.network, Path(best.best_model_path))
    task.network.eval()
    return fitted


def load_kept(network: nn.Module, file: Path) -> int:
    """Give a network the weights that a checkpoint keeps, the average where there is one; returns the epoch."""
    state = read_checkpoint(file)
    weights = state["state_dict"]
    prefix = "average.module." if any(name.startswith("average.module.") for name in weights) else "network."
    kept = {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}
    network.load_state_dict({**network.state_dict(), **kept})
    return int(state["epoch"]) + 1


def load_finished(network: nn.Module, place: Place, epochs: int, stopping: Stopping) -> bool:
    """Give a network the weights of a training that had ended before, without its data; False if it had not."""
    last, best = place.checkpoints / LAST, place.checkpoints / BEST
    if not last.is_file():
        return False
    state = read_checkpoint(last)
    if int(state["epoch"]) + 1 < epochs and not gave_up(state, stopping.patience):
        return False
    load_kept(network, best if stopping.keep == "best" and best.is_file() else last)
    network.eval()
    return True


def _trainer(task: Task, epochs: int, callbacks: list[Any], place: Place) -> lightning.Trainer:
    for name in ("lightning.pytorch", "lightning.fabric", "pytorch_lightning"):
        logging.getLogger(name).setLevel(logging.ERROR)
    return lightning.Trainer(
        accelerator="auto",
        devices=1,
        max_epochs=epochs,
        precision=lightning_precision(task.optimiser.precision),
        gradient_clip_val=task.optimiser.clip or None,
        callbacks=callbacks,
        logger=TensorBoardLogger(place.log.parent, place.log.name, "tensorboard"),
        default_root_dir=place.log.parent,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        log_every_n_steps=1,
    )
