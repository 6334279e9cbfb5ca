"""Rungs of the ladder: which weights they start from, and backbones out of a folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from doppelgram import DoppelgramError
from doppelgram.studies.role_model.plan import study_recipe
from doppelgram.studies.role_model.rungs import load_network, pair_network
from helpers.small_ladder import CHANGES, climb


def test_the_tuned_network_starts_from_the_one_whose_backbone_was_frozen(world: Path, tmp_path: Path) -> None:
    still = (*CHANGES, "optimiser.lr=0.0")
    climb(world, tmp_path / "out", protocol="closed", only=["full_tuned"], overrides=still)
    first, then = (load_file(tmp_path / "out/closed" / key / "network.safetensors") for key in ("last", "full_tuned"))
    assert first.keys() == then.keys()
    assert all(torch.equal(first[name], then[name]) for name in first), "no step, so no change"
    climb(world, tmp_path / "moved", protocol="closed", only=["full_tuned"])
    moved = load_file(tmp_path / "moved/closed/full_tuned/network.safetensors")
    start = load_file(tmp_path / "moved/closed/last/network.safetensors")
    changed = {name.split(".")[0] for name in start if not torch.equal(start[name], moved[name])}
    assert changed == {"tower", "pair"}
    assert any(not torch.equal(start[n], moved[n]) for n in start if n.startswith("tower.backbone."))


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    network = pair_network(study_recipe("last", ["model.backbone=small", "model.dim=8"]), None, 0)
    with pytest.raises(DoppelgramError, match="measure that rung again"):
        load_network(network, tmp_path / "none.safetensors")


def test_a_resnet_out_of_a_folder_stands_beside_the_small_net(world: Path, tmp_path: Path) -> None:
    from transformers import ResNetConfig, ResNetModel

    torch.manual_seed(0)
    config = ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="bottleneck")
    ResNetModel(config).save_pretrained(tmp_path / "weights/resnet-50")
    keys = ["cosine", "cosine-resnet-50", "last-resnet-50", "full-resnet-50"]
    climb(
        world,
        tmp_path / "out",
        backbones=("small", "resnet-50"),
        weights=tmp_path / "weights",
        protocol="closed",
        only=keys,
    )
    found = json.loads((tmp_path / "out/ladder.json").read_text())
    assert list(found["protocols"]["closed"]["rungs"]) == keys
    assert found["settings"]["backbones"] == ["small", "resnet-50"]
    first, then = (load_file(tmp_path / f"out/closed/{key}-resnet-50/network.safetensors") for key in ("last", "full"))
    norms = [name for name in first if name.endswith("running_mean") and "backbone" in name]
    assert norms
    assert all(torch.equal(first[name], then[name]) for name in norms), "batch norms keep what they came with"
    assert any(not torch.equal(first[name], then[name]) for name in first if "backbone" in name)
    with pytest.raises(DoppelgramError, match="neither a folder"):
        climb(world, tmp_path / "other", backbones=("small", "resnet-51"), weights=tmp_path / "weights")
    assert not (tmp_path / "other").exists()
