"""Pairs, and training on them, with made-up features in which places and poses are plain to see."""

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
from doppelgram.models.backbones.registry import make_backbone
from doppelgram.models.networks.embedding import EmbeddingHead, EmbeddingNetwork
from doppelgram.models.networks.pairs import PairNetwork, PoseMaskNet
from doppelgram.studies.role_model.pair_inputs import PairInputs, mirrored_features
from doppelgram.studies.role_model.pair_plan import PairPlan
from doppelgram.training.recipes.schema import PairsRecipe, make_recipe
from doppelgram.training.tasks.pairs import PairsTask, pair_log_odds, unique_rows
from doppelgram.training.trainer import Fitted, Place, fit

PLACES, POSES, EACH = 3, 4, 6
PLACE = np.repeat(np.arange(PLACES), POSES * EACH)
POSE = np.tile(np.repeat(np.arange(POSES), EACH), PLACES)
ROWS = np.arange(len(PLACE))


def inputs(masks: bool = False) -> PairInputs:
    """Features of 3 + 4 numbers that name place and pose, noisy; masks with one bar whose place is the pose."""
    rng = np.random.default_rng(0)
    plain = np.concatenate([np.eye(PLACES)[PLACE], np.eye(POSES)[POSE]], 1)
    features = plain[:, None, None] + rng.normal(0, 0.1, (len(PLACE), 2, 2, PLACES + POSES))
    drawn = np.zeros((len(PLACE), 2, 3, 16, 16), dtype=np.uint8)
    for row, pose in enumerate(POSE):
        drawn[row, 0, :, :, 2 + 3 * pose] = 255
        drawn[row, 1] = drawn[row, 0][:, :, ::-1]
    return PairInputs(features.astype(np.float32), drawn if masks else None)


def network(pose: bool = False) -> PairNetwork:
    torch.manual_seed(0)
    backbone = make_backbone("small")
    tower = EmbeddingNetwork(backbone, EmbeddingHead(PLACES + POSES, 16, normalise=False), "head")
    return PairNetwork(tower, PoseMaskNet(width=4, dim=8) if pose else None, 16, 0.1)


def recipe(epochs: int, patience: int = 0, **optimiser: Any) -> PairsRecipe:
    steps = {"name": "sgd", "lr": 0.1, "schedule": "constant", "warmup": 0.0, "epochs": epochs, "precision": "32"}
    return make_recipe(
        {
            "task": "pairs",
            "optimiser": {**steps, **optimiser},
            "stopping": {"patience": patience},
            "augment": {"flip": True},
        }
    )


def test_every_photograph_stands_once_in_a_same_and_once_in_a_different_pair() -> None:
    plan = PairPlan(PLACE, POSE, ROWS, 24, 5)
    batches = plan.epoch_batches(3)
    pairs = np.concatenate(batches)
    assert len(batches) == len(plan)
    assert max(len(batch) for batch in batches) <= 24
    for kind in (0, 1):
        assert sorted(pairs[pairs[:, 2] == kind, 0]) == ROWS.tolist()
    a, b, same = pairs.T
    assert (a != b).all()
    assert (PLACE[a] == PLACE[b]).all(), "different pairs are of the same place, too"
    assert ((POSE[a] == POSE[b]) == (same == 1)).all()
    assert all((batch[:, 2] == 1).sum() * 2 == len(batch) for batch in batches)
    assert np.array_equal(pairs, np.concatenate(PairPlan(PLACE, POSE, ROWS, 24, 5).epoch_batches(3)))
    assert not np.array_equal(pairs, np.concatenate(plan.epoch_batches(4)))


def test_both_kinds_of_different_pairs_can_be_had_and_rows_are_kept_to() -> None:
    rows = ROWS[ROWS % 2 == 0]
    pairs = PairPlan(PLACE, POSE, rows, 10, 0, negatives="both").fixed()
    assert set(pairs[:, :2].ravel()) <= set(rows)
    a, b, same = pairs.T
    different = same == 0
    share = (PLACE[a] == PLACE[b])[different].mean()
    assert 0.3 < share < 0.7
    assert (((PLACE[a] == PLACE[b]) ^ (POSE[a] == POSE[b])) == different).all()
    with pytest.raises(DoppelgramError, match="place, both"):
        PairPlan(PLACE, POSE, rows, 10, 0, negatives="pose")
    with pytest.raises(DoppelgramError, match="pairs cannot be made"):
        PairPlan(PLACE, POSE, ROWS[:EACH], 10, 0)


def test_each_photograph_is_described_once() -> None:
    rows, first, second = unique_rows(np.array([[7, 2, 1], [2, 9, 0], [7, 9, 0]]))
    assert rows.tolist() == [2, 7, 9]
    assert rows[first].tolist() == [7, 2, 7]
    assert rows[second].tolist() == [2, 9, 9]


