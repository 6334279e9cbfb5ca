"""Which networks of a model can be run elsewhere, and all that has to be known to do so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from doppelgram.errors import DoppelgramError
from doppelgram.images.framing import Framing
from doppelgram.models.arrangement import ArrangementModel
from doppelgram.models.embedder import Embedder
from doppelgram.models.model import Model
from doppelgram.models.place_tower import MaskedTower
from doppelgram.models.towers import ImageTower, example_square

INPUT, OUTPUT = "pixels", "embedding"
FORMAT, VERSION = "doppelgram-export", 1


@dataclass(frozen=True)
class Part:
    """One network as it is exported.

    Attributes:
        name: of its files.
        network: pixels, uint8 (n, size, size, channels), to embeddings (n, dim).
        channels: 3, red first; or 4, the last one 255 where people cover the photograph.
        dim: size of an embedding.
        facts: what its JSON holds besides the names of files.
    """

    name: str
    network: nn.Module
    channels: int
    dim: int
    facts: dict[str, Any]

    @property
    def size(self) -> int:
        """Side of the square that it is shown."""
        return int(self.facts["preprocessing"]["size"])

    @property
    def example(self) -> Tensor:
        """One black square."""
        return example_square(Framing(self.size), self.channels)


class Unit(nn.Module):
    """A network whose embeddings are brought to length one."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> Tensor:
        """Embeddings (b, dim) of length one."""
        return functional.normalize(self.network(pixels), dim=1)


def exportable(model: Embedder) -> tuple[list[Part], str]:
    """The networks of a model that can be exported, and in a sentence what of it cannot; empty where all can.

    Raises:
        DoppelgramError: nothing of it can.
    """
    if isinstance(model, Model):
        # The vectors of a ready-made model are brought to length one, whatever its network gives.
        network = Unit(model.tower.program) if model.origin is not None else model.tower.program
        known = {"calibration": _calibration(model), "fingerprint": model.fingerprint, "labels": list(model.labels)}
        return [_part("model", model.tower, network, 3, known)], ""
    if not isinstance(model, ArrangementModel):
        raise DoppelgramError(
            "faces are found, turned and described by dlib or by a network that is a file already; there is nothing to "
            "export"
        )
    parts = []
    for side, towers in (("place", model.place), ("pose", model.pose)):
        for number, tower in enumerate(towers, start=1):
            name = side if len(towers) == 1 else f"{side}-{number}"
            facts: dict[str, Any] = {"sees": tower.sees, "weight": tower.weight, "fingerprint": model.fingerprint}
            if isinstance(tower, ImageTower):
                parts.append(_part(name, tower, Unit(tower.program), 3, facts))
            elif isinstance(tower, MaskedTower):
                parts.append(_part(name, tower, Unit(tower.program), tower.network.channels, facts))
    return parts, (
        "each network that sees pixels is exported by itself; what finds people and their outlines, poses from "
        "keypoints, and the probability of place and pose together are not"
    )


def _part(name: str, tower: ImageTower | MaskedTower, network: nn.Module, channels: int, facts: dict[str, Any]) -> Part:
    framing = tower.framing
    backbone = tower.network.backbone
    described = {
        "format": FORMAT,
        "version": VERSION,
        "input": {
            "name": INPUT,
            "type": "uint8",
            "shape": ["n", framing.size, framing.size, channels],
            "channels": ["red", "green", "blue", "people"][:channels],
        },
        "output": {"name": OUTPUT, "type": "float32", "shape": ["n", tower.dim], "compare": "euclidean"},
        "preprocessing": {
            "upright": "turn the photograph as its EXIF orientation says, then RGB, transparent parts over white",
            **framing.to_dict(),
            "filter": "bicubic, antialiased",
            "inside": "pixels are divided by 255, then (value - mean) / std, in the network itself",
            "mean": list(backbone.mean),
            "std": list(backbone.std),
        },
        **facts,
    }
    return Part(name, network.eval(), channels, tower.dim, described)


def _calibration(model: Model) -> dict[str, Any] | None:
    """P = 1 / (1 + exp(a d - b)); where probabilities were counted, the curve that holds in its place."""
    found = model.calibration
    if found is None:
        return None
    return {
        "a": found.slope,
        "b": found.intercept,
        "same_up_to": found.even,
        "fitted_on": found.fitted_on,
        "pairs": found.pairs.to_dict() if found.pairs else None,
    }


@torch.inference_mode()
def by_torch(part: Part, pixels: Tensor) -> Tensor:
    """Embeddings (n, dim) by the network itself, what an exported file has to give."""
    found: Tensor = part.network(pixels)
    return found
