from __future__ import annotations

import pytest
import torch

from doppelgram.models.backbones.registry import make_backbone
from doppelgram.models.networks.embedding import EmbeddingHead, EmbeddingNetwork
from doppelgram.models.networks.pairs import PairHead, PairNetwork, PoseMaskNet


def tower(trained: str = "full") -> EmbeddingNetwork:
    backbone = make_backbone("small")
    return EmbeddingNetwork(backbone, EmbeddingHead(backbone.dim, 8, normalise=False), trained)


def test_a_pair_has_no_order_once_trained() -> None:
    torch.manual_seed(0)
    head = PairHead(6, 5, 0.5).eval()
    a, b = torch.randn(7, 6), torch.randn(7, 6)
    assert torch.equal(head(a, b), head(b, a))
    assert head(a, b).shape == (7,)
    both = (head.layers(torch.cat([a, b], 1)) + head.layers(torch.cat([b, a], 1)))[:, 0] / 2
    torch.testing.assert_close(head(a, b), both)


def test_in_training_pairs_come_in_either_order() -> None:
    torch.manual_seed(0)
    head = PairHead(6, 5, 0.0).train()
    a, b = torch.randn(1, 6).expand(40, 6), torch.randn(1, 6).expand(40, 6)
    ways = {round(float(logit), 5) for logit in head(a, b).detach()}
    orders = {round(float(head.layers(torch.cat(pair, 1))[0, 0].detach()), 5) for pair in ((a, b), (b, a))}
    assert ways == orders
    assert len(ways) == 2


def test_features_stand_for_photographs_of_a_frozen_backbone() -> None:
    torch.manual_seed(0)
    network = PairNetwork(tower("head"), None, 5, 0.1).eval()
    images = torch.rand(3, 3, 32, 32)
    described = network.describe(images)
    torch.testing.assert_close(described, network.describe(network.tower.features(images)))
    assert described.shape == (3, 8)
    assert (described >= 0).all()


def test_the_pose_mask_is_told_by_where_limbs_lie() -> None:
    torch.manual_seed(0)
    network = PairNetwork(tower(), PoseMaskNet(dim=4), 5, 0.1).eval()
    images = torch.rand(1, 3, 32, 32).expand(2, 3, 32, 32)
    masks = torch.zeros(2, 3, 64, 64)
    masks[0, :, 5:20, 5:9] = 1
    masks[1, :, 40:55, 50:54] = 1  # the same limb elsewhere
    described = network.describe(images, masks)
    assert described.shape == (2, 12)
    torch.testing.assert_close(described[0, :8], described[1, :8])
    assert (described[0, 8:] - described[1, 8:]).abs().max() > 1e-4
    with pytest.raises(ValueError, match="needs their masks"):
        network.describe(images)
