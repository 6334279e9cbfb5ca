from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console

from doppelgram.console import Progress, SilentProgress, TerminalProgress
from doppelgram.errors import DoppelgramError
from doppelgram.evaluation.retrieval import precision_at_1_and_map
from doppelgram.models.backbones.registry import SmallNet
from doppelgram.models.networks.embedding import EmbeddingHead, EmbeddingNetwork
from doppelgram.training.data import Part
from doppelgram.training.recipes.metric_checks import check_recipe
from doppelgram.training.recipes.schema import MetricRecipe, make_recipe
from doppelgram.training.tasks.metric import MetricTask
from doppelgram.training.trainer import Fitted, Place, fit


def parts(classes: int = 4, images: int = 12, size: int = 16) -> tuple[Part, Part]:
    """Squares of a class's own colour under noise: learnable in seconds."""
    rng = np.random.default_rng(0)
    colours = rng.integers(40, 215, (classes, 3))
    codes = np.repeat(np.arange(classes), images)
    pixels = colours[codes][:, None, None] + rng.normal(0, 30, (len(codes), size, size, 3))
    pixels = pixels.clip(0, 255).astype(np.uint8)
    held = np.arange(len(codes)) % 3 == 0
    train, val = np.flatnonzero(~held), np.flatnonzero(held)
    return Part(pixels, codes[train], train), Part(pixels, codes[val], val)


def recipe(**sections: dict[str, Any]) -> MetricRecipe:
    base: dict[str, dict[str, Any]] = {
        "data": {"size": 16},
        "model": {"dim": 4, "dropout": 0.2},
        "loss": {"name": "triplet", "params": {"margin": 0.2}},
        "miner": {"name": "semihard"},
        "sampler": {"batch": 16, "per_class": 4},
        "optimiser": {"epochs": 4, "lr": 0.01, "precision": "32"},
        "augment": {"brightness": 0.2, "flip": True, "shift": 0.1},
    }
    for section, keys in sections.items():
        base[section] = {**base[section], **keys} if section in base else keys
    if base["loss"]["name"] == "cosface":
        del base["sampler"]["per_class"], base["miner"]
    return make_recipe(base)


def network(seed: int = 0) -> EmbeddingNetwork:
    torch.manual_seed(seed)
    return EmbeddingNetwork(SmallNet(4), EmbeddingHead(32, 4, dropout=0.2))


def validate(query: Any, labels: Any, gallery: Any, gallery_labels: Any) -> dict[str, float]:
    return precision_at_1_and_map(query, labels, gallery=gallery, gallery_labels=gallery_labels)


def fit_parts(
    net: EmbeddingNetwork,
    train: Part,
    val: Part | None,
    chosen: MetricRecipe,
    folder: Path,
    *,
    seed: int = 0,
    resume: bool = False,
    validate: Any = validate,
    progress: Progress | None = None,
) -> Fitted:
    task = MetricTask(net, train, val, chosen, seed=seed, validate=validate)
    progress = progress or SilentProgress()
    return fit(task, chosen.stopping, Place.of_run(folder), resume=resume, progress=progress)


def run(net: EmbeddingNetwork, folder: Path, chosen: MetricRecipe | None = None, **options: Any) -> Fitted:
    train, val = parts()
    return fit_parts(net, train, val, chosen or recipe(), folder, **options)


def weights(net: EmbeddingNetwork) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in net.state_dict().items()}


def assert_same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> None:
    for name in a:
        assert torch.equal(a[name], b[name]), name


def test_it_learns_and_says_what_it_did(tmp_path: Path) -> None:
    out = io.StringIO()
    net = network()
    fitted = run(
        net, tmp_path, recipe(optimiser={"epochs": 8}), progress=TerminalProgress(Console(file=out, width=200))
    )
    best = fitted.history[fitted.best_epoch - 1]
    assert best["val_map_at_r"] == max(epoch["val_map_at_r"] for epoch in fitted.history)
    assert best["val_precision_at_1"] > 0.8
    lines = out.getvalue().splitlines()
    assert len(lines) == 8
    for word in ("loss", "active", "d+", "d-", "val P@1", "MAP@R"):
        assert word in lines[0]
    header = (tmp_path / "log/metrics.csv").read_text().splitlines()[0]
    for column in ("train_loss", "train_active", "train_positive_distance", "val_map_at_r"):
        assert column in header
    assert list((tmp_path / "log/tensorboard").glob("events*"))
    assert (tmp_path / "checkpoints/best.ckpt").is_file()


