"""Grad-CAM of a pair, beside closed forms and in cases where the answer is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from doppelgram.errors import DoppelgramError
from doppelgram.images.framing import Framing
from doppelgram.models.backbones.backbone import VGG16, Backbone, SmallNet
from doppelgram.models.backbones.registry import rebuild_backbone
from doppelgram.models.fusion import fused
from doppelgram.models.networks.embedding import DepthwisePooling, EmbeddingHead, EmbeddingNetwork
from doppelgram.models.networks.masked import MaskedPooling
from doppelgram.models.place_tower import MaskedTower
from doppelgram.models.towers import ImageTower, unit
from doppelgram.saliency.gradient import by_gradient, contributions, held

RNG = np.random.default_rng(0)
SQUARES = RNG.integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)


class Linear(Backbone):
    """One convolution of eight pixels and nothing else: every place of its map is a linear function of its patch."""

    def __init__(self) -> None:
        super().__init__()
        self.spec = {"kind": "linear"}
        self.dim = 5
        self.conv = nn.Conv2d(3, 5, 8, 8)

    def maps(self, x: Tensor) -> Tensor:
        found: Tensor = self.conv(x)
        return found

    def forward(self, x: Tensor) -> Tensor:
        return self.maps(x).mean((2, 3))

    def layers_in_order(self) -> list[nn.Module]:
        return [self.conv]


def tower_of(backbone: Backbone, *, mirror: bool = False, **head: float) -> ImageTower:
    torch.manual_seed(1)
    settings = {"dim": 7, **head}
    network = EmbeddingNetwork(backbone, EmbeddingHead(backbone.dim, **settings))  # type: ignore[arg-type]
    return ImageTower(network.eval(), Framing(32), mirror)


def features_by_place(network: Linear, squares: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The map (2, 4, 4, 5), by a loop over patches."""
    weight = network.conv.weight.detach().double().numpy()
    bias = network.conv.bias.detach().double().numpy()  # type: ignore[union-attr]
    images = squares.astype(np.float64) / 255
    found = np.empty((2, 4, 4, 5))
    for row in range(4):
        for column in range(4):
            patch = images[:, 8 * row : 8 * row + 8, 8 * column : 8 * column + 8]
            found[:, row, column] = np.einsum("nhwc,kchw->nk", patch, weight) + bias
    return found


def test_a_linear_network_has_its_closed_form() -> None:
    """Of mean pooling and a last layer: each place's product with the other embedding, over places and own length."""
    torch.manual_seed(0)
    backbone = Linear()
    backbone.mean, backbone.std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    tower = tower_of(backbone)
    layer = tower.network.head.layers[0]
    weight, bias = layer.weight.detach().double().numpy(), layer.bias.detach().double().numpy()
    places = features_by_place(backbone, SQUARES) @ weight.T + bias  # (2, 4, 4, 7)
    whole = places.mean((1, 2))
    lengths = np.linalg.norm(whole, axis=1)
    unit = whole / lengths[:, None]
    expected = [(places[own] @ unit[1 - own]) / lengths[own] / 16 for own in (0, 1)]
    found = contributions([tower], [SQUARES])
    assert found is not None
    np.testing.assert_allclose(found.maps[0], expected, atol=1e-5)
    assert found.similarity == pytest.approx(float(unit[0] @ unit[1]), abs=1e-5)


def test_with_a_mask_and_a_centre_it_has_its_closed_form() -> None:
    """Covered places count as little as the pooling lets them, and what is subtracted is shared out likewise."""
    torch.manual_seed(0)
    backbone = Linear()
    backbone.mean, backbone.std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    covered = np.zeros((2, 32, 32, 1), np.uint8)
    covered[0, :16, :16] = 255
    covered[1, 8:16, 24:] = 128
    centre = np.array([0.1, -0.2, 0.3, 0.0, 0.05])
    places = features_by_place(backbone, SQUARES)
    share = covered[..., 0].reshape(2, 4, 8, 4, 8).mean((2, 4)) / 255
    weight = (1 - share) ** 2 + 1e-3
    weight /= weight.sum((1, 2), keepdims=True)
    raw = (places * weight[..., None]).sum((1, 2))
    long = np.linalg.norm(raw, axis=1)
    moved = raw / long[:, None] - centre
    lengths = np.linalg.norm(moved, axis=1)
    unit = moved / lengths[:, None]
    expected = [
        weight[own] * (places[own] @ unit[1 - own] / long[own] - centre @ unit[1 - own]) / lengths[own]
        for own in (0, 1)
    ]
    tower = MaskedTower(MaskedPooling(backbone).eval(), Framing(32))
    found = contributions([tower], [np.concatenate([SQUARES, covered], axis=3)], fuse=True, centre=centre)
    assert found is not None
    np.testing.assert_allclose(found.maps[0], expected, atol=1e-5)
    assert np.abs(found.maps[0][0][:2, :2]).max() < 0.01 * np.abs(found.maps[0][0]).max()


