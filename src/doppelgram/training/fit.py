"""Training one network: Lightning's loop, our batches, figures and checkpoints."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import EarlyStopping
from lightning.pytorch.loggers import TensorBoardLogger
from rich.console import Console

from doppelgram.errors import DoppelgramError
from doppelgram.learning.losses import MetricLoss, TripletMarginLoss
from doppelgram.learning.registry import make_loss, make_miner
from doppelgram.learning.samplers import MPerClassSampler, ShuffleSampler
from doppelgram.models.networks.embedding import EmbeddingNetwork
from doppelgram.training.checkpoints import BestCheckpoint, LastCheckpoint, gave_up, read_checkpoint
from doppelgram.training.data import BatchPlan, Part, ordered_loader, train_loader
from doppelgram.training.hardware import lightning_precision
from doppelgram.training.module import MetricModule, Validate
from doppelgram.training.recipe import Recipe
from doppelgram.training.watch import Watch

Codes = np.ndarray[Any, np.dtype[np.int64]]
GALLERY_ROWS, GALLERY_PER_CLASS = 2000, 5


@dataclass
class Fitted:
    """What training ended with; the network holds the best epoch's weights."""

    history: list[dict[str, float]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    best_epoch: int = 0
    interrupted: bool = False


def make_plan(recipe: Recipe, loss: MetricLoss, codes: Codes, seed: int) -> BatchPlan:
    """The sampler that the recipe asks for; ``auto`` shuffles for losses that carry class weights of their own."""
    sampler = recipe.sampler
    batch = min(sampler.batch, max(2, len(codes)))
    if _shuffles(recipe, loss):
        return ShuffleSampler(codes, batch, seed, sampler.least)
    # Fewer images than a batch has: fewer of each class, so that there still are two classes.
    per_class = min(sampler.per_class, max(1, batch // 2))
    return MPerClassSampler(codes, batch // per_class, per_class, seed)


def _shuffles(recipe: Recipe, loss: MetricLoss) -> bool:
    return recipe.sampler.name == "shuffle" or (recipe.sampler.name == "auto" and loss.needs_classes)


def check_recipe(recipe: Recipe) -> None:
    """Refuse a loss, miner or sampler that cannot be used, before any image is read; raises DoppelgramError."""
    loss = make_loss(recipe.loss.name, embedding_dim=recipe.model.dim, classes=2, params=recipe.loss.params)
    make_miner(recipe.miner.name or None, params=recipe.miner.params, loss=loss)
    if recipe.loss.memory and (loss.needs_classes or not loss.takes_tuples):
        raise DoppelgramError(
            f"{loss.title} compares no pairs of images, so loss.memory means nothing to it; set it to 0"
        )
    sampler = recipe.sampler
    if sampler.least and not _shuffles(recipe, loss):
        raise DoppelgramError("sampler.least goes with sampler.name=shuffle; groups of a class are filled up anyway")
    if not _shuffles(recipe, loss) and sampler.batch < 2 * sampler.per_class:
        raise DoppelgramError(
            f"a batch of {sampler.batch} holds fewer than two classes of sampler.per_class={sampler.per_class}; "
            "raise sampler.batch or lower sampler.per_class"
        )


def _validation(train: Part, val: Part) -> tuple[Part, int]:
    """The rows that are embedded after each epoch, and how many of the first are a gallery.

    Validation images are asked of each other, which costs nothing extra, unless most of them have no sibling there;
    then a few training images of each class come first as the gallery.
    """
    counts = np.bincount(val.codes, minlength=int(max(train.codes.max(), val.codes.max())) + 1)
    if (counts[val.codes] >= 2).mean() >= 0.5:
        return val, 0
    rows: list[int] = []
    taken = np.zeros_like(counts)
    for row in np.random.default_rng(0).permutation(len(train)):
        code = train.codes[row]
        if counts[code] and taken[code] < GALLERY_PER_CLASS and len(rows) < GALLERY_ROWS:
            taken[code] += 1
            rows.append(int(row))
    if not rows:
        return val, 0
    if train.inputs is not val.inputs:
        raise ValueError("the training and the validation part are rows of one array")
    codes = np.concatenate([train.codes[rows], val.codes])
    return Part(val.inputs, codes, np.concatenate([train.rows[rows], val.rows])), len(rows)


def _answerable(rows: Part, gallery: int) -> bool:
    """Whether any query has an image of its class to find."""
    return gallery > 0 or int(np.bincount(rows.codes).max()) > 1


def fit(
    network: EmbeddingNetwork,
    train: Part,
    val: Part | None,
    recipe: Recipe,
    folder: Path,
    *,
    seed: int = 0,
    resume: bool = False,
    validate: Validate | None = None,
    console: Console | None = None,
) -> Fitted:
    """Train a network; its weights end as those of the best epoch.

    Checkpoints are written after every epoch. An interrupted run that is resumed ends with the same weights as one
    that was not: every epoch's order, augmentation and dropout follow from the seed and the epoch's number alone.

    Args:
        network: trained in place.
        train: training part; class codes 0 to classes - 1.
        val: validation part with codes of the same numbering (classes unseen in training come after), or None.
        recipe: what to do.
        folder: run folder; ``checkpoints/`` and ``log/`` are written below it.
        seed: of the run.
        resume: go on from ``checkpoints/last.ckpt`` if it is there.
        validate: figures of the validation part; see `Validate`.
        console: where progress is shown.

    Raises:
        DoppelgramError: a name or value in the recipe that cannot be used.
    """
    console = console or Console(stderr=True)
    classes = int(train.codes.max()) + 1
    torch.manual_seed(seed)  # the loss may draw class weights
    loss = make_loss(recipe.loss.name, embedding_dim=network.head.dim, classes=classes, params=recipe.loss.params)
    miner = make_miner(recipe.miner.name or None, params=recipe.miner.params, loss=loss)
    plan = make_plan(recipe, loss, train.codes, seed)
    epochs = recipe.optimiser.epochs
    cached = train.inputs.ndim == 3
    val_rows, gallery = _validation(train, val) if val is not None and len(val) else (None, 0)
    unseen = val_rows is not None and int(val_rows.codes.max()) >= classes
    module = MetricModule(
        network, loss, miner, recipe,
        steps=len(plan.epoch_batches(0)) * epochs, seed=seed, cached=cached, validate=validate, val_gallery=gallery,
        val_loss=not (unseen and loss.needs_classes),
    )  # fmt: skip
    module.train()  # Lightning leaves every part in the mode it finds, and a backbone from a folder is not training
    if network.backbone.convolutional and not cached:
        module = module.to(memory_format=torch.channels_last)

    margin = loss.margin if isinstance(loss, TripletMarginLoss) and not loss.soft else None
    watch = Watch(console, folder / "log" / "metrics.csv", margin)
    monitor = recipe.stopping.monitor if val_rows is not None else None
    if monitor and val_rows is not None and not _answerable(val_rows, gallery):
        sentence = "no validation image has another of its class to find; the last epoch is kept"
        console.print(f"warning: {sentence}", style="yellow", soft_wrap=True)
        module.validate = monitor = None
    checkpoints = folder / "checkpoints"
    callbacks: list[Any] = [watch]
    best = BestCheckpoint(checkpoints, monitor) if monitor else None
    if best is not None:
        callbacks.append(best)
        if recipe.stopping.patience:
            callbacks.append(
                EarlyStopping(
                    monitor, recipe.stopping.min_delta, recipe.stopping.patience, mode=best.mode,
                    check_on_train_epoch_end=True,
                )
            )  # fmt: skip
    callbacks.append(LastCheckpoint(checkpoints))  # after the best one, whose state it holds
    last = checkpoints / "last.ckpt"
    resumed = last if resume and last.is_file() else None
    first_epoch = 0
    if resumed:
        state = read_checkpoint(resumed)
        first_epoch = int(state["epoch"]) + 1
        if gave_up(state, recipe.stopping.patience):
            epochs = first_epoch  # restored, but not trained any further

    trainer = _trainer(recipe, epochs, callbacks, folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Lightning's, about workers and the like, which do not apply here
        interrupted = False
        try:
            trainer.fit(
                module,
                train_loader(train, plan, first_epoch),
                ordered_loader(val_rows) if val_rows is not None else None,
                ckpt_path=resumed,
                weights_only=True if resumed else None,
            )
        except (KeyboardInterrupt, SystemExit):
            interrupted = True  # Lightning turns the first Ctrl-C into SystemExit once it has cleaned up
    if interrupted or trainer.interrupted:
        # An epoch counts once it can be gone on from, which is a moment after its line was printed.
        kept = int(read_checkpoint(last)["epoch"]) + 1 if last.is_file() else 0
        return Fitted(watch.history[:kept], watch.warnings, interrupted=True)
    fitted = Fitted(watch.history, watch.warnings, best_epoch=len(watch.history))
    if best is not None and best.best_model_path:
        state = read_checkpoint(Path(best.best_model_path))
        network.load_state_dict(kept_weights(state["state_dict"]))
        fitted.best_epoch = int(state["epoch"]) + 1
    elif module.average is not None:
        network.load_state_dict(module.average.state_dict())
    return fitted


def kept_weights(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Of a checkpoint's state the network's weights: their running average where there is one."""
    prefix = "average." if any(name.startswith("average.") for name in state) else "network."
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}


def _trainer(recipe: Recipe, epochs: int, callbacks: list[Any], folder: Path) -> lightning.Trainer:
    for name in ("lightning.pytorch", "lightning.fabric", "pytorch_lightning"):
        logging.getLogger(name).setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return lightning.Trainer(
            accelerator="auto",
            devices=1,
            max_epochs=epochs,
            precision=lightning_precision(recipe.optimiser.precision),
            gradient_clip_val=recipe.optimiser.clip or None,
            callbacks=callbacks,
            logger=TensorBoardLogger(folder, "log", "tensorboard"),
            default_root_dir=folder,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            log_every_n_steps=1,
        )
