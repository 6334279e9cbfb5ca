from __future__ import annotations

from pathlib import Path

import pytest
import torch

from doppelgram.errors import DoppelgramError
from doppelgram.models.backbones import VGG16, SmallNet, make_backbone, rebuild_backbone
from doppelgram.models.network import EmbeddingHead, EmbeddingNetwork

# Architectures of the families that people use, shrunk so that a test takes a second.
TINY = {
    "resnet": {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1], "layer_type": "basic"},
    "mobilenet_v2": {"depth_multiplier": 0.35},
    "convnext": {"hidden_sizes": [8, 16], "depths": [1, 1], "num_stages": 2},
    "dinov2": {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 56, "patch_size": 14},
    "siglip_vision_model": {"hidden_size": 24, "intermediate_size": 32,
                            "num_hidden_layers": 2, "num_attention_heads": 2,
                            "image_size": 32, "patch_size": 16},
}  # fmt: skip


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


@pytest.mark.parametrize("kind", [*TINY, "small", "vgg16"])
def test_what_is_trained(kind: str) -> None:
    def network(trained: str) -> EmbeddingNetwork:
        torch.manual_seed(0)
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
