from __future__ import annotations

from pathlib import Path

import pytest
import torch

from doppelgram.errors import DoppelgramError
from doppelgram.models.backbones.registry import VGG16, SmallNet, make_backbone, rebuild_backbone
from doppelgram.models.networks.embedding import DepthwisePooling, EmbeddingHead, EmbeddingNetwork

# Architectures of the families that people use, shrunk so that a test takes a second.
TINY = {
    "resnet": {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1], "layer_type": "basic"},
    "mobilenet_v2": {"depth_multiplier": 0.35},
    "convnext": {"hidden_sizes": [8, 16], "depths": [1, 1], "num_stages": 2},
    "dinov2": {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 56, "patch_size": 14},
    "siglip_vision_model": {
        "hidden_size": 24,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": 32,
        "patch_size": 16,
    },
}


def tiny(kind: str) -> dict[str, object]:
    return {"kind": "transformers", "model_type": kind, "config": TINY[kind]}


@pytest.mark.parametrize("kind", TINY)
def test_a_transformers_folder_gives_the_same_features(kind: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    first = rebuild_backbone(tiny(kind)).eval()
    first.model.save_pretrained(tmp_path / kind)  # type: ignore[operator,union-attr]
    loaded = make_backbone(str(tmp_path / kind)).eval()
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        features = loaded(images)
        assert torch.allclose(features, first(images), atol=1e-5)
        assert features.shape == (2, loaded.dim)
        rebuilt = rebuild_backbone(loaded.spec).eval()
        rebuilt.load_state_dict(loaded.state_dict())
        assert torch.allclose(rebuilt(images), features, atol=1e-5)
        other = make_backbone(str(tmp_path / kind), pretrained=False).eval()
    assert not all(torch.equal(a, b) for a, b in zip(other.parameters(), loaded.parameters(), strict=True))


@pytest.mark.parametrize("name", ["resnet50", "mobilenet_v2", "convnext_tiny", "dinov2_small"])
def test_the_full_architectures_from_random_weights(name: str) -> None:
    backbone = make_backbone(name, pretrained=False).eval()
    with torch.no_grad():
        features = backbone(torch.rand(1, 3, 56, 56))
    assert features.shape == (1, backbone.dim)
    assert torch.isfinite(features).all()
    assert backbone.dim == {"resnet50": 2048, "mobilenet_v2": 1280, "convnext_tiny": 768, "dinov2_small": 384}[name]


@pytest.mark.parametrize("name", ["small", "vgg16", "vgg16_bn"])
def test_our_own(name: str) -> None:
    backbone = make_backbone(name).eval()
    with torch.no_grad():
        assert backbone(torch.rand(2, 3, 64, 64)).shape == (2, backbone.dim)
    assert type(rebuild_backbone(backbone.spec)) is type(backbone)


def test_vgg16_is_configuration_d() -> None:
    assert sum(isinstance(layer, torch.nn.Conv2d) for layer in VGG16().layers) == 13
    assert sum(parameter.numel() for parameter in VGG16().parameters()) == 14_714_688


@pytest.mark.parametrize("kind", [*TINY, "small", "vgg16", "efficientnet_lite"])
def test_what_is_trained(kind: str) -> None:
    def network(trained: str) -> EmbeddingNetwork:
        torch.manual_seed(0)
        if kind == "efficientnet_lite":
            backbone = rebuild_backbone({"kind": kind, "width": 0.2, "depth": 0.5})
        else:
            backbone = rebuild_backbone(tiny(kind)) if kind in TINY else make_backbone(kind)
        return EmbeddingNetwork(backbone, EmbeddingHead(backbone.dim, 8), trained).train()

    def moved(trained: str) -> set[str]:
        net = network(trained)
        before = {name: value.clone() for name, value in net.state_dict().items()}
        optimiser = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=1.0)
        (net(torch.rand(4, 3, 32, 32)) * torch.randn(4, 8)).sum().backward()
        optimiser.step()
        return {name for name, value in net.state_dict().items() if not torch.equal(value, before[name])}

    assert all(name.startswith("head.") for name in moved("head"))
    last, full = moved("last"), moved("full")
    assert {name for name in last if name.startswith("backbone.")}
    assert last < full


def test_unknown_names_are_one_sentence_and_fast(tmp_path: Path) -> None:
    with pytest.raises(DoppelgramError, match="'nothing' is neither a folder"):
        make_backbone("nothing")
    with pytest.raises(DoppelgramError, match="pretrained=false"):
        make_backbone("resnet50")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DoppelgramError, match=r"no config\.json"):
        make_backbone(str(tmp_path / "empty"))
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad/config.json").write_text('{"model_type": "no_such_model"}')
    with pytest.raises(DoppelgramError, match="cannot be loaded"):
        make_backbone(str(tmp_path / "bad"))
    with pytest.raises(DoppelgramError, match="not known"):
        rebuild_backbone({"kind": "secret"})


