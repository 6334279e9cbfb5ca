"""Our own models at the top of the ladder: the ready-made one and the one that is trained."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from doppelgram.models.backbones.registry import make_backbone
from doppelgram.models.finder_settings import FinderSettings
from doppelgram.models.ready_made import registry
from doppelgram.models.ready_made.arrangements import untrained_arrangements
from doppelgram.space.calibration import Calibration
from doppelgram.space.joint import JointCalibration
from doppelgram.studies.role_model.ours import ours_overrides
from doppelgram.studies.role_model.plan import BACKBONE
from helpers.small_ladder import RUNGS, climb


def test_our_own_model_stands_at_the_top(world: Path, done: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(done, out)  # the study's rungs are finished; only ours is left to do
    climb(world, out, ours=True)
    found = json.loads((out / "ladder.json").read_text())["protocols"]["closed"]["rungs"]
    assert list(found) == [*RUNGS, "ours"]
    assert found["ours"]["metrics"]["auc_same_place"]["value"] > 0.6, "the keypoints are the world's own"
    facts = json.loads((out / "closed/ours/run/run.json").read_text())
    assert facts["finished"]
    for name in ("report.md", "report.html"):
        assert "Ours: place and pose towers" in (out / name).read_text(encoding="utf-8")


def test_the_ready_made_model_is_asked_the_same_pairs(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    part = Calibration(4.0, 0.0, 1.0, 1, 1, "made-up posts")
    joint = JointCalibration(part, part, 0.0, 1.0, 0.0, 0.0, 0.5)
    made = untrained_arrangements(make_backbone("small"), (), joint)
    model = replace(made, finder_settings=FinderSettings())  # with the world's own keypoints
    monkeypatch.setattr(registry, "open_ready_made", lambda name, weights=None: model)
    climb(world, tmp_path / "out", ours=True, only=["cosine", "arrangements"], protocol="closed")
    found = json.loads((tmp_path / "out/ladder.json").read_text())
    rung = found["protocols"]["closed"]["rungs"]["arrangements"]
    assert rung["metrics"]["auc_same_place"]["value"] > 0.6, "the pose part knows, though nothing was trained"
    assert rung["facts"]["fitted_on"] == "made-up posts"
    assert any(
        "fitted on made-up posts" in note for note in found["notes"] + [(tmp_path / "out/report.md").read_text()]
    )
    monkeypatch.undo()
    climb(world, tmp_path / "out", ours=True, only=["cosine", "arrangements"], protocol="closed")
    again = json.loads((tmp_path / "out/ladder.json").read_text())
    assert again["protocols"]["closed"]["rungs"]["arrangements"] == rung, "kept from the first call"


def test_what_the_ready_made_model_lacks_is_said_in_the_report(world: Path, tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    climb(
        world,
        tmp_path / "out",
        ours=True,
        only=["cosine", "arrangements"],
        protocol="closed",
        weights=tmp_path / "weights",
    )
    found = json.loads((tmp_path / "out/ladder.json").read_text())
    assert list(found["protocols"]["closed"]["rungs"]) == ["cosine"]
    (note,) = (note for note in found["notes"] if "left out" in note)
    assert "“Ours, nothing trained: the ready-made model” is left out of the closed protocol" in note
    assert "movenet_thunder" in note


def test_the_recipe_keeps_its_own_estimator_unless_another_is_named() -> None:
    assert ours_overrides("", BACKBONE, quick=False) == []
    assert ours_overrides("movenet", BACKBONE, quick=False) == ["arrangement.estimator=movenet"]
    assert 'arrangement.segmenter=""' in ours_overrides("keypoints", BACKBONE, quick=False)
