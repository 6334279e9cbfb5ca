"""Embeddings of images that are in memory: framing, the short way through a frozen backbone, calibration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from doppelgram.console import Progress
from doppelgram.dataset.loading import Images
from doppelgram.errors import DoppelgramError
from doppelgram.evaluation.space_fit import calibrate_embedding
from doppelgram.evaluation.task import EmbeddedSet
from doppelgram.images.augmentation import Augmentation
from doppelgram.images.framing import Framing
from doppelgram.models.model import Model
from doppelgram.models.networks.embedding import EmbeddingNetwork
from doppelgram.training.features import Features, cached_features
from doppelgram.training.recipes.schema import MetricRecipe
from doppelgram.weights import cache_folder


def make_framing(recipe: MetricRecipe) -> Framing:
    """How a recipe wants photographs cut and resized."""
    return Framing(recipe.data.size, recipe.data.crop or None, recipe.data.resize, recipe.data.face)


def embed_rows(
    model: Model,
    images: Images,
    rows: np.ndarray[Any, Any],
    features: Features | None = None,
    *,
    progress: Callable[[int], None] | None = None,
) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Embeddings (m, dim) of some of the images, by way of their features where those are known.

    Features serve a model that was trained on them: its backbone is then as it was, and only the head is left to do.
    """
    if features is None or model.tower.mirror or model.tower.copies > 1:
        return model.embed_pixels(images.pixels[rows], progress=progress)
    with torch.inference_mode():
        head = model.tower.network.eval().head
        found = np.asarray(head(torch.from_numpy(np.ascontiguousarray(features[rows, 0]))).numpy(), dtype=np.float32)
    if progress:
        progress(len(rows))
    return found


def frozen_features(
    recipe: MetricRecipe, network: EmbeddingNetwork, images: Images, framing: Framing, progress: Progress
) -> Features:
    """Features (n, copies, d) of all images through a recipe's frozen backbone; kept in the user's cache."""
    copies, augmentation = recipe.augment.copies, recipe.augment.changes
    if copies == 1:
        augmentation = Augmentation()
    with progress.bar("embedding once", len(images.hashes)) as advance:
        folder = cache_folder() / "features"
        return cached_features(
            network,
            images.pixels,
            images.hashes,
            framing,
            folder,
            augmentation=augmentation,
            copies=copies,
            progress=advance,
        )


def calibrate(
    model: Model, val: EmbeddedSet, gallery: EmbeddedSet | None = None, *, seed: int, progress: Progress
) -> None:
    """Fit the model's calibration on the validation part; leaves it out, and says so, where that cannot be.

    Arguments are those of `calibrate_embedding`.
    """
    try:
        model.calibration = calibrate_embedding(val, gallery, fitted_on="val", seed=seed)
    except DoppelgramError as problem:
        progress.warning(f"the model is not calibrated: {problem}")