@pytest.mark.parametrize(
    "settings", [{}, {"hidden": 9}, {"batch_norm": True}, {"normalise": False}, {"posterior": 4.0}]
)
@pytest.mark.parametrize("mirror", [False, True])
def test_the_similarity_is_that_of_the_embeddings_and_the_sum_of_its_parts(
    settings: dict[str, float], mirror: bool
) -> None:
    torch.manual_seed(0)
    tower = tower_of(SmallNet(width=4), mirror=mirror, **settings)
    found = contributions([tower], [SQUARES])
    assert found is not None
    a, b = unit(tower.embed_by_torch(SQUARES)).astype(np.float64)
    assert found.similarity == pytest.approx(float(a @ b), abs=1e-4)
    if "posterior" not in settings:
        np.testing.assert_allclose(found.maps[0].sum((1, 2)), found.similarity, atol=1e-4)


def test_what_is_held_is_what_the_head_gives() -> None:
    features = torch.randn(3, 6, generator=torch.Generator().manual_seed(0))
    for settings in ({}, {"normalise": False}, {"hidden": 4, "dropout": 0.5}, {"posterior": 3.0}, {"linear": False}):
        head = EmbeddingHead(6, 5, **settings).eval()  # type: ignore[arg-type]
        torch.testing.assert_close(held(head, features)[1], head(features))


def test_several_towers_are_joined_as_the_model_joins_them() -> None:
    torch.manual_seed(0)
    towers = [
        tower_of(SmallNet(width=4), posterior=3.0),
        tower_of(SmallNet(width=4), posterior=2.0),
        tower_of(SmallNet(width=4)),
    ]
    towers[1].weight, towers[2].weight = 0.5, 0.7
    found = contributions(towers, [SQUARES] * 3, fuse=True)
    assert found is not None
    a, b = fused([unit(tower.embed_by_torch(SQUARES)) for tower in towers], towers).astype(np.float64)
    assert found.similarity == pytest.approx(float(a @ b), abs=1e-4)
    assert [each.shape for each in found.maps] == [(2, 2, 2)] * 3


@pytest.mark.parametrize("backbone", ["small", "vgg16", "mobilenet_v2", "resnet", "depthwise"])
def test_equal_photographs_have_equal_maps_and_a_mirror_image_the_mirrored_one(backbone: str) -> None:
    torch.manual_seed(0)
    pooling = None
    if backbone == "depthwise":
        made: Backbone = SmallNet(width=4)
        pooling = DepthwisePooling(made.dim, 4, 4)
    elif backbone in ("small", "vgg16"):
        made = SmallNet(width=4) if backbone == "small" else VGG16()
    else:
        small = {
            "resnet": {"depths": [1, 1], "hidden_sizes": [16, 32], "embedding_size": 16},
            "mobilenet_v2": {"depth_multiplier": 0.25},
        }
        made = rebuild_backbone({"kind": "transformers", "model_type": backbone, "config": small[backbone]})
    network = EmbeddingNetwork(made, EmbeddingHead(made.dim, 7), pooling=pooling).eval()
    square = np.random.default_rng(3).integers(0, 256, (1, 64, 64, 3), dtype=np.uint8)
    found = contributions([ImageTower(network, Framing(64))], [np.repeat(square, 2, axis=0)])
    assert found is not None
    first, second = found.maps[0]
    assert first.shape[0] > 1
    np.testing.assert_allclose(first, second, atol=1e-6)
    assert np.abs(first).max() > 0
    assert found.similarity == pytest.approx(1, abs=1e-5)
    if backbone == "small":
        mirrored = contributions(
            [ImageTower(network, Framing(64), True)], [np.concatenate([square, square[:, :, ::-1]])]
        )
        assert mirrored is not None
        np.testing.assert_allclose(mirrored.maps[0][0], mirrored.maps[0][1][:, ::-1], atol=1e-6)


def test_what_has_no_map_is_left_to_occlusion() -> None:
    tokens = rebuild_backbone(
        {
            "kind": "transformers",
            "model_type": "dinov2",
            "config": {"hidden_size": 12, "num_attention_heads": 2, "num_hidden_layers": 2, "image_size": 28},
        }
    )
    tower = tower_of(tokens)
    squares: Sequence[NDArray[np.uint8]] = [np.zeros((2, 28, 28, 3), np.uint8)]
    assert by_gradient([tower], squares, "") is None
    assert by_gradient([tower_of(SmallNet(width=4))], [SQUARES], "occlusion") is None
    assert by_gradient([], squares, "") is None
    with pytest.raises(DoppelgramError, match="no map of features"):
        by_gradient([tower], squares, "grad-cam")


def test_the_network_is_left_as_it_was() -> None:
    tower = tower_of(SmallNet(width=4))
    tower.network.train()
    before = [tensor.clone() for tensor in tower.network.state_dict().values()]
    contributions([tower], [SQUARES])
    assert tower.network.training
    assert not any(module._forward_hooks for module in tower.network.modules())
    assert all(torch.equal(a, b) for a, b in zip(before, tower.network.state_dict().values(), strict=True))
    assert all(parameter.grad is None for parameter in tower.network.parameters())
