"""The saved model: a folder with ``model.safetensors`` and ``model.json``, and nothing that can run."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import torch

from doppelgram.errors import DoppelgramError
from doppelgram.images.framing import Framing
from doppelgram.models.backbones import rebuild_backbone
from doppelgram.models.calibration import Calibration
from doppelgram.models.model import Model
from doppelgram.models.network import DepthwisePooling, EmbeddingHead, EmbeddingNetwork

FORMAT = "doppelgram-model"
VERSION = 1
WEIGHTS_FILE, DESCRIPTION_FILE = "model.safetensors", "model.json"


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
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in model.network.state_dict().items()}
    aside = folder / (WEIGHTS_FILE + ".part")
    save_file(tensors, aside, metadata={"format": "pt"})
    weights = _digest_file(aside)
    pooling = {} if model.network.pooling is None else {"pooling": model.network.pooling.spec}
    description: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "architecture": {
            "backbone": model.network.backbone.spec,
            "head": model.network.head.spec,
            **pooling,
            "mean": list(model.network.backbone.mean),
            "std": list(model.network.backbone.std),
        },
        "preprocessing": {"framing": model.framing.to_dict(), "mirror": model.mirror},
        "calibration": model.calibration.to_dict() if model.calibration else None,
        "labels": list(model.labels),
        "recipe": dict(model.recipe),
        "weights_sha256": weights,
    }
    # Through JSON once, so that what is hashed now equals what is hashed after reading it back.
    description = json.loads(_canonical(description))
    description["fingerprint"] = _fingerprint(description, weights)
    description["checksum"] = hashlib.sha256(_canonical(description)).hexdigest()
    text = folder / (DESCRIPTION_FILE + ".part")
    text.write_text(json.dumps(description, indent=1, ensure_ascii=True) + "\n", encoding="utf-8")
    os.replace(aside, folder / WEIGHTS_FILE)
    os.replace(text, folder / DESCRIPTION_FILE)
    model.fingerprint = description["fingerprint"]
    return folder


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


def load_model(path: Path | str) -> Model:
    """Load a model from its folder or from the run that made it.

    Raises:
        DoppelgramError: the folder holds no model, another program's, a newer version's, or one that was altered.
    """
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

    try:
        return _assemble(description, weights_file)
    except (KeyError, TypeError) as problem:
        raise DoppelgramError(f"{file}: lacks {problem}; the model is damaged") from None


def _assemble(description: dict[str, Any], weights_file: Path) -> Model:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    architecture = description["architecture"]
    backbone = rebuild_backbone(architecture["backbone"])
    backbone.mean, backbone.std = tuple(architecture["mean"]), tuple(architecture["std"])
    pooling = DepthwisePooling(**architecture["pooling"]) if "pooling" in architecture else None
    network = EmbeddingNetwork(backbone, EmbeddingHead(backbone.dim, **architecture["head"]), pooling=pooling)
    try:
        network.load_state_dict(load_file(weights_file))
    except (RuntimeError, SafetensorError) as problem:
        raise DoppelgramError(f"{weights_file}: does not fit its description: {str(problem).splitlines()[0]}") from None
    if backbone.convolutional:
        network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    calibration = description["calibration"]
    return Model(
        network=network.eval(),
        framing=Framing.from_dict(description["preprocessing"]["framing"]),
        mirror=bool(description["preprocessing"]["mirror"]),
        calibration=Calibration.from_dict(calibration) if calibration else None,
        labels=tuple(description["labels"]),
        recipe=description["recipe"],
        fingerprint=description["fingerprint"],
    )
