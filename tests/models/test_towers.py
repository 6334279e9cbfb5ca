from __future__ import annotations

import numpy as np
import pytest
import torch

from doppelgram.errors import DoppelgramError
from doppelgram.images.framing import Framing
from doppelgram.models.backbones.backbone import SmallNet
from doppelgram.models.fusion import fused, fused_dim
from doppelgram.models.networks.embedding import SCALE, EmbeddingHead, EmbeddingNetwork
from doppelgram.models.networks.keypoints import PoseTower
from doppelgram.models.towers import ImageTower, KeypointTower, unit


def expert(weight: float = 1.0) -> KeypointTower:
    """A tower that gives class probabilities."""
    return KeypointTower(PoseTower(3, posterior=1.0), weight)


def roots(*rows: list[float]) -> np.ndarray:
    return np.sqrt(np.array(rows, dtype=np.float32))


def test_experts_are_multiplied() -> None:
    a, b = roots([0.5, 0.3, 0.2], [0.1, 0.1, 0.8]), roots([0.2, 0.6, 0.2], [0.7, 0.2, 0.1])
    found = fused([a, b], [expert(1.0), expert(0.5)])
    expected = (a**2) * (b**2) ** 0.5
    np.testing.assert_allclose(found**2, expected / expected.sum(1, keepdims=True), rtol=1e-5)


def test_an_expert_that_says_nothing_changes_nothing() -> None:
    a, silent = roots([0.5, 0.3, 0.2], [0.1, 0.1, 0.8]), np.zeros((2, 3), dtype=np.float32)
    np.testing.assert_allclose(fused([a, silent], [expert(), expert()]), a, rtol=1e-5)
    assert not fused([silent, silent], [expert(), expert()]).any()


def test_others_stand_beside_the_experts() -> None:
    a, other = roots([0.5, 0.5], [0.9, 0.1]), np.array([[1.0, 0.0, 0.0], [0.0, 0.6, 0.8]], dtype=np.float32)
    found = fused([other, a, a], [KeypointTower(PoseTower(), 0.5), expert(), expert()])
    assert found.shape == (2, 5)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(found[:, 2:], axis=1), 0.5 / np.sqrt(1.25), rtol=1e-6)


def test_the_head_gives_roots_of_probabilities_of_features_of_one_length() -> None:
    torch.manual_seed(0)
    head = EmbeddingHead(8, 5, posterior=1.0).eval()
    features = torch.randn(3, 8)
    logits = head.layers(SCALE * features / features.norm(dim=1, keepdim=True))
    torch.testing.assert_close(head(features) ** 2, logits.softmax(1))
    torch.testing.assert_close(head(features), head(7 * features))
    assert "posterior" not in EmbeddingHead(8, 5).spec
    assert EmbeddingHead(8, **head.spec).posterior == 1.0


def test_experts_must_agree_on_the_classes() -> None:
    backbone = SmallNet(width=4)
    head = EmbeddingHead(backbone.dim, 6, posterior=1.0)
    person = ImageTower(EmbeddingNetwork(backbone, head), Framing(32), sees="person")
    points = KeypointTower(PoseTower(6, posterior=1.0))
    assert fused_dim([person, points, KeypointTower(PoseTower(9))]) == 15
    with pytest.raises(DoppelgramError, match="of 5 and 6 classes"):
        fused_dim([person, KeypointTower(PoseTower(5, posterior=1.0))])


@pytest.mark.parametrize("mirror", [False, True])
def test_an_embedding_does_not_depend_on_what_was_embedded_before(mirror: bool) -> None:
    torch.manual_seed(0)
    backbone = SmallNet(width=4)
    network = EmbeddingNetwork(backbone, EmbeddingHead(backbone.dim, 6, posterior=0.5))
    pixels = np.random.default_rng(0).integers(0, 256, (70, 32, 32, 3)).astype(np.uint8)
    few, many = (ImageTower(network, Framing(32), mirror, "place") for _ in range(2))
    first = few.embed(pixels[:1])
    everything = many.embed(pixels)
    np.testing.assert_array_equal(few.embed(pixels[:1]), first)
    np.testing.assert_array_equal(few.embed(pixels), everything)
    np.testing.assert_array_equal(many.embed(pixels[:1]), first)
    np.testing.assert_allclose(everything[:1], first, atol=1e-6)
    np.testing.assert_allclose(unit(many.embed_by_torch(pixels)), everything, atol=1e-4)
