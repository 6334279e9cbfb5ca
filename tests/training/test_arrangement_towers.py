"""Training the towers of an arrangement model: first layers kept, later ones tuned, keypoints augmented."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from doppelgram.errors import DoppelgramError
from doppelgram.images.augment import Augmentation
from doppelgram.models.backbones.backbone import SmallNet
from doppelgram.models.backbones.registry import make_backbone
from doppelgram.models.networks.embedding import EmbeddingHead, EmbeddingNetwork
from doppelgram.models.networks.keypoints import PoseTower
from doppelgram.training.pose_fit import augmented, fit_pose_tower
from doppelgram.training.tower_fit import TowerSchedule, fit_tower, tower_features
from doppelgram.training.tower_views import check_cut, first_maps


def network(layers: int = 2, seed: int = 0) -> EmbeddingNetwork:
    torch.manual_seed(seed)
    backbone = SmallNet(width=4)
    head = EmbeddingHead(backbone.dim, 3, dropout=0.1, posterior=1.0)
    return EmbeddingNetwork(backbone, head, frozen_norms=True, frozen_layers=layers).eval()


def coloured(n: int = 48, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Pictures of three colours with noise, uint8 (n, 32, 32, 3), and which colour."""
    rng = np.random.default_rng(seed)
    classes = np.arange(n) % 3
    pixels = rng.integers(0, 120, (n, 32, 32, 3))
    pixels[np.arange(n), :, :, classes] += 120
    return pixels.astype(np.uint8), classes


def test_first_and_later_layers_are_the_whole_network() -> None:
    net = network()
    pixels, _ = coloured(20)
    maps = first_maps(net, 2, pixels, Augmentation(), 0, 0, mirror=True)
    assert maps.shape[:2] == (2, 20)
    with torch.inference_mode():
        whole = net.features(torch.from_numpy(pixels).permute(0, 3, 1, 2) / 255).numpy()
        turned = net.features(torch.from_numpy(pixels[:, :, ::-1].copy()).permute(0, 3, 1, 2) / 255).numpy()
    np.testing.assert_allclose(tower_features(net, 2, maps[0]), whole, atol=2e-2)
    np.testing.assert_allclose(tower_features(net, 2, maps[1]), turned, atol=2e-2)


def test_mobilenet_can_be_cut_and_a_transformer_cannot() -> None:
    for name, layers in (("mobilenet_v2", 14), ("mobilenet_v2", 0)):
        backbone = make_backbone(name, pretrained=False)
        check_cut(EmbeddingNetwork(backbone, EmbeddingHead(backbone.dim, 4, posterior=1.0)), layers, 64)
    backbone = make_backbone("dinov2_small", pretrained=False)
    with pytest.raises(DoppelgramError, match="cannot be cut after 3 layers"):
        check_cut(EmbeddingNetwork(backbone, EmbeddingHead(backbone.dim, 4, posterior=1.0)), 3, 56)


def test_augmented_views_differ_and_follow_from_the_seed() -> None:
    pixels, _ = coloured(8)
    spec = Augmentation(brightness=0.3, flip=True, shift=0.2)
    first, again, other = (first_maps(network(), 2, pixels, spec, 2, seed) for seed in (1, 1, 2))
    assert (first == again).all()
    assert not (first[1] == first[2]).all()
    assert (first[0] == other[0]).all()
    assert not (first[1] == other[1]).all()


def test_a_tower_learns_and_its_first_layers_stay() -> None:
    pixels, classes = coloured()
    net = network()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    maps = first_maps(net, 2, pixels, Augmentation(brightness=0.1), 2, 0)
    rows = np.arange(0, 48, 2)
    schedule = TowerSchedule(epochs=12, batch=8, lr=0.03, backbone_lr=0.2, average=0.9)
    loss = fit_tower(net, 2, maps, rows, classes[rows], schedule, 0)
    assert loss < 0.9
    with torch.inference_mode():
        said = net(torch.from_numpy(pixels).permute(0, 3, 1, 2) / 255).argmax(1).numpy()
    assert (said[1::2] == classes[1::2]).mean() > 0.9
    after = net.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before if ".stages.0." in key or ".stages.1." in key)
    assert any(not torch.equal(before[key], after[key]) for key in before if ".stages.3." in key)
    assert all(torch.equal(before[key], after[key]) for key in before if "running" in key)


def test_the_seed_decides() -> None:
    maps = np.random.default_rng(0).normal(size=(2, 12, 16, 4, 4)).astype(np.float16)
    states = []
    for seed in (1, 1, 2):
        net = network(3)
        fit_tower(net, 3, maps, np.arange(12), np.arange(12) % 3, TowerSchedule(epochs=2, batch=4), seed)
        states.append(net.state_dict())
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])
    assert any(not torch.equal(states[0][key], states[2][key]) for key in states[0])


def people(n: int = 90, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints of three poses, with jitter and missing joints."""
    poses = np.random.default_rng(9).normal(size=(3, 18, 2))
    rng = np.random.default_rng(seed)
    classes = np.arange(n) % 3
    points = np.concatenate([poses[classes] + 0.15 * rng.normal(size=(n, 18, 2)), rng.uniform(0.3, 1, (n, 18, 1))], 2)
    points[rng.random((n, 18)) < 0.1] = [np.nan, np.nan, 0.0]
    return points.astype(np.float32), classes


def test_augmented_keypoints_stay_keypoints() -> None:
    points = torch.from_numpy(people()[0])
    found = augmented(points, torch.Generator().manual_seed(0))
    assert found.shape == points.shape
    assert torch.equal(torch.isnan(found[..., 0]), torch.isnan(found[..., 1]))
    missing = torch.isnan(found[..., 0])
    assert missing[torch.isnan(points[..., 0])].all()
    assert missing.float().mean() > torch.isnan(points[..., 0]).float().mean()
    assert (found[missing][:, 2] == 0).all()
    assert found[..., 2].min() >= 0
    assert found[..., 2].max() <= 1


@pytest.mark.parametrize("posterior", [0.0, 1.0])
def test_a_pose_tower_tells_poses_of_other_people(posterior: float) -> None:
    points, classes = people()
    torch.manual_seed(0)
    tower = PoseTower(3 if posterior else 8, hidden=32, posterior=posterior)
    fit_pose_tower(tower, points, classes, 40, 0)
    fresh, truth = people(60, seed=3)
    with torch.inference_mode():
        known, asked = tower(torch.from_numpy(points)), tower(torch.from_numpy(fresh))
    nearest = torch.cdist(asked, known).argmin(1).numpy()
    assert (classes[nearest] == truth).mean() > 0.9
    if posterior:
        assert (asked.argmax(1).numpy() == truth).mean() > 0.9
    torch.manual_seed(0)
    again = PoseTower(3 if posterior else 8, hidden=32, posterior=posterior)
    fit_pose_tower(again, points, classes, 40, 0)
    assert all(torch.equal(a, b) for a, b in zip(again.parameters(), tower.parameters(), strict=True))
