"""The training step: augment, embed, mine, lose; and what is measured after each epoch."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from typing import Any

import lightning
import numpy as np
import torch
from torch import Tensor

from doppelgram.errors import DivergedError, DoppelgramError
from doppelgram.images.augment import augment
from doppelgram.learning.cross_batch_memory import CrossBatchMemory, with_batch_anchors
from doppelgram.learning.losses import MetricLoss, TripletMarginLoss
from doppelgram.models.networks.embedding import EmbeddingNetwork
from doppelgram.training.recipe import OptimiserRecipe, Recipe

# (embeddings, labels, gallery or None, gallery labels or None) -> figures by name
Validate = Callable[[np.ndarray[Any, Any], np.ndarray[Any, Any], Any, Any], Mapping[str, float]]
# On cached features the share of violated triplets takes half as long as the step itself (1.1 and 2.2 ms at batch 128);
# with a network in front it is 0.2 % and taken of every batch.
VIOLATED_EVERY = 8
VALIDATION_ROWS = 1024  # rows of the validation part that the pair figures are taken from: 1024^2 distances


def epoch_seed(seed: int, epoch: int) -> int:
    """One seed for each epoch of each run, so that an epoch's randomness does not depend on how it was reached."""
    return int(np.random.SeedSequence([seed, epoch]).generate_state(1, np.uint32)[0])