@pytest.mark.parametrize("dim", [1, 2049])
def test_embedding_sizes(dim: int) -> None:
    with pytest.raises(DoppelgramError, match="2 to 2048"):
        EmbeddingHead(16, dim)
    for fine in (2, 2048):
        assert EmbeddingHead(16, fine)(torch.rand(3, 16)).shape == (3, fine)


def test_normalised_embeddings_have_length_one() -> None:
    features = torch.randn(5, 16)
    assert torch.allclose(EmbeddingHead(16, 4)(features).norm(dim=1), torch.ones(5), atol=1e-6)
    plain = EmbeddingHead(16, 4, normalise=False, hidden=8, batch_norm=True, dropout=0.5).eval()
    assert not torch.allclose(plain(features).norm(dim=1), torch.ones(5), atol=1e-2)


@pytest.mark.parametrize(
    ("trained", "frozen", "moves"), [("head", False, False), ("full", True, False), ("full", False, True)]
)
def test_frozen_batch_norms_keep_their_statistics(trained: str, frozen: bool, moves: bool) -> None:
    network = EmbeddingNetwork(SmallNet(4), EmbeddingHead(32, 4), trained, frozen_norms=frozen).train()
    before = {name: value.clone() for name, value in network.backbone.state_dict().items()}
    network(torch.rand(4, 3, 64, 64))
    same = all(torch.equal(value, before[name]) for name, value in network.backbone.state_dict().items())
    assert same != moves


def test_half_the_stride_gives_four_times_the_places_from_the_same_weights(tmp_path: Path) -> None:
    torch.manual_seed(0)
    rebuild_backbone(tiny("mobilenet_v2")).model.save_pretrained(tmp_path / "m")  # type: ignore[operator,union-attr]
    usual = make_backbone(str(tmp_path / "m")).eval()
    finer = make_backbone(str(tmp_path / "m"), stride=16).eval()
    images = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert usual.maps(images).shape[2:] == (2, 2)
        assert finer.maps(images).shape[2:] == (4, 4)
        rebuilt = rebuild_backbone(finer.spec).eval()
        rebuilt.load_state_dict(usual.state_dict())
        assert torch.equal(rebuilt.maps(images), finer.maps(images))
    with pytest.raises(DoppelgramError, match=r"model\.stride is 7; it is 8, 16 or 32"):
        make_backbone(str(tmp_path / "m"), stride=7)
    with pytest.raises(DoppelgramError, match="backbone 'small' has one stride only"):
        make_backbone("small", stride=16)
    with pytest.raises(DoppelgramError, match="backbone 'dinov2' has one stride only"):
        make_backbone("dinov2_small", pretrained=False, stride=16)


@pytest.mark.parametrize("backbone", [SmallNet(4), rebuild_backbone(tiny("mobilenet_v2"))], ids=["small", "mobilenet"])
def test_depthwise_pooling_starts_as_the_mean(backbone: torch.nn.Module) -> None:
    images = torch.rand(3, 3, 64, 64)
    with torch.no_grad():
        maps = backbone.eval().maps(images)
        pooling = DepthwisePooling(*maps.shape[1:]).eval()
        assert torch.allclose(pooling(maps), maps.mean((2, 3)), rtol=1e-4, atol=1e-5)
        pooling.weight[:] = 0
        pooling.weight[:, 1, 0] = 1
        assert torch.allclose(pooling(maps), maps[:, :, 1, 0], rtol=1e-4, atol=1e-5)


def test_what_has_no_map_cannot_be_pooled() -> None:
    with pytest.raises(DoppelgramError, match="has no map of features"):
        rebuild_backbone(tiny("dinov2")).maps(torch.rand(1, 3, 56, 56))
    with pytest.raises(DoppelgramError, match="has no map of features"):
        VGG16().maps(torch.rand(1, 3, 64, 64))


@pytest.mark.parametrize("kind", TINY)
def test_first_layers_can_be_frozen(kind: str) -> None:
    network = EmbeddingNetwork(rebuild_backbone(tiny(kind)), EmbeddingHead(8, 2), frozen_layers=2)
    layers = network.backbone.layers_in_order()
    trained = [any(p.requires_grad for p in layer.parameters()) for layer in layers]
    assert not any(trained[:2])
    assert any(trained[2:])
    network.train()
    assert not any(layer.training for layer in layers[:2])
