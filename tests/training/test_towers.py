"""Training the towers of an arrangement model: first layers kept, later ones tuned, keypoints augmented."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from doppelgram.console import SilentProgress
from doppelgram.errors import DoppelgramError
from doppelgram.images.augmentation import Augmentation
from doppelgram.models.backbones.backbone import SmallNet
from doppelgram.models.backbones.registry import make_backbone
from doppelgram.models.networks.embedding import EmbeddingHead, EmbeddingNetwork
from doppelgram.models.networks.keypoints import PoseTower
from doppelgram.training.recipes.sections import TowerStopping
from doppelgram.training.recipes.towers import (
    ClassesTower,
    KeypointAugment,
    KeypointOptimiser,
    KeypointsTower,
    TowerOptimiser,
)
from doppelgram.training.task import Task
from doppelgram.training.tasks.classes import ClassesTask
from doppelgram.training.tasks.first_layers import check_cut, first_maps, pooled_features
from doppelgram.training.tasks.keypoints import KeypointsTask, augmented
from doppelgram.training.trainer import Fitted, Place, fit, load_finished

QUIET = SilentProgress()


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
    np.testing.assert_allclose(pooled_features(net, 2, maps[0]), whole, atol=2e-2)
    np.testing.assert_allclose(pooled_features(net, 2, maps[1]), turned, atol=2e-2)


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


def tower(**keys: Any) -> ClassesTower:
    optimiser = {"epochs": 12, "lr": 0.03, "backbone_lr": 0.2, "average": 0.9, **keys.pop("optimiser", {})}
    return ClassesTower(name="place", task="classes", optimiser=TowerOptimiser(**optimiser), **{"batch": 8, **keys})


def fit_task(task: Task, recipe: Any, folder: Path, **options: Any) -> Fitted:
    return fit(task, recipe.stopping, Place.of_run(folder, "place"), resume=True, progress=QUIET, **options)


def stop_at(epoch: int) -> Callable[[], None]:
    """Ctrl-C at the end of an epoch, before it can be resumed from."""
    left = [epoch]

    def count() -> None:
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt

    return count


def test_a_tower_learns_and_its_first_layers_stay(tmp_path: Path) -> None:
    pixels, classes = coloured()
    net = network()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    maps = first_maps(net, 2, pixels, Augmentation(brightness=0.1), 2, 0)
    recipe = tower(frozen_layers=2)
    validation = maps[0, 1::2], classes[1::2]
    fitted = fit_task(ClassesTask(net, maps[:, ::2], classes[::2], recipe, validation=validation), recipe, tmp_path)
    assert fitted.history[-1]["train_loss"] < 0.9
    assert fitted.history[-1]["val_accuracy"] > 0.9
    with torch.inference_mode():
        said = net(torch.from_numpy(pixels).permute(0, 3, 1, 2) / 255).argmax(1).numpy()
    assert (said[1::2] == classes[1::2]).mean() > 0.9
    after = net.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before if ".stages.0." in key or ".stages.1." in key)
    assert any(not torch.equal(before[key], after[key]) for key in before if ".stages.3." in key)
    assert all(torch.equal(before[key], after[key]) for key in before if "running" in key)
    assert {file.name for file in (tmp_path / "checkpoints/place").iterdir()} == {"best.ckpt", "last.ckpt"}
    assert list((tmp_path / "log/place/tensorboard").glob("events*"))
    state = torch.load(tmp_path / "checkpoints/place/last.ckpt", weights_only=True)["state_dict"]
    assert not any(".stages.0." in key or ".stages.1." in key for key in state), "what never changes is not kept"
    again = network()
    assert load_finished(again, Place.of_run(tmp_path, "place"), 12, recipe.stopping)
    assert all(torch.equal(value, after[key]) for key, value in again.state_dict().items())


MAPS = np.random.default_rng(0).normal(size=(2, 12, 16, 4, 4)).astype(np.float16)


def fit_maps(folder: Path, seed: int = 1, **options: Any) -> dict[str, torch.Tensor]:
    net, recipe = network(3), tower(frozen_layers=3, batch=4, optimiser={"epochs": 4, "lr": 0.01})
    fit_task(ClassesTask(net, MAPS, np.arange(12) % 3, recipe, seed=seed), recipe, folder, **options)
    return net.state_dict()


def test_the_seed_decides(tmp_path: Path) -> None:
    states = [fit_maps(tmp_path / str(n), seed) for n, seed in enumerate((1, 1, 2))]
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])
    assert any(not torch.equal(states[0][key], states[2][key]) for key in states[0])


def test_a_tower_that_was_interrupted_ends_with_the_same_weights(tmp_path: Path) -> None:
    whole = fit_maps(tmp_path / "whole")
    fit_maps(tmp_path / "part", epoch_done=stop_at(3))
    assert torch.load(tmp_path / "part/checkpoints/place/last.ckpt", weights_only=True)["epoch"] == 1
    resumed = fit_maps(tmp_path / "part")
    assert all(torch.equal(whole[key], resumed[key]) for key in whole)


def test_a_tower_stops_early_and_keeps_its_best_epoch_where_the_recipe_asks(tmp_path: Path) -> None:
    recipe = tower(
        frozen_layers=3,
        optimiser={"epochs": 40, "lr": 0.5},
        stopping=TowerStopping(patience=2, keep="best", monitor="val_loss"),
    )
    classes = np.arange(12) % 3
    task = ClassesTask(network(3), MAPS, classes, recipe, validation=(MAPS[0], np.roll(classes, 1)))
    fitted = fit_task(task, recipe, tmp_path)
    losses = [epoch["val_loss"] for epoch in fitted.history]
    assert len(losses) < 40
    assert fitted.best_epoch == 1 + int(np.argmin(losses))


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
    found = augmented(points, KeypointAugment(), torch.Generator().manual_seed(0))
    assert found.shape == points.shape
    assert torch.equal(torch.isnan(found[..., 0]), torch.isnan(found[..., 1]))
    missing = torch.isnan(found[..., 0])
    assert missing[torch.isnan(points[..., 0])].all()
    assert missing.float().mean() > torch.isnan(points[..., 0]).float().mean()
    assert (found[missing][:, 2] == 0).all()
    assert found[..., 2].min() >= 0
    assert found[..., 2].max() <= 1


def pose_tower(posterior: float, epochs: int = 40) -> tuple[PoseTower, KeypointsTower]:
    torch.manual_seed(0)
    output = "classes" if posterior else "embedding"
    recipe = KeypointsTower(name="k", task="keypoints", output=output, optimiser=KeypointOptimiser(epochs=epochs))
    return PoseTower(3 if posterior else 8, hidden=32, posterior=posterior), recipe


@pytest.mark.parametrize("posterior", [0.0, 1.0])
def test_a_pose_tower_tells_poses_of_other_people(posterior: float, tmp_path: Path) -> None:
    points, classes = people()
    fresh, truth = people(60, seed=3)
    net, recipe = pose_tower(posterior)
    fitted = fit_task(KeypointsTask(net, points, classes, recipe, validation=(fresh, truth)), recipe, tmp_path / "a")
    assert fitted.history[-1]["val_accuracy"] > 0.9
    with torch.inference_mode():
        known, queries = net(torch.from_numpy(points)), net(torch.from_numpy(fresh))
    nearest = torch.cdist(queries, known).argmin(1).numpy()
    assert (classes[nearest] == truth).mean() > 0.9
    if posterior:
        assert (queries.argmax(1).numpy() == truth).mean() > 0.9
    again, _ = pose_tower(posterior)
    stopped = fit_task(
        KeypointsTask(again, points, classes, recipe, validation=(fresh, truth)),
        recipe,
        tmp_path / "b",
        epoch_done=stop_at(9),
    )
    assert stopped.interrupted
    again, _ = pose_tower(posterior)
    fit_task(KeypointsTask(again, points, classes, recipe, validation=(fresh, truth)), recipe, tmp_path / "b")
    assert all(torch.equal(a, b) for a, b in zip(again.parameters(), net.parameters(), strict=True))