def test_what_is_mirrored_is_mirrored_with_its_skeleton() -> None:
    generator = torch.Generator().manual_seed(1)
    pixels = np.random.default_rng(0).integers(0, 255, (20, 8, 8, 3), dtype=np.uint8)
    pixels[:, :, :4] //= 8  # dark on the left
    masks = np.zeros((20, 2, 3, 8, 8), dtype=np.uint8)
    masks[:, 0, :, :, 0], masks[:, 1, :, :, 7] = 255, 255
    images, drawn = PairInputs(pixels, masks).changed(np.arange(20), Augmentation(flip=True), generator)
    assert drawn is not None
    turned = images[:, :, :, :4].mean((1, 2, 3)) > images[:, :, :, 4:].mean((1, 2, 3))
    assert 3 < int(turned.sum()) < 17
    assert torch.equal(turned, drawn[:, 0, 0, 7] == 1)
    images, drawn = PairInputs(pixels, masks).changed(np.arange(20), Augmentation(), generator)
    assert drawn is not None
    assert (drawn[:, 0, 0, 0] == 1).all(), "nothing is mirrored unless asked for"
    plain, _ = PairInputs(pixels, masks).plain(np.arange(20))
    torch.testing.assert_close(images, plain)


def test_features_of_a_photograph_and_of_its_mirror_image(tmp_path: Path) -> None:
    torch.manual_seed(0)
    backbone = make_backbone("small")
    net = EmbeddingNetwork(backbone, EmbeddingHead(backbone.dim, 8), "head").eval()
    pixels = np.random.default_rng(0).integers(0, 255, (3, 32, 32, 3), dtype=np.uint8)
    hashes = [f"{n:064x}" for n in range(3)]
    done: list[int] = []
    found = mirrored_features(
        net,
        pixels,
        hashes,
        tmp_path,
        augmentation=Augmentation(brightness=0.5),
        copies=2,
        progress=done.append,
    )
    assert found.shape == (3, 2, 2, backbone.dim)
    assert sum(done) == 6
    with torch.inference_mode():
        turned = torch.from_numpy(pixels[:, :, ::-1].copy()).permute(0, 3, 1, 2) / 255
        np.testing.assert_allclose(found[:, 1, 0], net.features(turned).numpy(), atol=1e-4)
    assert np.abs(found[:, 0, 0] - found[:, 0, 1]).max() > 1e-3
    again = mirrored_features(net, pixels, hashes, tmp_path, augmentation=Augmentation(brightness=0.5), copies=2)
    assert np.array_equal(found, again)


def train(
    folder: Path,
    *,
    epochs: int,
    patience: int = 0,
    pose: bool = False,
    epoch_done: Callable[[], None] | None = None,
    **optimiser: Any,
) -> tuple[Any, ...]:
    net, data = network(pose), inputs(pose)
    plan = PairPlan(PLACE, POSE, ROWS[ROWS % 3 > 0], 24, 0)
    validation = PairPlan(PLACE, POSE, ROWS[ROWS % 3 == 0], 24, 1).fixed()
    chosen = recipe(epochs, patience, **optimiser)
    task = PairsTask(net, data, plan, validation, chosen)
    progress = SilentProgress()
    place = Place.of_run(folder, title="pairs")
    fitted = fit(task, chosen.stopping, place, resume=True, epoch_done=epoch_done, progress=progress)
    return net, data, validation, fitted


def test_pairs_are_learned_and_the_best_epoch_is_kept(tmp_path: Path) -> None:
    net, data, validation, fitted = train(tmp_path, epochs=40, pose=True)
    losses = [epoch["val_loss"] for epoch in fitted.history]
    assert len(losses) == 40
    assert fitted.best_epoch == 1 + int(np.argmin(losses))
    assert min(losses) < 0.4 < losses[0]
    logits = pair_log_odds(net, data, validation)
    same = validation[:, 2] == 1
    loss = np.where(same, np.logaddexp(0, -logits), np.logaddexp(0, logits)).mean()
    assert loss == pytest.approx(min(losses), rel=1e-4)
    assert ((logits > 0) == same).mean() == pytest.approx(fitted.history[fitted.best_epoch - 1]["val_accuracy"])
    assert len((tmp_path / "log/metrics.csv").read_text().splitlines()) == 41
    state = torch.load(tmp_path / "checkpoints/last.ckpt", weights_only=True)["state_dict"]
    assert not any(name.startswith("network.tower.backbone.") for name in state), "which is not even run"


def test_training_stops_early(tmp_path: Path) -> None:
    _, _, _, fitted = train(tmp_path, epochs=500, patience=2)
    assert 3 <= len(fitted.history) < 500
    assert fitted.best_epoch <= len(fitted.history) - 2
    again = train(tmp_path, epochs=500, patience=2)[3]
    assert again.history == fitted.history, "a training that has stopped is restored and not continued"


def test_an_interrupted_training_ends_with_the_same_weights(tmp_path: Path) -> None:
    whole, _, _, _ = train(tmp_path / "whole", epochs=6)
    left = [4]

    def interrupt() -> None:
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt

    stopped: Fitted = train(tmp_path / "part", epochs=6, epoch_done=interrupt)[3]
    assert stopped.interrupted
    assert len(stopped.history) == 3
    resumed, _, _, fitted = train(tmp_path / "part", epochs=6)
    assert len(fitted.history) == 6
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name


def test_a_training_that_diverges_says_so(tmp_path: Path) -> None:
    with pytest.raises(DoppelgramError, match="diverged"):
        train(tmp_path, epochs=3, lr=1e30)
