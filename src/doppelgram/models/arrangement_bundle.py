"""An arrangement model on disk: the same two files as any model, with the tensors of each tower under its name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from doppelgram.errors import DoppelgramError
from doppelgram.images.framing import Framing
from doppelgram.models.arrangement import ArrangementModel
from doppelgram.models.bundle import (
    ARRANGEMENT,
    describe_network,
    load_tensors,
    read_tensors,
    rebuild_network,
    write_bundle,
)
from doppelgram.models.finder_settings import FinderSettings
from doppelgram.models.model import Model
from doppelgram.models.networks.keypoints import PoseTower
from doppelgram.models.towers import ImageTower, KeypointTower
from doppelgram.space.arrangement import ArrangementSpace, JointCalibration

_SIDES = ("place", "pose")


def save_arrangement(model: ArrangementModel, folder: Path) -> Path:
    """Write an arrangement model to a folder, each file whole or not at all, and set its fingerprint.

    Returns:
        The folder.
    """
    tensors: dict[str, torch.Tensor] = {}
    architecture: dict[str, Any] = {}
    for side in _SIDES:
        towers = getattr(model, side)
        architecture[side] = [_describe(tower) for tower in towers]
        for number, tower in enumerate(towers):
            for name, tensor in _network(tower).state_dict().items():
                tensors[f"{side}.{number}.{name}"] = tensor
    space = model.space
    architecture["space"] = {"place_dim": space.place_dim, "pose_dim": space.pose_dim, "people": space.people}
    description = {
        "kind": ARRANGEMENT,
        "architecture": architecture,
        "preprocessing": model.finder_settings.to_dict(),
        "calibration": space.calibration.to_dict(),
        "labels": list(model.labels),
        "recipe": dict(model.recipe),
    }
    model.fingerprint = write_bundle(folder, tensors, description)
    return folder


def assemble_arrangement(description: dict[str, Any], weights_file: Path) -> ArrangementModel:
    """The model that a checked description and its file of tensors hold.

    Raises:
        DoppelgramError: they do not fit each other.
        KeyError, TypeError: something is missing in the description.
    """
    architecture, tensors = description["architecture"], read_tensors(weights_file)
    towers = {
        side: [_rebuild(spec, _named(tensors, f"{side}.{number}."), weights_file)
               for number, spec in enumerate(architecture[side])]
        for side in _SIDES
    }  # fmt: skip
    calibration = JointCalibration.from_dict(description["calibration"])
    space = ArrangementSpace(**architecture["space"], calibration=calibration)
    return ArrangementModel(
        place=[tower for tower in towers["place"] if isinstance(tower, ImageTower)],
        pose=towers["pose"],
        space=space,
        finder_settings=FinderSettings.from_dict(description["preprocessing"]),
        labels=tuple(description["labels"]),
        recipe=description["recipe"],
        fingerprint=description["fingerprint"],
    )


def _network(tower: ImageTower | KeypointTower) -> torch.nn.Module:
    return tower.network if isinstance(tower, KeypointTower) else tower.model.network


def _describe(tower: ImageTower | KeypointTower) -> dict[str, Any]:
    if isinstance(tower, KeypointTower):
        return {"sees": "keypoints", "weight": tower.weight, "network": dict(tower.network.spec)}  # type: ignore[arg-type]
    return {
        "sees": tower.sees,
        "weight": tower.weight,
        "network": describe_network(tower.model.network),
        "framing": tower.model.framing.to_dict(),
        "mirror": tower.model.mirror,
    }


def _rebuild(spec: dict[str, Any], tensors: dict[str, torch.Tensor], weights_file: Path) -> ImageTower | KeypointTower:
    if spec["sees"] == "keypoints":
        pose_tower = PoseTower(**spec["network"])
        load_tensors(pose_tower, tensors, weights_file)
        return KeypointTower(pose_tower.eval(), spec["weight"])
    network = rebuild_network(spec["network"])
    load_tensors(network, tensors, weights_file)
    if network.backbone.convolutional:
        network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    model = Model(network.eval(), Framing.from_dict(spec["framing"]), bool(spec["mirror"]))
    return ImageTower(model, spec["sees"], spec["weight"])


def _named(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    found = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    if not found:
        raise DoppelgramError(f"the model's file has no weights of its tower '{prefix.rstrip('.')}'; it is damaged")
    return found
