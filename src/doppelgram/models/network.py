"""The embedding network: a backbone and a head that maps its features to a point."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from doppelgram.errors import DoppelgramError
from doppelgram.models.backbones import Backbone

TRAINED = ("full", "last", "head")


class EmbeddingHead(nn.Module):
    """Features (b, inputs) to embeddings (b, dim).

    Args:
        inputs: number of features.
        dim: size of the embedding, 2 to 2,048.
        hidden: width of one hidden layer with ReLU before the last; 0 for none.
        dropout: share of features dropped in training.
        batch_norm: whether the embedding is batch-normalised, which keeps margins on one scale when fine-tuning.
        normalise: whether embeddings are scaled to length one.
    """

    def __init__(
        self,
        inputs: int,
        dim: int,
        *,
        hidden: int = 0,
        dropout: float = 0.0,
        batch_norm: bool = False,
        normalise: bool = True,
    ) -> None:
        super().__init__()
        if not 2 <= dim <= 2048:
            raise DoppelgramError(f"model.dim is {dim}; an embedding has 2 to 2048 numbers")
        self.spec: dict[str, Any] = {
            "dim": dim, "hidden": hidden, "dropout": dropout, "batch_norm": batch_norm, "normalise": normalise,
        }  # fmt: skip
        layers: list[nn.Module] = []
        if hidden:
            layers += [nn.Linear(inputs, hidden), nn.ReLU(inplace=True)]
        if dropout:
            layers.append(nn.Dropout(dropout))
        layers.append(nn.Linear(hidden or inputs, dim))
        if batch_norm:
            layers.append(nn.BatchNorm1d(dim))
        self.layers = nn.Sequential(*layers)
        self.dim = dim
        self.normalise = normalise

    def forward(self, features: Tensor) -> Tensor:
        """Embeddings (b, dim); float32 whatever the features are, since distances lose too much in bf16."""
        embedding: Tensor = self.layers(features).float()
        return nn.functional.normalize(embedding, dim=1) if self.normalise else embedding


class EmbeddingNetwork(nn.Module):
    """Images in [0, 1], shape (b, 3, h, w), to embeddings (b, dim): normalisation, backbone, head.

    Args:
        backbone: from `make_backbone`.
        head: from `EmbeddingHead` with the backbone's ``dim`` as inputs.
        trained: ``full``, ``last`` (the backbone's last layer and the head) or ``head`` (a frozen backbone).
        frozen_norms: whether the backbone's batch norms keep the statistics they came with while it is trained.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self, backbone: Backbone, head: EmbeddingHead, trained: str = "full", *, frozen_norms: bool = False
    ) -> None:
        super().__init__()
        if trained not in TRAINED:
            raise DoppelgramError(f"model.train is '{trained}'; it is one of {', '.join(TRAINED)}")
        self.backbone = backbone
        self.head = head
        self.trained = trained
        self.frozen_norms = frozen_norms
        self.register_buffer("mean", torch.tensor(backbone.mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(backbone.std).view(1, 3, 1, 1), persistent=False)
        if trained != "full":
            backbone.requires_grad_(False)
            for module in backbone.last_layer() if trained == "last" else []:
                module.requires_grad_(True)

    def train(self, mode: bool = True) -> EmbeddingNetwork:
        """Switch to training, except the frozen parts: their batch norms keep the statistics they came with."""
        super().train(mode)
        if mode and self.trained != "full":
            self.backbone.eval()
            for module in self.backbone.last_layer() if self.trained == "last" else []:
                module.train()
        for module in self.backbone.modules() if mode and self.frozen_norms else []:
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self

    def features(self, images: Tensor) -> Tensor:
        """Backbone features (b, backbone.dim) of images in [0, 1]."""
        images = (images - self.mean) / self.std
        if self.backbone.convolutional:
            images = images.contiguous(memory_format=torch.channels_last)
        features: Tensor = self.backbone(images)
        return features

    def forward(self, images: Tensor) -> Tensor:
        """Embeddings (b, dim) of images in [0, 1]."""
        embedding: Tensor = self.head(self.features(images))
        return embedding
