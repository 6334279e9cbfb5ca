"""Untrained networks from recipes; their random weights follow from the seed."""

from __future__ import annotations

from pathlib import Path

import torch

from doppelgram.errors import DoppelgramError
from doppelgram.models.backbones.registry import Backbone, make_backbone
from doppelgram.models.networks.embedding import DepthwisePooling, EmbeddingHead, EmbeddingNetwork
from doppelgram.training.recipes.sections import Backbone as BackboneSection
from doppelgram.training.recipes.sections import Network


def make_network(settings: Network, size: int, weights: Path | None, seed: int) -> EmbeddingNetwork:
    """The embedding network of a recipe.

    Args:
        settings: section ``model``.
        size: side of the images in pixels.
        weights: folder to look pretrained weights up in.
        seed: of the random weights.

    Raises:
        DoppelgramError: weights are missing, or the backbone cannot take such images.
    """
    torch.manual_seed(seed)
    if weights is not None and not weights.expanduser().is_dir():
        raise DoppelgramError(f"{weights}: there is no such folder of weights")
    backbone = recipe_backbone(settings, weights)
    try:
        with torch.inference_mode():
            image = torch.zeros(1, 3, size, size)
            backbone.eval()(image)
            positions = tuple(backbone.maps(image).shape[2:]) if settings.pooling else ()
    except (RuntimeError, ValueError) as problem:
        reason = str(problem).splitlines()[0]
        raise DoppelgramError(
            f"backbone '{settings.backbone}' cannot take images of data.size={size}: {reason}"
        ) from None
    head = EmbeddingHead(
        backbone.dim,
        settings.dim,
        linear=settings.linear,
        hidden=settings.hidden,
        dropout=settings.dropout,
        batch_norm=settings.batch_norm,
        normalise=settings.normalise,
    )
    return EmbeddingNetwork(
        backbone,
        head,
        settings.train,
        frozen_norms=settings.frozen_norms,
        frozen_layers=settings.frozen_layers,
        pooling=DepthwisePooling(backbone.dim, *positions) if settings.pooling else None,
    )


def recipe_backbone(settings: BackboneSection, weights: Path | None) -> Backbone:
    """The backbone that a section of a recipe names; its random weights follow from torch's generator."""
    return make_backbone(settings.backbone, pretrained=settings.pretrained, weights=weights, stride=settings.stride)
