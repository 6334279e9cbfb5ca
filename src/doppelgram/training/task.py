"""A training task in the form that the trainer wants: what every task shares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import lightning
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from doppelgram.learning.joint import Joint
from doppelgram.training.optimisation import averaged_model, make_optimiser, make_schedule
from doppelgram.training.recipes.sections import Optimiser

Index = NDArray[np.int64]


class BatchPlan(Protocol):
    """The batches of an epoch; see `doppelgram.learning.samplers`."""

    def epoch_batches(self, epoch: int) -> list[Index]:
        """Index arrays, one a batch; they follow from the seed and the epoch's number alone."""
        ...


def epoch_seed(seed: int, epoch: int) -> int:
    """One seed for each epoch of each run, so that an epoch's randomness does not depend on how it was reached."""
    return int(np.random.SeedSequence([seed, epoch]).generate_state(1, np.uint32)[0])


class Task(lightning.LightningModule):  # type: ignore[misc]
    """A network, its batches, its loss and its validation figures; the base class of the four tasks.

    A task defines `batch_loss`, `parameter_groups` and, where there is something to validate on, `validate`. The rest,
    from seeds to the average of the weights, is the same for all.

    Args:
        network: what is trained.
        plan: what each batch is made of.
        optimiser: how weights are stepped.
        seed: of the run. All that is random in an epoch follows from it and from the epoch's number.

    Attributes:
        validates: whether `validate` gives figures after each epoch.
        average: the running average of the weights, where the optimiser asks for one; it is validated and kept.
        joint: this process among those that train together, which divide each batch.
        generator: for augmentation; seeded anew in each epoch.
        live: figures of the last batch, for the progress bar.
        margin: margin of the loss, if it is stuck there when all embeddings are equal.
        not_saved: beginnings of names in the network's state that never change and are left out of checkpoints.
    """

    validates = False
    not_saved: tuple[str, ...] = ()
    margin: float | None = None

    def __init__(self, network: nn.Module, plan: BatchPlan, optimiser: Optimiser, seed: int) -> None:
        super().__init__()
        self.network = network
        self.plan = plan
        self.optimiser = optimiser
        self.seed = seed
        self.joint = Joint()
        self.generator = torch.Generator()
        self.live: Mapping[str, Any] = {}
        self.average: AveragedModel | None = averaged_model(network, optimiser.average) if optimiser.average else None

    def batch_loss(self, batch: Tensor, number: int) -> tuple[Tensor, dict[str, Any]]:
        """The loss of one batch of the plan, and further figures of it by name."""
        raise NotImplementedError

    def parameter_groups(self) -> list[dict[str, Any]]:
        """The optimiser's groups: ``params``, ``lr`` and ``weight_decay`` of each."""
        raise NotImplementedError

    def validate(self) -> dict[str, float]:
        """Figures of the validation part; their names start with ``val_``."""
        return {}

    @property
    def steps(self) -> int:
        """Steps of the whole training: the length of the schedule."""
        return len(self.plan.epoch_batches(0)) * self.optimiser.epochs

    @property
    def kept(self) -> nn.Module:
        """The network whose weights are validated and kept: the average, where there is one."""
        return self.network if self.average is None else self.average.module

    def configure_optimizers(self) -> dict[str, Any]:
        """Optimiser and schedule of the recipe."""
        optimiser = make_optimiser(self.parameter_groups(), self.optimiser)
        schedule = make_schedule(optimiser, self.optimiser, self.steps)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_train_epoch_start(self) -> None:
        """Seed everything that is random in this epoch (dropout and random mining draw from torch's generator)."""
        torch.manual_seed(epoch_seed(self.seed, self.current_epoch))
        self.generator.manual_seed(epoch_seed(self.seed + 1, self.current_epoch))

    def training_step(self, batch: Tensor, number: int) -> Tensor:
        """The loss of one batch."""
        loss, figures = self.batch_loss(batch, number)
        self.live = {"train_loss": loss.detach(), **figures}
        self.log_dict(self.live, on_step=False, on_epoch=True, batch_size=len(batch))
        return loss

    def on_train_batch_end(self, *_: Any) -> None:
        """Move the average of the weights."""
        if self.average is not None:
            self.average.update_parameters(self.network)

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        """Figures of the whole validation part: its one batch stands for all of it."""
        self.log_dict(self.validate(), batch_size=1)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Leave out what never changes, which would be most of what is written, and say whose checkpoint it is."""
        left_out = tuple(start + name for start in ("network.", "average.module.") for name in self.not_saved)
        state = checkpoint["state_dict"]
        checkpoint["state_dict"] = {name: state[name] for name in state if not name.startswith(left_out or "\n")}
        checkpoint["task"] = type(self).__name__

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Put in again what was left out."""
        checkpoint["state_dict"] = {**self.state_dict(), **checkpoint["state_dict"]}
