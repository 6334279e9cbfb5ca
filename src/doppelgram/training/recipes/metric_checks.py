"""Which losses, miners and samplers go together, found out before any image is read."""

from __future__ import annotations

from doppelgram.errors import DoppelgramError
from doppelgram.learning.losses import MetricLoss
from doppelgram.learning.registry import make_loss, make_miner
from doppelgram.training.recipes.schema import MetricRecipe


def shuffles(recipe: MetricRecipe, loss: MetricLoss) -> bool:
    """Whether the batches of a recipe are random rows instead of groups of a class."""
    return recipe.sampler.name == "shuffle" or (recipe.sampler.name == "auto" and loss.needs_classes)


def _loss(recipe: MetricRecipe) -> MetricLoss:
    return make_loss(recipe.loss.name, embedding_dim=recipe.model.dim, classes=2, params=recipe.loss.params)


def unused_by_loss(recipe: MetricRecipe) -> dict[str, str]:
    """Keys that the chosen loss and sampler leave without effect, and why; only where they are not at their defaults.

    A recipe that was written out has every key, so that a default says nothing about what somebody wanted.
    """
    loss = _loss(recipe)
    found: dict[str, str] = {}
    if recipe.loss.cross_batch and (loss.needs_classes or not loss.takes_tuples):
        found["loss.cross_batch"] = f"{loss.title} compares no pairs of images"
    default = MetricRecipe()
    if recipe.optimiser.loss_lr != default.optimiser.loss_lr and not list(loss.parameters()):
        found["optimiser.loss_lr"] = f"{loss.title} has no weights of its own"
    if shuffles(recipe, loss):
        if recipe.sampler.per_class != default.sampler.per_class:
            found["sampler.per_class"] = "batches of random images are not made of groups of a class"
    elif recipe.sampler.min_per_class:
        found["sampler.min_per_class"] = "it goes with sampler.name=shuffle; groups of a class are filled up anyway"
    return found


def check_recipe(recipe: MetricRecipe) -> None:
    """Refuse a loss, miner or sampler that cannot be used, before any image is read; raises DoppelgramError."""
    loss = _loss(recipe)
    make_miner(recipe.miner.name or None, params=recipe.miner.params, loss=loss)
    for key, why in unused_by_loss(recipe).items():
        raise DoppelgramError(f"{key} has no effect here: {why}; leave it out")
    sampler = recipe.sampler
    if not shuffles(recipe, loss) and sampler.batch < 2 * sampler.per_class:
        raise DoppelgramError(
            f"a batch of {sampler.batch} holds fewer than two classes of sampler.per_class={sampler.per_class}; "
            "raise sampler.batch or lower sampler.per_class"
        )