def test_the_network_ends_with_the_best_epochs_weights(tmp_path: Path) -> None:
    net = network()
    fitted = run(net, tmp_path)
    state = torch.load(tmp_path / "checkpoints/best.ckpt", weights_only=True)
    assert state["epoch"] + 1 == fitted.best_epoch
    for name, value in net.state_dict().items():
        assert torch.equal(value, state["state_dict"][f"network.{name}"])


@pytest.mark.parametrize("loss", ["triplet", "cosface"])
def test_resumed_equals_uninterrupted(tmp_path: Path, loss: str) -> None:
    chosen = recipe(loss={"name": loss, "params": {}}, miner={"name": "none"})
    whole = network()
    run(whole, tmp_path / "whole", chosen, seed=5)

    class StopIn(torch.nn.Module):  # Ctrl-C in the middle of an epoch, as a real KeyboardInterrupt in the forward pass
        def __init__(self, inner: torch.nn.Module, calls: int) -> None:
            super().__init__()
            self.inner, self.calls = inner, calls

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.calls -= 1
            if self.calls == 0:
                raise KeyboardInterrupt
            return self.inner(x)

    halted = network()
    halted.head.layers[0] = StopIn(halted.head.layers[0], calls=8)
    first = run(halted, tmp_path / "halted", chosen, seed=5)
    assert first.interrupted
    assert 1 <= len(first.history) < 4
    again = network()
    checkpoint = torch.load(tmp_path / "halted/checkpoints/last.ckpt", weights_only=True)
    renamed = {name.replace("layers.0.inner", "layers.0"): value for name, value in checkpoint["state_dict"].items()}
    torch.save({**checkpoint, "state_dict": renamed}, tmp_path / "halted/checkpoints/last.ckpt")
    second = run(again, tmp_path / "halted", chosen, seed=5, resume=True)
    assert len(second.history) == 4
    last = [torch.load(tmp_path / name / "checkpoints/last.ckpt", weights_only=True) for name in ("whole", "halted")]
    assert_same(last[0]["state_dict"], last[1]["state_dict"])
    assert_same(weights(whole), weights(again))


def stop_after(net: EmbeddingNetwork, calls: int) -> None:
    """Have the n-th forward pass of the network from now on end as Ctrl-C would end it."""
    left = [calls]

    def count(*_: Any) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt

    net.head.register_forward_hook(count)


def test_every_finished_epoch_can_be_resumed_from(tmp_path: Path) -> None:
    chosen = recipe(
        optimiser={"epochs": 6, "lr": 0.0}, stopping={"patience": 9, "min_delta": 1.0}
    )  # a plateau from the first epoch
    net = network()
    stop_after(net, calls=14)  # two training batches and one of validation in each epoch
    first = run(net, tmp_path, chosen)
    assert first.interrupted
    done = len(first.history)
    assert done == 4
    out = io.StringIO()
    second = run(network(), tmp_path, chosen, resume=True, progress=TerminalProgress(Console(file=out, width=200)))
    assert out.getvalue().startswith(f"epoch   {done + 1}/6")
    assert [epoch["epoch"] for epoch in second.history] == [1, 2, 3, 4, 5, 6]
    assert len((tmp_path / "log/metrics.csv").read_text().splitlines()) == 7


def test_a_run_that_was_moved_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    whole = network()
    fitted = run(whole, tmp_path / "whole", seed=2)
    halted = network()
    stop_after(halted, calls=11)
    assert run(halted, tmp_path / "halted", seed=2).interrupted
    (tmp_path / "halted").rename(tmp_path / "moved")
    again = network()
    resumed = run(again, tmp_path / "moved", seed=2, resume=True)
    assert resumed.best_epoch == fitted.best_epoch
    assert_same(weights(whole), weights(again))
    assert not (tmp_path / "halted").exists()


def test_a_run_that_had_given_up_is_not_trained_on(tmp_path: Path) -> None:
    chosen = recipe(optimiser={"epochs": 60, "lr": 0.0}, stopping={"patience": 2, "min_delta": 1.0})
    first = run(network(), tmp_path, chosen)
    again = run(network(), tmp_path, chosen, resume=True)
    assert len(again.history) == len(first.history) < 60


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    run(network(), tmp_path)
    last = tmp_path / "checkpoints/last.ckpt"
    last.write_bytes(last.read_bytes()[:1000])
    with pytest.raises(DoppelgramError, match=r"last\.ckpt: is damaged"):
        run(network(), tmp_path, resume=True)


def test_divergence_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(DoppelgramError, match="training diverged"):
        run(network(), tmp_path, recipe(optimiser={"lr": 1e30}))


