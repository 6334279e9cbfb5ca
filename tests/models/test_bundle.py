from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from doppelgram.errors import DoppelgramError
from doppelgram.images.framing import Framing
from doppelgram.models.backbones.registry import SmallNet, make_backbone
from doppelgram.models.bundle import load_model
from doppelgram.models.model import Model
from doppelgram.models.networks.embedding import DepthwisePooling, EmbeddingHead, EmbeddingNetwork
from doppelgram.models.towers import ImageTower
from doppelgram.space.calibration import Calibration


@pytest.fixture
def model() -> Model:
    torch.manual_seed(0)
    network = EmbeddingNetwork(SmallNet(4), EmbeddingHead(32, 8, hidden=6, batch_norm=True))
    network.train()(torch.rand(8, 3, 32, 32))  # so that running statistics are not the default ones
    calibration = Calibration(4.0, 2.0, 0.5, 10, 10, "val")
    return Model(ImageTower(network, Framing(32, 28), True), calibration, ("ann", "bo"), {"name": "test"})


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (5, 32, 32, 3), dtype=np.uint8)


def test_saved_and_loaded_is_the_same(model: Model, pixels: np.ndarray, tmp_path: Path) -> None:
    model.save(tmp_path / "m")
    again = load_model(tmp_path / "m")
    assert np.array_equal(again.embed_pixels(pixels), model.embed_pixels(pixels))
    assert (again.framing, again.tower.mirror, again.calibration) == (model.framing, True, model.calibration)
    assert (tuple(again.labels), again.recipe, again.fingerprint) == (
        ("ann", "bo"),
        {"name": "test"},
        model.fingerprint,
    )
    assert sorted(p.name for p in (tmp_path / "m").iterdir()) == ["model.json", "model.safetensors"]


def test_a_transformers_model_needs_no_folder_any_more(pixels: np.ndarray, tmp_path: Path) -> None:
    backbone = make_backbone("mobilenet_v2", pretrained=False)
    model = Model(ImageTower(EmbeddingNetwork(backbone, EmbeddingHead(backbone.dim, 4)), Framing(32)))
    model.save(tmp_path)
    assert np.allclose(load_model(tmp_path).embed_pixels(pixels), model.embed_pixels(pixels), atol=1e-6)


def test_the_fingerprint_is_of_what_decides_the_vectors(model: Model, tmp_path: Path) -> None:
    model.save(tmp_path / "a")
    first = model.fingerprint
    model.calibration, model.recipe = None, {}
    model.save(tmp_path / "b")
    assert model.fingerprint == first
    model.tower.framing = Framing(40)
    model.save(tmp_path / "c")
    assert model.fingerprint != first
    model.tower.framing = Framing(32, 28)
    with torch.no_grad():
        next(model.tower.network.parameters()).add_(1e-3)
    model.save(tmp_path / "d")
    assert model.fingerprint != first


def test_altered_and_foreign_files_are_refused(model: Model, tmp_path: Path) -> None:
    def refused(words: str) -> None:
        with pytest.raises(DoppelgramError, match=words):
            load_model(folder)
        model.save(folder)
        load_model(folder)

    folder = model.save(tmp_path / "m")
    description = json.loads((folder / "model.json").read_text())
    weights = (folder / "model.safetensors").read_bytes()

    (folder / "model.json").write_text(json.dumps({**description, "labels": ["eve"]}))
    refused("altered")
    (folder / "model.json").write_text(json.dumps({**description, "format": "other"}))
    refused("not a model written by doppelgram")
    (folder / "model.json").write_text(json.dumps({**description, "version": 99}))
    refused("update the program")
    (folder / "model.json").write_text("{")
    refused("damaged")
    (folder / "model.json").write_text("[]")
    refused("not a model")
    (folder / "model.safetensors").write_bytes(weights[:-1] + bytes([weights[-1] ^ 1]))
    refused("altered")
    (folder / "model.safetensors").write_bytes(b"\x80\x04pickle")
    refused("altered")
    (folder / "model.safetensors").unlink()
    refused("missing")
    (folder / "model.json").unlink()
    refused(r"no model\.json")
    with pytest.raises(DoppelgramError, match="no such run"):
        load_model(tmp_path / "nowhere")


