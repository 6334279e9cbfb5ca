"""Training a pair network: binary cross-entropy on balanced pairs, stopped early by the loss of validation pairs."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import EarlyStopping
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.utils.data import DataLoader, Dataset

from doppelgram.errors import DivergedError
from doppelgram.models.networks.pairs import PairNetwork
from doppelgram.training.checkpoints import BestCheckpoint, LastCheckpoint, gave_up, read_checkpoint
from doppelgram.training.data import EpochBatches
from doppelgram.training.hardware import lightning_precision
from doppelgram.training.module import epoch_seed, learning_rate
from doppelgram.training.recipe import Recipe
from doppelgram.training.siamese_pairs_data import PairInputs
from doppelgram.training.siamese_pairs_plan import Batches, Index, unique_rows

_CHUNK = 128  # photographs described at a time
_BACKBONE = "network.tower.backbone."


@dataclass
class FittedPairs:
    """What training a pair network ended with; the network holds the weights of the best epoch."""

    history: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0
    interrupted: bool = False


@torch.inference_mode()
def pair_log_odds(network: PairNetwork, inputs: PairInputs, pairs: NDArray[Any]) -> NDArray[np.float64]:
    """Log-odds of "the same arrangement" of pairs, each photograph described once.

    Args:
        network: asked in evaluation mode.
        inputs: of all photographs.
        pairs: rows of both photographs, (m, 2) or more columns.

    Returns:
        float64 (m,).
    """
    was_training = network.training
    network.eval()
    try:
        rows, first, second = unique_rows(pairs)
        described = torch.cat(
            [network.describe(*inputs.plain(rows[at : at + _CHUNK])) for at in range(0, len(rows), _CHUNK)]
        )
        return np.asarray(network(described[first], described[second]).double().cpu().numpy())
    finally:
        network.train(was_training)


class PairModule(lightning.LightningModule):  # type: ignore[misc]
    """A pair network in the form that Lightning's Trainer wants.

    Args:
        network: what is trained.
        inputs: of all photographs.
        validation: pairs (m, 3) whose loss is taken after each epoch.
        recipe: for the optimiser and the augmentation.
        steps: of the whole training.
        seed: of the run.
        progress: called with 1 after each batch.

    Attributes:
        history: figures of every epoch, also of those before a resumption.
    """

    def __init__(
        self, network: PairNetwork, inputs: PairInputs, validation: Index, recipe: Recipe, *, steps: int, seed: int,
        progress: Callable[[int], None] | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.network = network
        self.inputs = inputs
        self.validation = validation
        self.recipe = recipe
        self.steps = steps
        self.seed = seed
        self.progress = progress
        self.history: list[dict[str, float]] = []
        self.generator = torch.Generator()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the history; leave out a backbone that is not even run, which would be most of what is written."""
        checkpoint["history"] = self.history
        if self.inputs.cached:
            state = checkpoint["state_dict"]
            checkpoint["state_dict"] = {name: state[name] for name in state if not name.startswith(_BACKBONE)}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on with the history of the training that is resumed."""
        self.history = list(checkpoint["history"])
        checkpoint["state_dict"] = {**self.state_dict(), **checkpoint["state_dict"]}

    def on_train_batch_end(self, *_: Any) -> None:
        """Move the bar."""
        if self.progress:
            self.progress(1)

    def on_train_epoch_start(self) -> None:
        """Seed everything that is random in this epoch, so that a resumed run ends as one that was not stopped."""
        torch.manual_seed(epoch_seed(self.seed, self.current_epoch))
        self.generator.manual_seed(epoch_seed(self.seed + 1, self.current_epoch))

    def training_step(self, pairs: Tensor, _: int) -> Tensor:
        """The loss of a batch of pairs (m, 3); each photograph is changed and described once."""
        rows, first, second = unique_rows(pairs.cpu().numpy())
        images, masks = self.inputs.changed(rows, self.recipe.augmentation, self.generator)
        described = self.network.describe(images.to(self.device), None if masks is None else masks.to(self.device))
        logits = self.network(described[first], described[second])
        loss = binary_cross_entropy_with_logits(logits, pairs[:, 2].to(logits.dtype))
        self.log("train_loss", loss.detach(), on_step=False, on_epoch=True, batch_size=len(pairs))
        return loss

    def on_train_epoch_end(self) -> None:
        """Loss and accuracy of the validation pairs."""
        logits = pair_log_odds(self.network, self.inputs, self.validation)
        if not np.isfinite(logits).all():
            raise DivergedError
        same = self.validation[:, 2] == 1
        loss = np.where(same, np.logaddexp(0, -logits), np.logaddexp(0, logits)).mean()
        figures = {"val_loss": float(loss), "val_accuracy": float(((logits > 0) == same).mean())}
        self.log_dict(figures)
        self.history.append({"train_loss": float(self.trainer.callback_metrics["train_loss"]), **figures})

    def configure_optimizers(self) -> dict[str, Any]:
        """SGD or AdamW; the backbone may have its own learning rate; biases and norms do not decay."""
        recipe = self.recipe.optimiser
        backbone = list(self.network.tower.backbone.parameters())
        known = {id(parameter) for parameter in backbone}
        rest = [parameter for parameter in self.network.parameters() if id(parameter) not in known]
        groups = []
        for parameters, share in ((backbone, recipe.backbone_lr), (rest, 1.0)):
            for decay in (True, False):
                chosen = [p for p in parameters if p.requires_grad and (p.ndim >= 2) == decay]
                if chosen:
                    weight_decay = recipe.weight_decay if decay else 0.0
                    groups.append({"params": chosen, "lr": recipe.lr * share, "weight_decay": weight_decay})
        optimiser: torch.optim.Optimizer
        if recipe.name == "sgd":
            optimiser = torch.optim.SGD(groups, lr=recipe.lr, momentum=recipe.momentum)
        else:
            optimiser = torch.optim.AdamW(groups, lr=recipe.lr)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: learning_rate(step, self.steps, recipe))
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


class _AsTensors(Dataset[Tensor]):
    """Batches of pairs are their own rows."""

    def __getitem__(self, pairs: Index) -> Tensor:
        return torch.from_numpy(pairs)


def fit_pairs(
    network: PairNetwork,
    inputs: PairInputs,
    plan: Batches,
    validation: Index,
    recipe: Recipe,
    folder: Path,
    *,
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> FittedPairs:
    """Train a pair network; its weights end as those of the epoch with the smallest validation loss.

    A checkpoint is written after every epoch; called again with the same folder, it goes on from there and ends with
    the same weights as a training that was not interrupted.

    Args:
        network: trained in place.
        inputs: of all photographs.
        plan: the pairs of each epoch.
        validation: pairs (m, 3) of other photographs.
        recipe: ``optimiser``, ``augment`` and ``stopping.patience`` are used.
        folder: where ``checkpoints/`` are written.
        seed: of the run.
        progress: called with the number of batches done, at most batches times epochs in all.

    Raises:
        DoppelgramError: training diverged, or a checkpoint is damaged.
    """
    epochs, patience = recipe.optimiser.epochs, recipe.stopping.patience
    module = PairModule(network, inputs, validation, recipe, steps=len(plan) * epochs, seed=seed, progress=progress)
    module.train()  # Lightning leaves every part in the mode it finds
    if network.tower.backbone.convolutional and not inputs.cached:
        module = module.to(memory_format=torch.channels_last)
    checkpoints = folder / "checkpoints"
    best = BestCheckpoint(checkpoints, "val_loss")
    callbacks: list[Any] = [best]
    if patience:
        callbacks.append(
            EarlyStopping("val_loss", recipe.stopping.min_delta, patience, mode="min", check_on_train_epoch_end=True)
        )
    callbacks.append(LastCheckpoint(checkpoints))  # after the best one, whose state it holds
    last = checkpoints / "last.ckpt"
    resumed = last if last.is_file() else None
    first = 0
    if resumed:
        state = read_checkpoint(resumed)
        first = int(state["epoch"]) + 1
        if gave_up(state, patience):
            epochs = first  # restored, but not trained any further
        if progress:
            progress(first * len(plan))
    batches = EpochBatches(plan)
    batches.set_epoch(first)
    # A generator of its own: the loader must not draw from torch's global one when it is started.
    loader = DataLoader(_AsTensors(), sampler=batches, batch_size=None, generator=torch.Generator())
    interrupted = False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Lightning's, about workers and the like, which do not apply here
        trainer = _trainer(recipe, epochs, callbacks, folder)
        try:
            trainer.fit(module, loader, ckpt_path=resumed, weights_only=True if resumed else None)
        except (KeyboardInterrupt, SystemExit):
            interrupted = True  # Lightning turns the first Ctrl-C into SystemExit once it has cleaned up
    if interrupted or trainer.interrupted:
        return FittedPairs(module.history, interrupted=True)
    state = read_checkpoint(Path(best.best_model_path))
    weights = {name.removeprefix("network."): value for name, value in state["state_dict"].items()}
    network.load_state_dict({**network.state_dict(), **weights})
    network.eval()
    return FittedPairs(module.history, best_epoch=int(state["epoch"]) + 1)


def _trainer(recipe: Recipe, epochs: int, callbacks: list[Any], folder: Path) -> lightning.Trainer:
    for name in ("lightning.pytorch", "lightning.fabric", "pytorch_lightning"):
        logging.getLogger(name).setLevel(logging.ERROR)
    return lightning.Trainer(
        accelerator="auto", devices=1, max_epochs=epochs,
        precision=lightning_precision(recipe.optimiser.precision),
        gradient_clip_val=recipe.optimiser.clip or None, callbacks=callbacks, logger=False,
        default_root_dir=folder, enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=0,
    )  # fmt: skip
