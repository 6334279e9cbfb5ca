"""The one trainer: Lightning's loop with our batches, figures, checkpoints and log, for all four tasks."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lightning
from lightning.pytorch.callbacks import EarlyStopping
from lightning.pytorch.loggers import TensorBoardLogger
from torch import nn

from doppelgram.console import Progress
from doppelgram.training.checkpoints import BestCheckpoint, LastCheckpoint, WholeFiles, gave_up, read_checkpoint
from doppelgram.training.data import plan_loader, single_loader
from doppelgram.training.hardware import lightning_precision
from doppelgram.training.ranks.launch import run_ranks
from doppelgram.training.ranks.order import Order
from doppelgram.training.ranks.plan import Ranks
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
        elsewhere: whether another machine has the weights, and writes the run.
    """

    history: list[dict[str, float]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    best_epoch: int = 0
    interrupted: bool = False
    elsewhere: bool = False


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
    ranks: Ranks = Ranks(),  # noqa: B008  # immutable
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
        ranks: processes that train together; one alone is this one. On a machine that does not write the run the
            network is left as it was.

    Raises:
        DoppelgramError: training diverged, a checkpoint is damaged, or one of several processes failed.
    """
    if ranks.world > 1:
        order = Order(task, stopping, place.checkpoints, place.log, place.title, resume)
        fitted = _fit_apart(order, ranks, progress, epoch_done)
    else:
        fitted = run_epochs(task, stopping, place, progress, resume=resume, epoch_done=epoch_done)
    if fitted.interrupted or fitted.elsewhere:
        return fitted
    best = place.checkpoints / BEST
    if task.validates and stopping.keep == "best" and best.is_file():
        fitted.best_epoch = load_kept(task.network, best)
    elif ranks.world > 1:
        load_kept(task.network, place.checkpoints / LAST)
    else:
        task.network.load_state_dict(task.kept.state_dict())
    task.network.eval()
    return fitted


def run_epochs(
    task: Task,
    stopping: Stopping,
    place: Place,
    progress: Progress,
    *,
    resume: bool = False,
    epoch_done: Callable[[], None] | None = None,
    strategy: Mapping[str, Any] | None = None,
) -> Fitted:
    """The loop of `fit`, in the process that trains: the network ends with the weights of the last epoch.

    Args:
        task, stopping, place, progress, resume, epoch_done: see `fit`.
        strategy: further arguments of Lightning's Trainer, ``plugins`` among them; by default one device.
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
    interrupted = False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Lightning's, about workers and the like, which do not apply here
        trainer = _trainer(task, epochs, _callbacks(task, stopping, place, watch), place, strategy or {"devices": 1})
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
    return Fitted(watch.history, watch.warnings, best_epoch=len(watch.history))


def _fit_apart(order: Order, ranks: Ranks, progress: Progress, epoch_done: Callable[[], None] | None) -> Fitted:
    """The loop in processes of their own; what they kept lies in the run's checkpoints."""
    last = order.checkpoints / LAST
    try:
        said = run_ranks(order, ranks, progress, epoch_done)
    except KeyboardInterrupt:
        told = read_checkpoint(last)["callbacks"].get(Watch.__qualname__, {}) if last.is_file() else {}
        return Fitted(list(told.get("history", [])), list(told.get("warnings", [])), interrupted=True)
    if said is None:
        return Fitted(elsewhere=True)
    return Fitted(said["history"], said["warnings"], best_epoch=len(said["history"]))


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


def _callbacks(task: Task, stopping: Stopping, place: Place, watch: Watch) -> list[Any]:
    callbacks: list[Any] = [watch]
    if task.validates:
        best = BestCheckpoint(place.checkpoints, stopping.monitor)
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
    return [*callbacks, LastCheckpoint(place.checkpoints)]  # after the best one, whose state it holds


def _trainer(
    task: Task, epochs: int, callbacks: list[Any], place: Place, strategy: Mapping[str, Any]
) -> lightning.Trainer:
    for name in ("lightning.pytorch", "lightning.fabric", "pytorch_lightning"):
        logging.getLogger(name).setLevel(logging.ERROR)
    return lightning.Trainer(
        **{"accelerator": "auto", **strategy, "plugins": [WholeFiles(), *strategy.get("plugins", [])]},
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
        use_distributed_sampler=False,  # a task divides each batch itself
    )
