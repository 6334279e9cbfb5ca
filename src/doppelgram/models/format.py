"""The files of a saved model: a folder with ``model.safetensors`` and ``model.json``, and nothing that can run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doppelgram.errors import DoppelgramError
from doppelgram.files import written_whole

if TYPE_CHECKING:
    import torch

    from doppelgram.models.networks.embedding import EmbeddingNetwork

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


def fingerprint_of(description: dict[str, Any], tensors: Mapping[str, torch.Tensor]) -> str:
    """The fingerprint that `write_bundle` gives a description and its tensors."""
    from safetensors.torch import save

    return _fingerprint(description, hashlib.sha256(save(_whole(tensors), metadata={"format": "pt"})).hexdigest())


def _whole(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}


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


def rebuild_network(architecture: dict[str, Any], tensors: Mapping[str, torch.Tensor]) -> EmbeddingNetwork:
    """The network that `describe_network` described, with these weights, ready to embed.

    Raises:
        KeyError, TypeError, RuntimeError: they do not fit each other.
    """
    import torch

    from doppelgram.models.backbones.registry import rebuild_backbone
    from doppelgram.models.networks.embedding import DepthwisePooling, EmbeddingHead, EmbeddingNetwork

    backbone = rebuild_backbone(architecture["backbone"])
    backbone.mean, backbone.std = tuple(architecture["mean"]), tuple(architecture["std"])
    pooling = DepthwisePooling(**architecture["pooling"]) if "pooling" in architecture else None
    network = EmbeddingNetwork(backbone, EmbeddingHead(backbone.dim, **architecture["head"]), pooling=pooling)
    network.load_state_dict(dict(tensors))
    if backbone.convolutional:
        network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network.eval()


def write_bundle(folder: Path, description: dict[str, Any], tensors: Mapping[str, torch.Tensor]) -> str:
    """Write a description and tensors; returns the fingerprint."""
    from safetensors.torch import save_file

    # The weights take their place first: a description counts only with the weights that it names.
    with written_whole(folder / DESCRIPTION_FILE) as text, written_whole(folder / WEIGHTS_FILE) as aside:
        save_file(_whole(tensors), aside, metadata={"format": "pt"})
        weights = _digest_file(aside)
        # Through JSON once, so that what is hashed now equals what is hashed after reading it back.
        description = json.loads(
            _canonical({"format": FORMAT, "version": VERSION, **description, "weights_sha256": weights})
        )
        description["fingerprint"] = _fingerprint(description, weights)
        description["checksum"] = hashlib.sha256(_canonical(description)).hexdigest()
        text.write_text(json.dumps(description, indent=1, ensure_ascii=True) + "\n", encoding="utf-8")
    return str(description["fingerprint"])


def write_recalibrated(folder: Path, file: Path, calibration: Mapping[str, Any]) -> None:
    """Write the description of a saved model with another calibration, which leaves its vectors as they are.

    Args:
        folder: of the saved model, which stays as it is.
        file: to write; in the model's own folder it would be the model's description.
        calibration: as the description of such a model holds it.

    Raises:
        DoppelgramError: the folder holds no model, or one that was altered.
    """
    description = json.loads(_canonical(read_bundle(folder)[0] | {"calibration": dict(calibration)}))
    description["checksum"] = hashlib.sha256(_canonical(description)).hexdigest()
    with written_whole(file) as aside:
        aside.write_text(json.dumps(description, indent=1, ensure_ascii=True) + "\n", encoding="utf-8")


def read_bundle(folder: Path) -> tuple[dict[str, Any], Path]:
    """The checked description of a saved model, and the file of its weights.

    Raises:
        DoppelgramError: the folder holds another program's model, a newer version's, or one that was altered.
    """
    file = folder / DESCRIPTION_FILE
    description = read_description(file, FORMAT, VERSION, "model")
    checksum = description.pop("checksum", None)
    if hashlib.sha256(_canonical(description)).hexdigest() != checksum:
        raise DoppelgramError(f"{file}: was altered after it was saved; not loaded")
    weights_file = folder / WEIGHTS_FILE
    if not weights_file.is_file():
        raise DoppelgramError(f"{weights_file}: is missing; the model is not whole")
    if _digest_file(weights_file) != description.get("weights_sha256"):
        raise DoppelgramError(f"{weights_file}: does not belong to {DESCRIPTION_FILE} or was altered; not loaded")
    return description, weights_file


def read_description(file: Path, kind: str, version: int, what: str) -> dict[str, Any]:
    """A JSON file of ours by which a folder is known, such as ``model.json``; see `checked_description`."""
    try:
        data = file.read_bytes()
    except OSError:
        data = b""
    return checked_description(data, file, kind, version, what)


def checked_description(
    data: bytes, file: object, kind: str, version: int, what: str, *, oldest: int | None = None
) -> dict[str, Any]:
    """What such a file says.

    Args:
        data: its content.
        file: its name, for messages.
        kind: what it gives as its ``format``.
        version: that this program writes.
        what: the folder is called.
        oldest: version that this program reads; by default that one alone.

    Raises:
        DoppelgramError: it is damaged, another program's, or of another version.
    """
    try:
        found = json.loads(data)
    except ValueError:
        raise DoppelgramError(f"{file}: cannot be read as JSON; the {what} is damaged") from None
    if not isinstance(found, dict) or found.get("format") != kind:
        raise DoppelgramError(f"{file}: this is not a {what} written by doppelgram")
    if type(found.get("version")) is not int or not (oldest or version) <= found["version"] <= version:
        reads = version if oldest is None else f"{oldest} to {version}"
        raise DoppelgramError(
            f"{file}: written in {what} version {found.get('version')}, but this program reads {reads}; "
            "update the program"
        )
    return found


def read_tensors(weights_file: Path) -> dict[str, torch.Tensor]:
    """The tensors of a saved model's file; raises DoppelgramError where it is no such file."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(weights_file)
    except SafetensorError as problem:
        raise DoppelgramError(f"{weights_file}: does not fit its description: {str(problem).splitlines()[0]}") from None