@pytest.mark.parametrize("name", ["ntxent", "smooth_ap"])
def test_a_loss_that_cannot_be_validated_still_trains(tmp_path: Path, name: str) -> None:
    fitted = run(
        network(), tmp_path, recipe(loss={"name": name, "params": {}}, miner={"name": ""}, optimiser={"epochs": 1})
    )
    assert "val_map_at_r" in fitted.history[0]


def test_same_seed_same_weights(tmp_path: Path) -> None:
    first, second, third = network(), network(), network()
    run(first, tmp_path / "a", seed=1)
    run(second, tmp_path / "b", seed=1)
    run(third, tmp_path / "c", seed=2)
    assert_same(weights(first), weights(second))
    assert not all(torch.equal(a, b) for a, b in zip(first.parameters(), third.parameters(), strict=True))


def test_early_stopping(tmp_path: Path) -> None:
    # A step of no size leaves the figures where they are once the running statistics have settled.
    chosen = recipe(optimiser={"epochs": 60, "lr": 0.0}, stopping={"patience": 2, "min_delta": 0.2})
    history = run(network(), tmp_path, chosen).history
    assert 3 <= len(history) < 30
    assert max(epoch["val_map_at_r"] for epoch in history[-2:]) <= history[-3]["val_map_at_r"] + 0.2


def test_collapse_is_said_in_words(tmp_path: Path) -> None:
    out = io.StringIO()
    net = network()
    last = net.head.layers[-1]
    torch.nn.init.zeros_(last.weight)  # every image at the same point, as a collapsed training leaves it
    chosen = recipe(optimiser={"lr": 0.0}, miner={"name": "batchhard"})
    fitted = run(net, tmp_path, chosen, progress=TerminalProgress(Console(file=out, width=300)))
    assert any("collapse" in warning for warning in fitted.warnings)
    assert any("stuck at its margin (0.2)" in warning for warning in fitted.warnings)
    assert out.getvalue().count("warning: collapse") == 1


def test_no_validation_part_keeps_the_last_epoch(tmp_path: Path) -> None:
    train, _ = parts()
    fitted = fit_parts(network(), train, None, recipe(), tmp_path, progress=SilentProgress())
    assert fitted.best_epoch == len(fitted.history) == 4


def test_lonely_validation_images_are_asked_of_a_gallery(tmp_path: Path) -> None:
    train, val = parts()
    one_each = [int(np.flatnonzero(val.codes == code)[0]) for code in range(4)]
    lonely = Part(val.inputs, val.codes[one_each], val.rows[one_each])
    fitted = fit_parts(network(), train, lonely, recipe(), tmp_path / "a", validate=validate, progress=SilentProgress())
    assert "val_precision_at_1" in fitted.history[0]
    strangers = Part(lonely.inputs, lonely.codes + 10, lonely.rows)
    out = io.StringIO()
    task = MetricTask(network(), train, strangers, recipe())
    assert not task.validates
    fitted = fit_parts(
        network(), train, strangers, recipe(), tmp_path / "b", progress=TerminalProgress(Console(file=out))
    )
    assert fitted.best_epoch == 4


@pytest.mark.parametrize(
    ("loss", "miner"),
    [
        ("contrastive", "all"),
        ("bce", "none"),
        ("triplet", "all"),
        ("multi_similarity", ""),
        ("proxy_anchor", ""),
        ("supcon", ""),
    ],
)
def test_any_loss_trains(tmp_path: Path, loss: str, miner: str) -> None:
    chosen = recipe(loss={"name": loss, "params": {}}, miner={"name": miner}, optimiser={"epochs": 2})
    fitted = run(network(), tmp_path, chosen)
    assert all(np.isfinite(epoch["train_loss"]) for epoch in fitted.history)


