"""The task `metric`: embed, mine, lose; validated by retrieval and by the distances of pairs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from doppelgram.errors import DivergedError, DoppelgramError
from doppelgram.images.augment import augment_by, draw_changes
from doppelgram.learning.cross_batch_memory import CrossBatchMemory, with_batch_anchors
from doppelgram.learning.losses import MetricLoss, TripletMarginLoss
from doppelgram.learning.registry import make_loss, make_miner
from doppelgram.learning.samplers import MPerClassSampler, ShuffleSampler
from doppelgram.models.networks.embedding import EmbeddingNetwork
from doppelgram.training.data import Part
from doppelgram.training.optimisation import decayed_groups, group
from doppelgram.training.recipes.metric_checks import shuffles
from doppelgram.training.recipes.schema import MetricRecipe
from doppelgram.training.task import BatchPlan, Index, Task
from doppelgram.training.tasks.first_layers import later_features

# (embeddings, labels, gallery or None, gallery labels or None) -> figures by name
Validate = Callable[[np.ndarray[Any, Any], np.ndarray[Any, Any], Any, Any], Mapping[str, float]]
# On cached features the share of violated triplets takes half as long as the step itself (1.1 and 2.2 ms at batch 128);
# with a network in front it is 0.2 % and taken of every batch.
VIOLATED_EVERY = 8
VALIDATION_ROWS = 1024  # rows of the validation part that the pair figures are taken from: 1024^2 distances
VALIDATION_BATCH = 256
GALLERY_ROWS, GALLERY_PER_CLASS = 2000, 5


class MetricTask(Task):
    """An embedding network trained by a loss on the distances in a batch.

    Args:
        network: what is trained.
        train: training part; class codes 0 to classes - 1.
        val: validation part with codes of the same numbering (classes unseen in training come after), or None.
        recipe: loss, miner, sampler, optimiser and augmentation.
        seed: of the run.
        validate: figures of the validation part, given its embeddings; see `Validate`.

    Attributes:
        loss: its own parameters, if it has any, are trained too.
        memory: embeddings of earlier batches, where the recipe asks for a cross-batch memory.
        validates: whether there are validation images, and any of them has another of its class to find.
    """

    network: EmbeddingNetwork

    def __init__(
        self,
        network: EmbeddingNetwork,
        train: Part,
        val: Part | None,
        recipe: MetricRecipe,
        *,
        seed: int = 0,
        validate: Validate | None = None,
    ) -> None:
        classes = int(train.codes.max()) + 1
        torch.manual_seed(seed)  # the loss may draw class weights
        loss = make_loss(recipe.loss.name, embedding_dim=network.head.dim, classes=classes, params=recipe.loss.params)
        super().__init__(network, make_plan(recipe, loss, train.codes, seed), recipe.optimiser, seed)
        self.loss = loss
        self.miner = make_miner(recipe.miner.name or None, params=recipe.miner.params, loss=loss)
        self.recipe = recipe
        self.augmentation = recipe.augment.changes
        self.memory = CrossBatchMemory(recipe.loss.cross_batch, network.head.dim) if recipe.loss.cross_batch else None
        self.margin = loss.margin if isinstance(loss, TripletMarginLoss) and not loss.soft else None
        self.part = train
        # See `Part.inputs`: features have three axes, maps of the first layers five.
        self.cached, self.kept_maps = train.inputs.ndim in (3, 5), train.inputs.ndim == 5
        self.queries: Part | None = None
        self.gallery = 0
        if val is not None and len(val):
            self.queries, self.gallery = _validation(train, val)
        unseen = self.queries is not None and int(self.queries.codes.max()) >= classes
        self.validates_loss = not (unseen and loss.needs_classes)
        self.validates = self.queries is not None and (
            self.gallery > 0 or int(np.bincount(self.queries.codes).max()) > 1
        )
        self.retrieval = validate
        if network.backbone.convolutional and not self.cached:
            self.to(memory_format=torch.channels_last)
        frozen = tuple(f"{name}." for name, module in network.named_modules() if module in network.frozen)
        self.not_saved = frozen if self.kept_maps else ("backbone.",) if self.cached else ()

    def embed(self, inputs: Tensor, *, training: bool) -> Tensor:
        """Embeddings (b, dim) of the training part's inputs; in training of this process's share of a batch."""
        network: Any = self.network if training else self.kept
        if self.cached:
            if training and inputs.shape[1] > 1:
                drawn = torch.randint(inputs.shape[1], (self.joint.count,), generator=self.generator)
                copy = self.joint.own(drawn).to(inputs.device)
                inputs = inputs[torch.arange(len(inputs), device=inputs.device), copy]
            else:
                inputs = inputs[:, 0]
            if self.kept_maps:
                maps = inputs.float().contiguous(memory_format=torch.channels_last)
                inputs = later_features(network, self.recipe.model.frozen_layers, maps)
            embedding: Tensor = network.head(inputs)
            return embedding
        images = inputs.permute(0, 3, 1, 2).float().div_(255)
        if training:
            drawn = draw_changes(self.joint.count, self.generator)
            images = augment_by(images, self.augmentation, self.joint.own(drawn))
        embedding = network(images)
        return embedding

    def batch_loss(self, batch: Tensor, number: int) -> tuple[Tensor, dict[str, Any]]:
        """The loss of one batch of rows, with the loss's own figures and the share of violated triplets.

        Of several processes each embeds its share of the rows; miner, memory and loss see all of them in each.
        """
        rows = batch.cpu().numpy()
        inputs, _ = self.part.batch(self.joint.share(rows), self.device)
        labels = torch.from_numpy(self.part.codes[rows]).to(self.device)
        embeddings = self.joint.gather(self.embed(inputs, training=True))
        seen, seen_labels = self.memory.join(embeddings, labels) if self.memory is not None else (embeddings, labels)
        tuples = self.miner(seen.detach(), seen_labels)
        if self.memory is not None:
            tuples = with_batch_anchors(tuples, seen_labels, len(labels))
            self.memory.store(embeddings, labels)
        loss: Tensor = self.loss(seen, seen_labels, tuples)
        figures = {f"train_{name}": value for name, value in self.loss.stats().items()}
        if isinstance(self.loss, TripletMarginLoss) and (not self.cached or number % VIOLATED_EVERY == 0):
            figures["train_violated"] = self.loss.violated(embeddings, labels)
        return loss, figures

    def validate(self) -> dict[str, float]:
        """Distances of pairs, the loss where it can be computed, and retrieval of the validation part."""
        rows = self.queries
        if rows is None:
            return {}
        starts = range(0, len(rows), VALIDATION_BATCH)
        parts = self.joint.each(starts, partial(self._embedded, rows))
        embeddings, labels = torch.cat(parts), torch.from_numpy(rows.codes)
        if not torch.isfinite(embeddings).all():
            raise DivergedError
        gallery, gallery_labels = embeddings[: self.gallery], labels[: self.gallery]
        query, query_labels = embeddings[self.gallery :], labels[self.gallery :]
        # Rows come class by class: what is measured on some of them is measured on a random choice, always the same.
        chosen = np.random.default_rng(0).permutation(len(query))[:VALIDATION_ROWS]
        figures = pair_figures(query[chosen], query_labels[chosen])
        if self.validates_loss:
            figures |= self._validation_loss(query[chosen], query_labels[chosen])
        if self.retrieval:
            gallery_pair = (gallery.numpy(), gallery_labels.numpy()) if self.gallery else (None, None)
            found = self.retrieval(query.numpy(), query_labels.numpy(), *gallery_pair)
            figures |= {f"val_{name}": float(value) for name, value in found.items()}
        return figures

    def _embedded(self, rows: Part, start: int) -> Tensor:
        """Embeddings of some of the rows as they are validated, from ``start`` on, in the processor's memory."""
        inputs, _ = rows.batch(np.arange(start, min(start + VALIDATION_BATCH, len(rows))), self.device)
        return self.embed(inputs, training=False).float().cpu()

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

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Weight matrices decay; biases, norms and the loss's class weights do not."""
        network, optimiser = self.network, self.recipe.optimiser
        groups = decayed_groups(
            [(network.backbone.parameters(), optimiser.backbone_lr), (network.head.parameters(), 1.0)], optimiser
        )
        of_loss = group(self.loss.parameters(), optimiser.loss_lr, optimiser, decay=False)
        groups += [of_loss] if of_loss["params"] else []
        if network.pooling is not None:
            groups += decayed_groups([(network.pooling.parameters(), 1.0)], optimiser)
        return groups


def make_plan(recipe: MetricRecipe, loss: MetricLoss, codes: Index, seed: int) -> BatchPlan:
    """The sampler that the recipe asks for; ``auto`` shuffles for losses that carry class weights of their own."""
    sampler = recipe.sampler
    batch = min(sampler.batch, max(2, len(codes)))
    if shuffles(recipe, loss):
        return ShuffleSampler(codes, batch, seed, sampler.min_per_class)
    # Fewer images than a batch has: fewer of each class, so that there still are two classes.
    per_class = min(sampler.per_class, max(1, batch // 2))
    return MPerClassSampler(codes, batch // per_class, per_class, seed)


def _validation(train: Part, val: Part) -> tuple[Part, int]:
    """The rows that are embedded after each epoch, and how many of the first are a gallery.

    Validation images are searched among each other, which costs nothing extra, unless most of them have no sibling
    there; then a few training images of each class come first as the gallery.
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
