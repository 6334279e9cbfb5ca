"""Rungs of the ladder: what is trained first, and backbones out of a folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from doppelgram import DoppelgramError
from doppelgram.studies.role_model.plan import ladder
from doppelgram.studies.role_model.rungs import pair_network
from helpers.small_ladder import CHANGES, climb


def test_the_tuned_network_trains_its_new_layers_first(world: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    climb(world, out, protocol="closed", only=["full_tuned"])
    first, then = (load_file(out / "closed/full_tuned" / part / "network.safetensors") for part in ("first", ""))
    new = new_weights()
    backbone = [name for name in first if name.startswith("tower.backbone.")]
    assert all(torch.equal(first[name], new[name]) for name in backbone), "which is frozen at first"
    assert any(not torch.equal(first[name], new[name]) for name in first if name.startswith("pair."))
    assert any(not torch.equal(first[name], then[name]) for name in backbone), "and trained with the rest"
    written = (out / "closed/full_tuned/first/network.safetensors").stat().st_mtime_ns
    (out / "closed/full_tuned/result.json").unlink()
    figures = json.loads((out / "ladder.json").read_text())["protocols"]["closed"]["rungs"]["full_tuned"]["metrics"]
    climb(world, out, protocol="closed", only=["full_tuned"])
    again = json.loads((out / "ladder.json").read_text())["protocols"]["closed"]["rungs"]["full_tuned"]["metrics"]
    assert again == figures
    assert (out / "closed/full_tuned/first/network.safetensors").stat().st_mtime_ns == written, "once is enough"


def new_weights() -> dict[str, torch.Tensor]:
    """The weights of the untrained network of that rung."""
    (rung,) = (rung for rung in ladder(["small"], quick=True, overrides=CHANGES) if rung.key == "full_tuned")
    assert rung.recipe is not None
    return pair_network(rung.recipe, None, 0).state_dict()


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