def test_cached_features_train_the_head(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    codes = np.repeat(np.arange(4), 12)
    centres = rng.normal(0, 1, (4, 32))
    features = (centres[codes][:, None] + rng.normal(0, 0.5, (48, 3, 32))).astype(np.float32)
    net = network()
    before = weights(net)
    even, odd = np.arange(0, 48, 2), np.arange(1, 48, 2)
    train, val = Part(features, codes[even], even), Part(features, codes[odd], odd)
    chosen = recipe(optimiser={"epochs": 10})
    fitted = fit_parts(net, train, val, chosen, tmp_path, validate=validate, progress=SilentProgress())
    assert fitted.history[-1]["val_precision_at_1"] > 0.9
    assert all(0 <= epoch["train_violated"] <= 1 for epoch in fitted.history)  # though not taken of every batch
    after = weights(net)
    assert all(torch.equal(before[name], after[name]) for name in before if name.startswith("backbone."))


def test_memory_and_average_resume_to_the_same_weights(tmp_path: Path) -> None:
    chosen = recipe(loss={"name": "contrastive", "params": {}, "cross_batch": 24}, optimiser={"average": 0.9})
    whole = network()
    run(whole, tmp_path / "whole", chosen)
    halved = network()

    class StopAfterTwo:
        count = 0

        def __call__(self, *found: Any) -> dict[str, float]:
            self.count += 1
            if self.count == 3:
                raise KeyboardInterrupt
            return validate(*found)

    train, val = parts()
    progress = SilentProgress()
    fitted = fit_parts(halved, train, val, chosen, tmp_path / "halved", validate=StopAfterTwo(), progress=progress)
    assert fitted.interrupted
    again = network(seed=5)
    fit_parts(again, train, val, chosen, tmp_path / "halved", validate=validate, resume=True, progress=progress)
    for (name, one), other in zip(whole.state_dict().items(), again.state_dict().values(), strict=True):
        assert torch.equal(one, other), name


def test_what_is_kept_is_the_average(tmp_path: Path) -> None:
    plain, averaged = network(), network()
    run(plain, tmp_path / "plain", recipe(), seed=3)
    run(averaged, tmp_path / "averaged", recipe(optimiser={"average": 0.9}), seed=3)
    state = torch.load(tmp_path / "averaged" / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    kept = {name: value for name, value in state.items() if name.startswith("average.module.")}
    stepped = {name: value for name, value in state.items() if name.startswith("network.")}
    assert len(kept) == len(stepped)
    name = "stages.0.0.0.weight"
    assert not torch.equal(kept[f"average.module.backbone.{name}"], stepped[f"network.backbone.{name}"])
    # Averaging looks on: the steps themselves are those of a training without it.
    last = torch.load(tmp_path / "plain" / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    assert torch.equal(last[f"network.backbone.{name}"], stepped[f"network.backbone.{name}"])


def test_the_average_is_the_last_epochs_where_there_is_no_validation_part(tmp_path: Path) -> None:
    net = network()
    train, _ = parts()
    fit_parts(net, train, None, recipe(optimiser={"average": 0.9}), tmp_path, progress=SilentProgress())
    state = torch.load(tmp_path / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    for name, value in net.state_dict().items():
        assert torch.equal(value, state[f"average.module.{name}"])


def test_frozen_layers_stay_as_they_were(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = EmbeddingNetwork(SmallNet(4), EmbeddingHead(32, 4), frozen_layers=2)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    run(net, tmp_path)
    for name, value in net.state_dict().items():
        frozen = name.startswith(("backbone.stages.0.", "backbone.stages.1."))
        if frozen or value.is_floating_point():  # the counters of the norms are numbers too, but whole ones
            assert torch.equal(value, before[name]) == frozen, name


def test_more_frozen_layers_than_there_are() -> None:
    with pytest.raises(DoppelgramError, match=r"model\.frozen_layers is 9, but the backbone has 4 layers"):
        EmbeddingNetwork(SmallNet(4), EmbeddingHead(32, 4), frozen_layers=9)


def test_a_memory_goes_with_pairs_only() -> None:
    with pytest.raises(DoppelgramError, match=r"loss\.cross_batch.*'cosface'"):
        check_recipe(recipe(loss={"name": "cosface", "params": {}, "cross_batch": 100}))


def test_small_classes_are_shown_again_by_shuffling_alone() -> None:
    check_recipe(recipe(loss={"name": "cosface", "params": {}}, sampler={"min_per_class": 8}))
    with pytest.raises(DoppelgramError, match=r"sampler\.min_per_class.*sampler\.name=shuffle"):
        check_recipe(recipe(sampler={"min_per_class": 8}))


def test_what_the_loss_has_no_use_for_is_refused() -> None:
    with pytest.raises(DoppelgramError, match=r"optimiser\.loss_lr"):
        check_recipe(recipe(optimiser={"loss_lr": 3.0}))
    with pytest.raises(DoppelgramError, match=r"sampler\.per_class"):
        check_recipe(make_recipe({"loss": {"name": "cosface"}, "sampler": {"per_class": 3}}))


def test_a_checkpoint_of_an_earlier_version_is_refused(tmp_path: Path) -> None:
    run(network(), tmp_path)
    last = tmp_path / "checkpoints/last.ckpt"
    state = torch.load(last, weights_only=True)
    del state["task"]
    torch.save(state, last)
    with pytest.raises(DoppelgramError, match=r"last\.ckpt: is of an earlier version"):
        run(network(), tmp_path, resume=True)
