"""A small model with random weights, and pixels for it."""

from __future__ import annotations

import numpy as np
import torch

from doppelgram.images.framing import Framing
from doppelgram.models.backbones.registry import SmallNet
from doppelgram.models.model import Model
from doppelgram.models.networks.embedding import EmbeddingHead, EmbeddingNetwork
from doppelgram.models.towers import ImageTower

PIXELS = np.random.default_rng(0).integers(0, 256, (19, 32, 32, 3), dtype=np.uint8)


def small_model(*, normalise: bool = True, mirror: bool = False, copies: int = 1) -> Model:
    torch.manual_seed(0)
    backbone = SmallNet(width=4)
    head = EmbeddingHead(backbone.dim, 8, normalise=normalise)
    return Model(ImageTower(EmbeddingNetwork(backbone, head).eval(), Framing(32), mirror, copies=copies))