class MetricModule(lightning.LightningModule):  # type: ignore[misc]
    """An embedding network, a loss and a miner, in the form Lightning's Trainer wants.

    Args:
        network: what is trained.
        loss: ``loss(embeddings, labels, tuples)``; its own parameters, if any, are trained too.
        miner: ``miner(embeddings, labels) -> tuples`` or None.
        recipe: for the optimiser and the augmentation.
        steps: steps of an epoch, times epochs: the length of the schedule.
        seed: of the run.
        cached: whether inputs are backbone features (b, views, d) instead of images uint8 (b, h, w, 3).
        validate: figures of the validation part, given its embeddings; see `Validate`.
        val_gallery: how many of the first validation rows are a gallery for the rest; 0: they are asked of each other.
        val_loss: whether the loss can be computed on validation classes.

    Attributes:
        average: the network with the running average of its weights, where the recipe asks for one; it is what is
            validated and kept.
        memory: embeddings of earlier batches, where the recipe asks for some.
    """

    def __init__(
        self,
        network: EmbeddingNetwork,
        loss: MetricLoss,
        miner: Callable[[Tensor, Tensor], Any] | None,
        recipe: Recipe,
        *,
        steps: int,
        seed: int,
        cached: bool = False,
        validate: Validate | None = None,
        val_gallery: int = 0,
        val_loss: bool = True,
    ) -> None:
        super().__init__()
        self.network = network
        self.loss = loss
        self.miner = miner
        self.recipe = recipe
        self.steps = steps
        self.seed = seed
        self.cached = cached
        self.validate = validate
        self.val_gallery = val_gallery
        self.val_loss = val_loss
        self.augmentation = recipe.augmentation
        self.generator = torch.Generator()
        self._embedded: list[tuple[Tensor, Tensor]] = []
        self.memory = CrossBatchMemory(recipe.loss.memory, network.head.dim) if recipe.loss.memory else None
        self.average = copy.deepcopy(network).requires_grad_(False) if recipe.optimiser.average else None

    def on_train_epoch_start(self) -> None:
        """Seed everything that is random in this epoch (dropout and random mining draw from torch's generator)."""
        torch.manual_seed(epoch_seed(self.seed, self.current_epoch))
        self.generator.manual_seed(epoch_seed(self.seed + 1, self.current_epoch))

    def embed(self, inputs: Tensor, *, training: bool) -> Tensor:
        """Embeddings (b, dim) of a batch of cached features or of images."""
        network = self.network if training or self.average is None else self.average
        if self.cached:
            if training and inputs.shape[1] > 1:
                view = torch.randint(inputs.shape[1], (len(inputs),), generator=self.generator).to(inputs.device)
                inputs = inputs[torch.arange(len(inputs), device=inputs.device), view]
            else:
                inputs = inputs[:, 0]
            embedding: Tensor = network.head(inputs)
            return embedding
        images = inputs.permute(0, 3, 1, 2).float().div_(255)
        if training:
            images = augment(images, self.augmentation, self.generator)
        embedding = network(images)
        return embedding

    def training_step(self, batch: tuple[Tensor, Tensor], number: int) -> Tensor:
        """The loss of one batch."""
        inputs, labels = batch
        embeddings = self.embed(inputs, training=True)
        seen, seen_labels = self.memory.join(embeddings, labels) if self.memory is not None else (embeddings, labels)
        tuples = self.miner(seen.detach(), seen_labels) if self.miner else None
        if self.memory is not None:
            tuples = with_batch_anchors(tuples, seen_labels, len(labels))
            self.memory.store(embeddings, labels)
        loss: Tensor = self.loss(seen, seen_labels, tuples)
        figures = {"train_loss": loss.detach(), **{f"train_{k}": v for k, v in self.loss.stats().items()}}
        if isinstance(self.loss, TripletMarginLoss) and (not self.cached or number % VIOLATED_EVERY == 0):
            figures["train_violated"] = self.loss.violated(embeddings, labels)
        self.log_dict(figures, on_step=False, on_epoch=True, batch_size=len(labels))
        self.live = figures
        return loss

    @torch.no_grad()
    def on_train_batch_end(self, *_: Any) -> None:
        """Move the average a little towards the weights, faster at the beginning, when it knows little yet."""
        if self.average is None:
            return
        share = min(self.recipe.optimiser.average, (1 + self.global_step) / (10 + self.global_step))
        state = self.network.state_dict()
        for name, kept in self.average.state_dict().items():
            if kept.is_floating_point():
                kept.lerp_(state[name], 1 - share)
            else:
                kept.copy_(state[name])

    def validation_step(self, batch: tuple[Tensor, Tensor], _: int) -> None:
        """Embed one batch of the validation part."""
        inputs, labels = batch
        self._embedded.append((self.embed(inputs, training=False).float().cpu(), labels.cpu()))

    def on_validation_epoch_end(self) -> None:
        """Figures of the whole validation part."""
        embeddings = torch.cat([embedding for embedding, _ in self._embedded])
        labels = torch.cat([label for _, label in self._embedded])
        self._embedded.clear()
        if not torch.isfinite(embeddings).all():
            raise DivergedError
        gallery, gallery_labels = embeddings[: self.val_gallery], labels[: self.val_gallery]
        query, query_labels = embeddings[self.val_gallery :], labels[self.val_gallery :]
        # Rows come class by class: what is measured on some of them is measured on a random choice, always the same.
        chosen = np.random.default_rng(0).permutation(len(query))[:VALIDATION_ROWS]
        figures = pair_figures(query[chosen], query_labels[chosen])
        if self.val_loss:
            figures |= self._validation_loss(query[chosen], query_labels[chosen])
        if self.validate:
            gallery_pair = (gallery.numpy(), gallery_labels.numpy()) if self.val_gallery else (None, None)
            found = self.validate(query.numpy(), query_labels.numpy(), *gallery_pair)
            figures |= {f"val_{name}": float(value) for name, value in found.items()}
        self.log_dict(figures)

    def _validation_loss(self, embeddings: Tensor, labels: Tensor) -> dict[str, float]:
        """Mean loss over batches as large as in training; left out for losses that refuse such batches."""
        size = self.recipe.sampler.batch
        total = 0.0
        try:
            for start in range(0, len(embeddings), size):
                rows = slice(start, start + size)
                part = embeddings[rows].to(self.device)
                total += float(self.loss(part, labels[rows].to(self.device), None)) * len(part)
        except (DoppelgramError, RuntimeError) as problem:
            if self.recipe.stopping.monitor == "val_loss":
                raise DoppelgramError(
                    f"the loss cannot be computed on the validation part ({problem}); choose another stopping.monitor"
                ) from None
            return {}
        return {"val_loss": total / len(embeddings)}

    def configure_optimizers(self) -> dict[str, Any]:
        """AdamW or SGD; weight matrices decay, biases, norms and class weights do not."""
        recipe = self.recipe.optimiser
        groups = []
        parts = [(self.network.backbone, recipe.backbone_lr), (self.network.head, 1.0), (self.loss, recipe.loss_lr)]
        if self.network.pooling is not None:
            parts.append((self.network.pooling, 1.0))
        for module, share in parts:
            wanted = [parameter for parameter in module.parameters() if parameter.requires_grad]
            for decay in (True, False):
                chosen = [p for p in wanted if (p.ndim >= 2 and module is not self.loss) == decay]
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


def learning_rate(step: int, steps: int, recipe: OptimiserRecipe) -> float:
    """Share of the full learning rate at a step: a linear warm-up, then half a cosine, or constant."""
    warm = recipe.warmup * steps
    if step < warm:
        return (step + 1) / (warm + 1)
    if recipe.schedule == "constant":
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warm) / max(1.0, steps - warm))))


def pair_figures(embeddings: Tensor, labels: Tensor) -> dict[str, float]:
    """Mean distance of positive and of negative pairs, and the spread: mean distance from the mean embedding."""
    distances = torch.cdist(embeddings, embeddings)
    same = labels[:, None] == labels[None, :]
    negative = distances[~same]
    same.fill_diagonal_(False)
    positive = distances[same]
    figures = {"val_spread": float((embeddings - embeddings.mean(0)).norm(dim=1).mean())}
    if len(positive):
        figures["val_positive_distance"] = float(positive.mean())
    if len(negative):
        figures["val_negative_distance"] = float(negative.mean())
    return figures
