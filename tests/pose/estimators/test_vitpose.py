from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from doppelgram.errors import DoppelgramError
from doppelgram.pose.estimators.movenet import MoveNet
from doppelgram.pose.estimators.registry import make_estimator
from doppelgram.pose.estimators.vitpose import VitPose, frame, peaks
from doppelgram.pose.people import boxes
from helpers.tiny_networks import draw_people


def vitpose(folder: Path, joints: int = 17) -> Path:
    """A tiny ViTPose that is sure of every joint in the middle of its box, whatever it sees."""
    from transformers import VitPoseBackboneConfig, VitPoseConfig, VitPoseForPoseEstimation

    backbone = VitPoseBackboneConfig(
        image_size=[64, 48],
        patch_size=[16, 16],
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        out_indices=[1],
    )
    network = VitPoseForPoseEstimation(VitPoseConfig(backbone_config=backbone, num_labels=joints))
    torch.nn.init.zeros_(network.head.conv.weight)
    torch.nn.init.constant_(network.head.conv.bias, 0.8)
    network.save_pretrained(folder)
    return folder


def test_in_the_boxes_of_another_estimator(tmp_path: Path, movenet_file: Path) -> None:
    finder = MoveNet(movenet_file, workers=1)
    estimator = VitPose(vitpose(tmp_path / "vit"), finder)
    image = draw_people(300, 200, [(100, 80, 60)])
    (people,) = estimator.estimate([image])
    (found,) = finder.estimate([image])
    left, top, right, bottom = frame(boxes(found.keypoints)[0], 48 / 64)
    assert len(people) == 1
    np.testing.assert_allclose(people.keypoints[0, :, 2], 0.8, atol=1e-5)
    # A flat heat map is highest in its first cell.
    wanted = left + 0.5 / 12 * (right - left), top + 0.5 / 16 * (bottom - top)
    np.testing.assert_allclose(people.keypoints[0, 0, :2], wanted, atol=0.01)
    assert finder.key in estimator.key


def test_without_a_finder_the_whole_photograph_is_one_box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOPPELGRAM_CACHE", str(tmp_path / "empty"))
    estimator = make_estimator("vitpose", pose_weights=vitpose(tmp_path / "vit"))
    people = estimator.estimate([np.zeros((40, 90, 3), np.uint8)])[0]  # type: ignore[union-attr]
    assert (len(people), people.width, people.height) == (1, 90, 40)
    assert estimator.key.endswith("-in-whole-2")


def test_other_networks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DoppelgramError, match="has 20 keypoints; COCO's 17 are needed"):
        VitPose(vitpose(tmp_path / "twenty", 20), None)
    folder = vitpose(tmp_path / "damaged")
    (folder / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(DoppelgramError, match="is not a transformers folder of ViTPose"):
        VitPose(folder, None)
    with pytest.raises(DoppelgramError, match="is not a transformers folder of ViTPose"):
        VitPose(tmp_path, None)


def test_peaks_by_hand() -> None:
    maps = np.zeros((3, 4, 5))
    maps[0, 2, 3] = 0.9
    maps[0, 2, 2], maps[0, 1, 3] = 0.5, 0.2  # leans to the left and up
    maps[1, 0, 4] = 1.4  # at the edge, and surer than sure
    found = peaks(maps)
    np.testing.assert_allclose(found[0], ((3.5 - 0.25) / 5, (2.5 - 0.25) / 4, 0.9))
    np.testing.assert_allclose(found[1], (4.5 / 5, 0.5 / 4, 1))
    assert found[2, 2] == 0


def test_a_box_takes_the_networks_shape() -> None:
    left, top, right, bottom = frame(np.array([10.0, 20, 50, 40]), 0.75)
    assert (right - left) / (bottom - top) == pytest.approx(0.75)
    assert ((left + right) / 2, (top + bottom) / 2) == (30, 30)
    assert right - left == pytest.approx(40 * 1.25)
