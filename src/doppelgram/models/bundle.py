"""The saved model: a folder with ``model.safetensors`` and ``model.json``, and nothing that can run."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from doppelgram.errors import DoppelgramError
from doppelgram.images.framing import Framing
from doppelgram.models.backbones.registry import rebuild_backbone
from doppelgram.models.model import Model
from doppelgram.models.networks.embedding import DepthwisePooling, EmbeddingHead, EmbeddingNetwork
from doppelgram.space.calibration import Calibration

if TYPE_CHECKING:
    from doppelgram.models.arrangement import ArrangementModel

FORMAT = "doppelgram-model"
VERSION = 1
WEIGHTS_FILE, DESCRIPTION_FILE = "model.safetensors", "model.json"
ARRANGEMENT = "arrangement"  # what ``kind`` says of a model of places and poses; one of whole images says nothing


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def _digest_file(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _fingerprint(description: dict[str, Any], weights: str) -> str:
    """What decides a model's vectors: architecture, preprocessing, weights. Recalibrating leaves it as it is."""
    parts = {
        "architecture": description["architecture"],
        "preprocessing": description["preprocessing"],
        "weights": weights,
    }
    return hashlib.sha256(_canonical(parts)).hexdigest()


def save_model(model: Model, folder: Path) -> Path:
    """Write a model to a folder, each file whole or not at all, and set its fingerprint.

    Returns:
        The folder.
    """
    # Written only where there are several: the fingerprints of models with one stay what they were.
    views = {} if model.views == 1 else {"views": model.views}
    description = {
        "architecture": describe_network(model.network),
        "preprocessing": {"framing": model.framing.to_dict(), "mirror": model.mirror, **views},
        "calibration": model.calibration.to_dict() if model.calibration else None,
        "labels": list(model.labels),
        "recipe": dict(model.recipe),
    }
    model.fingerprint = write_bundle(folder, model.network.state_dict(), description)
    return folder


def describe_network(network: EmbeddingNetwork) -> dict[str, Any]:
    """What `rebuild_network` needs to make the same network again, JSON-ready."""
    pooling = {} if network.pooling is None else {"pooling": network.pooling.spec}
    return {
        "backbone": network.backbone.spec,
        "head": network.head.spec,
        **pooling,
        "mean": list(network.backbone.mean),
        "std": list(network.backbone.std),
    }


def rebuild_network(architecture: dict[str, Any]) -> EmbeddingNetwork:
    """The network that `describe_network` described, with other weights."""
    backbone = rebuild_backbone(architecture["backbone"])
    backbone.mean, backbone.std = tuple(architecture["mean"]), tuple(architecture["std"])
    pooling = DepthwisePooling(**architecture["pooling"]) if "pooling" in architecture else None
    return EmbeddingNetwork(backbone, EmbeddingHead(backbone.dim, **architecture["head"]), pooling=pooling)


def write_bundle(folder: Path, tensors: Mapping[str, torch.Tensor], description: dict[str, Any]) -> str:
    """Write tensors and a description that has at least ``architecture`` and ``preprocessing``.

    Returns:
        The fingerprint.
    """
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    aside = folder / (WEIGHTS_FILE + ".part")
    whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    save_file(whole, aside, metadata={"format": "pt"})
    weights = _digest_file(aside)
    # Through JSON once, so that what is hashed now equals what is hashed after reading it back.
    description = json.loads(
        _canonical({"format": FORMAT, "version": VERSION, **description, "weights_sha256": weights})
    )
    description["fingerprint"] = _fingerprint(description, weights)
    description["checksum"] = hashlib.sha256(_canonical(description)).hexdigest()
    text = folder / (DESCRIPTION_FILE + ".part")
    text.write_text(json.dumps(description, indent=1, ensure_ascii=True) + "\n", encoding="utf-8")
    os.replace(aside, folder / WEIGHTS_FILE)
    os.replace(text, folder / DESCRIPTION_FILE)
    return str(description["fingerprint"])


def model_folder(path: Path | str) -> Path:
    """The folder that holds the model: the given one, or ``model/`` inside a run.

    Raises:
        DoppelgramError: there is no model in either.
    """
    path = Path(path).expanduser()
    for folder in (path, path / "model"):
        if (folder / DESCRIPTION_FILE).is_file():
            return folder
    if not path.exists():
        raise DoppelgramError(f"{path}: there is no such run or model")
    if (path / "run.json").is_file():
        raise DoppelgramError(
            f"{path}: this run has no finished model yet; continue it with `doppelgram train ... --resume`"
        )
    raise DoppelgramError(
        f"{path}: there is no {DESCRIPTION_FILE} here; this is neither a run nor a model of doppelgram"
    )