def test_every_kind_of_picture_embeds_alike(model: Model, tmp_path: Path) -> None:
    array = np.random.default_rng(1).integers(0, 255, (30, 50, 3), dtype=np.uint8)
    image = Image.fromarray(array)
    image.save(tmp_path / "a.png")
    embedded = model.embed_images([tmp_path / "a.png", str(tmp_path / "a.png"), image, array])
    assert embedded.shape == (4, 8)
    assert np.allclose(embedded, embedded[0], atol=1e-6)
    assert (embedded[2] == embedded[3]).all()
    assert model.similarity(image, array) == pytest.approx(1 / (1 + np.exp(-2.0)))
    assert model.embed_images([]).shape == (0, 8)
    with pytest.raises(DoppelgramError, match=r"none\.png"):
        model.embed_images([tmp_path / "none.png"])
    with pytest.raises(DoppelgramError, match="uint8"):
        model.embed_images([array.astype(float)])


def test_mirroring_makes_an_image_and_its_mirror_image_one(model: Model, pixels: np.ndarray) -> None:
    assert np.allclose(model.embed_pixels(pixels), model.embed_pixels(pixels[:, :, ::-1]), atol=1e-5)
    model.tower.mirror = False
    assert not np.allclose(model.embed_pixels(pixels), model.embed_pixels(pixels[:, :, ::-1]), atol=1e-4)


def test_test_time_copies_are_averaged_and_saved(model: Model, pixels: np.ndarray, tmp_path: Path) -> None:
    model.tower.mirror = False
    model.save(tmp_path / "one")
    alone, before = model.embed_pixels(pixels), model.fingerprint
    assert "views" not in json.loads((tmp_path / "one" / "model.json").read_text())["preprocessing"]
    model.tower.copies = 3
    model.save(tmp_path / "three")
    assert model.fingerprint != before
    again = load_model(tmp_path / "three")
    assert again.tower.copies == 3
    # By hand, with Pillow: the middle enlarged, and the image reduced within its own reflection.
    side, padded = pixels.shape[1], np.pad(pixels, [(0, 0), (16, 16), (16, 16), (0, 0)], mode="symmetric")
    shown = [pixels]
    for factor in (1.1, 1 / 1.1):
        low, high = 16 + side / 2 * (1 - 1 / factor), 16 + side / 2 * (1 + 1 / factor)
        corners = (side, side), Image.Transform.EXTENT, (low, low, high, high), Image.Resampling.BILINEAR
        shown.append(np.stack([np.asarray(Image.fromarray(image).transform(*corners)) for image in padded]))
    model.tower.copies = 1
    mean = np.mean([model.embed_pixels(view) for view in shown], axis=0)
    expected = mean / np.linalg.norm(mean, axis=1, keepdims=True)
    found = again.embed_pixels(pixels)
    # Pillow rounds to whole numbers.
    assert np.abs(found - expected).max() < 0.1 * np.abs(found - alone).max()


def test_an_uncalibrated_model_says_so(model: Model) -> None:
    model.calibration = None
    with pytest.raises(DoppelgramError, match="not calibrated"):
        model.space.probability(np.array([0.1]))
    picture = np.zeros((30, 50, 3), dtype=np.uint8)
    with pytest.raises(DoppelgramError, match="not calibrated"):
        model.similarity(picture, picture)


def test_a_pooling_of_its_own_is_saved_too(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = EmbeddingNetwork(SmallNet(4), EmbeddingHead(32, 4), pooling=DepthwisePooling(32, 2, 2))
    torch.nn.init.normal_(network.pooling.weight)
    model = Model(ImageTower(network.eval(), Framing(32)))
    pixels = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    model.save(tmp_path)
    assert np.array_equal(load_model(tmp_path).embed_pixels(pixels), model.embed_pixels(pixels))
