from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from doppelgram.catalog.store import Catalog
from doppelgram.images.framing import Framing
from doppelgram.models.backbones.registry import SmallNet
from doppelgram.models.bundle import load_model
from doppelgram.models.model import Model
from doppelgram.models.networks.embedding import EmbeddingHead, EmbeddingNetwork
from doppelgram.models.towers import ImageTower
from doppelgram.space.calibration import Calibration

CALIBRATION = Calibration(
    slope=20.0, intercept=2.0, threshold=0.1, n_same=5, n_different=5, fitted_on="random weights, for a test"
)


def _save_random_model(
    folder: Path, seed: int = 0, calibration: Calibration | None = CALIBRATION, dim: int = 8
) -> Path:
    torch.manual_seed(seed)
    backbone = SmallNet(width=4)
    network = EmbeddingNetwork(backbone, EmbeddingHead(backbone.dim, dim))
    return Model(ImageTower(network, Framing(32)), calibration).save(folder)


def _draw_picture(file: Path, seed: int, size: tuple[int, int] = (48, 40), hue: float = 0.0) -> Path:
    """A file whose content no other seed gives: soft blobs in a colour, as JPEG or whatever the ending says."""
    rng = np.random.default_rng(seed)
    small = rng.uniform(0, 1, (5, 5, 3)) * 0.5 + hue * np.array([0.5, 0.25, 0.0])
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((small.clip(0, 1) * 255).astype(np.uint8)).resize(size, Image.Resampling.BICUBIC).save(file)
    return file


def _draw_folder(folder: Path, classes: int = 3, images: int = 4, seed: int = 0) -> Path:
    for kind in range(classes):
        for number in range(images):
            place = folder / f"class {kind}" / f"picture {number}.jpg"
            _draw_picture(place, seed + 100 * kind + number, hue=kind / max(1, classes - 1))
    return folder


@pytest.fixture(scope="session")
def save_model() -> Callable[..., Path]:
    return _save_random_model


@pytest.fixture
def draw_picture() -> Callable[..., Path]:
    return _draw_picture


@pytest.fixture
def draw_folder() -> Callable[..., Path]:
    return _draw_folder


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _save_random_model(tmp_path_factory.mktemp("models") / "model")


@pytest.fixture(scope="session")
def model(model_folder: Path) -> Model:
    return load_model(model_folder)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Three classes of four pictures each."""
    return _draw_folder(tmp_path / "photos")


@pytest.fixture
def catalog(tmp_path: Path, model_folder: Path) -> Catalog:
    """An empty catalog."""
    return Catalog.create(tmp_path / "catalog", model_folder)
