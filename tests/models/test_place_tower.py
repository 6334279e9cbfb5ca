from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from doppelgram.images.framing import Framing
from doppelgram.models.backbones.backbone import SmallNet
from doppelgram.models.bundle import load_model
from doppelgram.models.networks.masked import MaskedPooling
from doppelgram.models.place_tower import MaskedTower
from helpers.posts_world import random_model, render_world


@pytest.fixture
def tower() -> MaskedTower:
    torch.manual_seed(0)
    return MaskedTower(MaskedPooling(SmallNet(width=4)).eval(), Framing(32))


def test_features_are_the_mean_of_what_nobody_covers(tower: MaskedTower) -> None:
    images = torch.rand(2, 4, 32, 32)
    images[:, 3] = 0
    images[0, 3, :, :16] = 1
    images[1, 3, :8] = 0.5
    with torch.inference_mode():
        found = tower.network(images)
        maps = tower.network.backbone.maps((images[:, :3] - 0.5) / 0.5)
    rows, columns = maps.shape[2:]
    for image, features in enumerate(found):
        total, expected = 0.0, torch.zeros(tower.dim)
        for row in range(rows):
            for column in range(columns):
                high, wide = 32 // rows, 32 // columns
                cell = images[image, 3, row * high : (row + 1) * high, column * wide : (column + 1) * wide]
                weight = (1 - float(cell.mean())) ** 2 + 1e-3
                total += weight
                expected += weight * maps[image, :, row, column]
        torch.testing.assert_close(features, expected / total, rtol=1e-4, atol=1e-5)


def test_what_stands_behind_people_does_not_count(tower: MaskedTower) -> None:
    rng = np.random.default_rng(0)
    photograph = rng.integers(0, 255, (64, 64, 3), dtype=np.uint8)
    mask = np.zeros((64, 64), dtype=bool)
    mask[:, 40:] = True
    nobody, somebody = (tower.embed(tower.inputs(photograph, [], covered)) for covered in (None, mask))
    assert nobody.shape == (1, tower.dim)
    np.testing.assert_allclose(np.linalg.norm(somebody, axis=1), 1, rtol=1e-5)
    assert np.linalg.norm(nobody - somebody) > 1e-3
    shown = [tower.inputs(photograph, [], covered)[0, :, :, :3] for covered in (None, mask)]
    assert np.array_equal(*shown)
    assert tower.embed(np.empty((0, 32, 32, 4), np.uint8)).shape == (0, tower.dim)


def test_it_is_saved_with_the_model(tmp_path: Path, tower: MaskedTower) -> None:
    world = render_world(tmp_path / "world")
    model = random_model()
    model.place = [tower]
    model.space = type(model.space)(tower.dim, model.space.pose_dim, model.space.people, model.space.calibration)
    photographs = sorted(world.rglob("*.jpg"))[:4] or sorted(world.rglob("*.png"))[:4]
    expected = model.embed_images(photographs)
    loaded = load_model(model.save(tmp_path / "model"))
    assert loaded.fingerprint == model.fingerprint
    np.testing.assert_allclose(loaded.embed_images(photographs), expected, atol=1e-6)