def load_model(
    path: Path | str, *, weights: Path | str | None = None, keypoints: Path | str | None = None
) -> Model | ArrangementModel:
    """Load a model from its folder or from the run that made it.

    Args:
        path: the folder.
        weights: for an arrangement model, where the weights of what finds people in photographs are looked up first.
        keypoints: for one that takes ready-made keypoints, the file that holds them.

    Raises:
        DoppelgramError: the folder holds no model, another program's, a newer version's, or one that was altered.
    """
    description, weights_file = _read_bundle(path)
    try:
        if description.get("kind") == ARRANGEMENT:
            from doppelgram.models.arrangement_bundle import assemble_arrangement

            model = assemble_arrangement(description, weights_file)
            model.weights, model.keypoints = (Path(p).expanduser() if p else None for p in (weights, keypoints))
            return model
        return _assemble(description, weights_file)
    except (KeyError, TypeError) as problem:
        file = weights_file.with_name(DESCRIPTION_FILE)
        raise DoppelgramError(f"{file}: lacks {problem}; the model is damaged") from None


def load_image_model(path: Path | str, wanted_by: str) -> Model:
    """Load a model of whole images, for a command that can use no other.

    Raises:
        DoppelgramError: as `load_model`, or it is a model of places and poses.
    """
    model = load_model(path)
    if not isinstance(model, Model):
        raise DoppelgramError(
            f"{path}: this is a model of places and poses, and {wanted_by} takes models that compare whole images; "
            "use index, search, verify, evaluate, compare-images or trace"
        )
    return model


def _read_bundle(path: Path | str) -> tuple[dict[str, Any], Path]:
    """The checked description of a saved model, and the file of its weights."""
    folder = model_folder(path)
    file = folder / DESCRIPTION_FILE
    try:
        description = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise DoppelgramError(f"{file}: cannot be read as JSON; the model is damaged") from None
    if not isinstance(description, dict) or description.get("format") != FORMAT:
        raise DoppelgramError(f"{file}: this is not a model written by doppelgram")
    if description.get("version") != VERSION:
        raise DoppelgramError(
            f"{file}: written in format version {description.get('version')}, but this program reads {VERSION}; "
            "update the program"
        )
    checksum = description.pop("checksum", None)
    if hashlib.sha256(_canonical(description)).hexdigest() != checksum:
        raise DoppelgramError(f"{file}: was altered after it was saved; not loaded")
    weights_file = folder / WEIGHTS_FILE
    if not weights_file.is_file():
        raise DoppelgramError(f"{weights_file}: is missing; the model is not whole")
    if _digest_file(weights_file) != description.get("weights_sha256"):
        raise DoppelgramError(f"{weights_file}: does not belong to {DESCRIPTION_FILE} or was altered; not loaded")
    return description, weights_file


def load_tensors(network: torch.nn.Module, tensors: Mapping[str, torch.Tensor], weights_file: Path) -> None:
    """Put tensors into a network; raises DoppelgramError, naming their file, where they do not fit it."""
    try:
        network.load_state_dict(dict(tensors))
    except RuntimeError as problem:
        raise DoppelgramError(f"{weights_file}: does not fit its description: {str(problem).splitlines()[0]}") from None


def read_tensors(weights_file: Path) -> dict[str, torch.Tensor]:
    """The tensors of a saved model's file; raises DoppelgramError where it is no such file."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(weights_file)
    except SafetensorError as problem:
        raise DoppelgramError(f"{weights_file}: does not fit its description: {str(problem).splitlines()[0]}") from None


def _assemble(description: dict[str, Any], weights_file: Path) -> Model:
    network = rebuild_network(description["architecture"])
    load_tensors(network, read_tensors(weights_file), weights_file)
    if network.backbone.convolutional:
        network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    calibration = description["calibration"]
    return Model(
        network=network.eval(),
        framing=Framing.from_dict(description["preprocessing"]["framing"]),
        mirror=bool(description["preprocessing"]["mirror"]),
        views=int(description["preprocessing"].get("views", 1)),
        calibration=Calibration.from_dict(calibration) if calibration else None,
        labels=tuple(description["labels"]),
        recipe=description["recipe"],
        fingerprint=description["fingerprint"],
    )
