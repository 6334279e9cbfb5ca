"""The embedding network: a backbone and a head that maps its features to a point."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from doppelgram.errors import DoppelgramError
from doppelgram.models.backbones.registry import Backbone

TRAINED = ("full", "last", "head")
# Length of the features that a posterior head is a linear function of.
SCALE = 20.0


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """A network switched to evaluation, and afterwards back to what it was."""
    was_training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(was_training)


class EmbeddingHead(nn.Module):
    """Features (b, inputs) to embeddings (b, dim).

    Args:
        inputs: number of features.
        dim: size of the embedding, 2 to 2,048; that of the features for a head that is not linear.
        linear: whether a linear layer makes the embedding of the features; otherwise the features are it.
        hidden: width of one hidden layer with ReLU before the last; 0 for none.
        dropout: share of features dropped in training.
        batch_norm: whether the embedding is batch-normalised, which keeps margins on one scale when fine-tuning.
        normalise: whether embeddings are scaled to length one.
        posterior: temperature, above 0, at which the ``dim`` numbers are the square roots of class probabilities:
            a softmax over a linear layer on features of length `SCALE`. Such vectors have length one, and their
            Euclidean distance is the Hellinger distance of two class distributions (times the root of two). 0: off.
    """

    def __init__(
        self,
        inputs: int,
        dim: int,
        *,
        linear: bool = True,
        hidden: int = 0,
        dropout: float = 0.0,
        batch_norm: bool = False,
        normalise: bool = True,
        posterior: float = 0.0,
    ) -> None:
        super().__init__()
        dim = dim if linear else inputs
        if not 2 <= dim <= 2048:
            raise DoppelgramError(f"model.dim is {dim}; an embedding has 2 to 2048 numbers")
        self.spec: dict[str, Any] = {
            "dim": dim,
            "hidden": hidden,
            "dropout": dropout,
            "batch_norm": batch_norm,
            "normalise": normalise,
        }
        if posterior:  # heads without one are described as they always were
            self.spec["posterior"] = posterior
        if not linear:
            self.spec["linear"] = False
        layers: list[nn.Module] = []
        if hidden:
            layers += [nn.Linear(inputs, hidden), nn.ReLU(inplace=True)]
        if dropout:
            layers.append(nn.Dropout(dropout))
        if linear:
            layers.append(nn.Linear(hidden or inputs, dim))
        if batch_norm:
            layers.append(nn.BatchNorm1d(dim))
        self.layers = nn.Sequential(*layers)
        self.dim = dim
        self.normalise = normalise
        self.posterior = posterior

    def logits(self, features: Tensor) -> Tensor:
        """What the softmax of a posterior head is taken of, before the temperature, (b, dim)."""
        found: Tensor = self.layers(SCALE * nn.functional.normalize(features.float(), dim=1))
        return found

    def forward(self, features: Tensor) -> Tensor:
        """Embeddings (b, dim); float32 whatever the features are, since distances lose too much in bf16."""
        if self.posterior:
            # half the logarithm's exponential is the square root, without its infinite slope at 0
            return (0.5 * (self.logits(features) / self.posterior).log_softmax(1)).exp()
        embedding: Tensor = self.layers(features).float()
        return nn.functional.normalize(embedding, dim=1) if self.normalise else embedding


class DepthwisePooling(nn.Module):
    """One weight for each place and channel instead of a mean over all places (Chen et al., MobileFaceNets, 2018).

    Where what is shown always stands alike, as in an aligned face, an eye's place tells more than a corner's. Starts
    as the mean.

    Args:
        channels: of the feature map.
        rows, columns: places of the feature map.
    """

    def __init__(self, channels: int, rows: int, columns: int) -> None:
        super().__init__()
        self.spec = {"channels": channels, "rows": rows, "columns": columns}
        self.weight = nn.Parameter(torch.full((channels, rows, columns), 1 / (rows * columns)))
        self.norm = nn.BatchNorm1d(channels)

    def forward(self, maps: Tensor) -> Tensor:
        """Feature maps (b, channels, rows, columns) to features (b, channels)."""
        pooled: Tensor = self.norm((maps * self.weight).sum((2, 3)))
        return pooled


class EmbeddingNetwork(nn.Module):
    """Images in [0, 1], shape (b, 3, h, w), to embeddings (b, dim): normalisation, backbone, head.

    Args:
        backbone: from `make_backbone`.
        head: from `EmbeddingHead` with the backbone's ``dim`` as inputs.
        trained: ``full``, ``last`` (the backbone's last layer and the head) or ``head`` (a frozen backbone).
        frozen_norms: whether the backbone's batch norms keep the statistics they came with while it is trained.
        frozen_layers: how many of the backbone's first layers are left as they are. What comes first in a pretrained
            network sees edges and colours, needs the least change, and costs the most to train, being at full size.
        pooling: what pools the backbone's feature maps instead of the backbone itself; trained with the head.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        backbone: Backbone,
        head: EmbeddingHead,
        trained: str = "full",
        *,
        frozen_norms: bool = False,
        frozen_layers: int = 0,
        pooling: DepthwisePooling | None = None,
    ) -> None:
        super().__init__()
        if pooling is not None and trained == "head":
            raise DoppelgramError("model.pooling is trained with the backbone; it does not go with model.train=head")
        if trained not in TRAINED:
            raise DoppelgramError(f"model.train is '{trained}'; it is one of {', '.join(TRAINED)}")
        self.backbone = backbone
        self.head = head
        self.dim, self.posterior = head.dim, head.posterior
        self.pooling = pooling
        self.trained = trained
        self.frozen_norms = frozen_norms
        layers = backbone.layers_in_order() if frozen_layers else []
        if frozen_layers > len(layers):
            raise DoppelgramError(
                f"model.frozen_layers is {frozen_layers}, but the backbone has {len(layers)} layers; "
                "to freeze all of it set model.train=head"
            )
        self.frozen = layers[:frozen_layers]
        self.register_buffer("mean", torch.tensor(backbone.mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(backbone.std).view(1, 3, 1, 1), persistent=False)
        if trained != "full":
            backbone.requires_grad_(False)
            for module in backbone.last_layer() if trained == "last" else []:
                module.requires_grad_(True)
        for module in self.frozen:
            module.requires_grad_(False)

    def train(self, mode: bool = True) -> EmbeddingNetwork:
        """Switch to training, except the frozen parts: their batch norms keep the statistics they came with."""
        super().train(mode)
        if mode and self.trained != "full":
            self.backbone.eval()
            for module in self.backbone.last_layer() if self.trained == "last" else []:
                module.train()
        for module in self.frozen if mode else []:
            module.eval()
        for module in self.backbone.modules() if mode and self.frozen_norms else []:
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self

    def features(self, images: Tensor) -> Tensor:
        """Backbone features (b, backbone.dim) of images in [0, 1]."""
        images = (images - self.mean) / self.std
        if self.backbone.convolutional:
            images = images.contiguous(memory_format=torch.channels_last)
        features: Tensor = self.backbone(images) if self.pooling is None else self.pooling(self.backbone.maps(images))
        return features

    def forward(self, images: Tensor) -> Tensor:
        """Embeddings (b, dim) of images in [0, 1]."""
        embedding: Tensor = self.head(self.features(images))
        return embedding
