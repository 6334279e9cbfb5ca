"""Training on kept maps of frozen layers, with people set before the images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from doppelgram.api.train import train
from doppelgram.console import SilentProgress
from doppelgram.errors import DoppelgramError
from doppelgram.models.backbones.backbone import SmallNet
from doppelgram.models.bundle import load_model
from doppelgram.models.networks.embedding import EmbeddingHead, EmbeddingNetwork
from doppelgram.pose.pasting import CutOut
from doppelgram.training.copies import copied_maps
from doppelgram.training.optimisation import mix_start
from doppelgram.training.recipes.schema import MetricRecipe, make_recipe
from helpers.pictures import stripes


def recipe(**more: dict[str, object]) -> MetricRecipe:
    sections: dict[str, dict[str, object]] = {
        "data": {"size": 32},
        "model": {"backbone": "small", "frozen_layers": 2, "linear": False},
        "loss": {"name": "cosface"},
        "sampler": {"batch": 8},
        "optimiser": {"epochs": 2, "precision": "32", "start_share": 0.5},
        "augment": {"copies": 3, "flip": True, "brightness": 0.3},
    }
    for section, keys in more.items():
        sections[section] = {**sections[section], **keys}
    found: MetricRecipe = make_recipe(sections)
    return found


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for kind in range(3):
        for number in range(8):
            file = tmp_path / "photos" / f"kind{kind}" / f"{number}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            stripes(kind, rng).save(file)
    return tmp_path / "photos"


def test_maps_of_copies() -> None:
    torch.manual_seed(0)
    network = EmbeddingNetwork(SmallNet(), EmbeddingHead(256, 256, linear=False), frozen_layers=2).eval()
    pixels = np.random.default_rng(0).integers(0, 255, (5, 32, 32, 3), dtype=np.uint8)
    person = CutOut(np.full((20, 8, 4), 255, np.uint8))
    rows = np.array([0, 2, 3])
    plain = copied_maps(recipe(), network, pixels, rows, [], 0, SilentProgress())
    found = copied_maps(recipe(), network, pixels, rows, [person], 0, SilentProgress())
    assert found.shape[:2] == (5, 3)
    with torch.inference_mode():
        images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
        expected = torch.nn.Sequential(*network.backbone.stages[:2])((images - 0.5) / 0.5).numpy()
    np.testing.assert_allclose(found[:, 0].astype(np.float32), expected, atol=0.02)
    assert not found[[1, 4], 1:].any()  # nobody trains on those
    assert np.abs(found[rows, 1:].astype(np.float32) - plain[rows, 1:]).max() > 0.05


def test_weights_move_back_to_the_start() -> None:
    torch.manual_seed(0)
    network = EmbeddingNetwork(SmallNet(4), EmbeddingHead(32, 32, linear=False))
    start = {name: tensor.clone() for name, tensor in network.backbone.state_dict().items()}
    with torch.no_grad():
        for parameter in network.backbone.parameters():
            parameter.add_(1.0)
    mix_start(network, start, 0.25)
    for name, parameter in network.backbone.named_parameters():
        torch.testing.assert_close(parameter, start[name] + 0.75)


def test_it_trains_and_resumes_alike(photos: Path, tmp_path: Path) -> None:
    whole = train(photos, recipe(), tmp_path / "whole", seed=1)
    assert len(whole.facts["images"]) == 3
    model = load_model(tmp_path / "whole")
    assert model.dim == 256
    vectors = model.embed_images(sorted(photos.rglob("*.png"))[:2])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    halves = recipe(optimiser={"epochs": 2})
    train(photos, halves, tmp_path / "again", seed=1)
    other = load_model(tmp_path / "again").embed_images(sorted(photos.rglob("*.png"))[:2])
    np.testing.assert_array_equal(vectors, other)


@pytest.mark.parametrize("name", ["empty", "nowhere"])
def test_a_folder_without_people_is_named(name: str, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    folder = tmp_path / name
    with pytest.raises(DoppelgramError, match=rf"^augment\.people: {folder}: "):
        train(photos, recipe(augment={"people": str(folder)}), tmp_path / "run")


def test_what_has_no_effect_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DoppelgramError, match=r"model\.dim has no effect here: model\.linear=false"):
        recipe(model={"dim": 8})
    with pytest.raises(DoppelgramError, match=r"augment\.people has no effect here"):
        make_recipe({"augment": {"people": "posts"}})
    with pytest.raises(DoppelgramError, match=r"augment\.copies has no effect here"):
        make_recipe({"augment": {"copies": 2}})
