"""The ready-made models by name, and how a saved one finds its weights again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doppelgram.errors import DoppelgramError
from doppelgram.models.ready_made.arrangements import ARRANGEMENTS, PLACES_OF
from doppelgram.models.ready_made.description import ReadyMade
from doppelgram.models.ready_made.faces import FACES, open_face_network
from doppelgram.models.ready_made.things import THINGS, THINGS_DINOV2

if TYPE_CHECKING:
    from doppelgram.models.embedder import Embedder

READY_MADE: Mapping[str, ReadyMade] = {model.name: model for model in (FACES, ARRANGEMENTS, THINGS, THINGS_DINOV2)}


def ready_made(model: object) -> str:
    """The name, where a text names a ready-made model; empty for a folder. A `Path` always means the folder."""
    return model if isinstance(model, str) and model in READY_MADE else ""


def names_model(model: object) -> bool:
    """Whether a text is no folder by itself: a ready-made model, or ``arrangements:RUN``."""
    return bool(ready_made(model)) or (isinstance(model, str) and model.startswith(PLACES_OF))


def open_ready_made(name: str, weights: Path | str | None = None) -> Embedder:
    """The ready-made model of that name.

    Raises:
        DoppelgramError: there is none, or weights are missing; the sentence has the command that brings them.
    """
    if name not in READY_MADE:
        raise DoppelgramError(f"there is no ready-made model '{name}'; there are {', '.join(READY_MADE)}")
    return READY_MADE[name].open(Path(weights).expanduser() if weights else None)


def assemble_ready_made(
    description: dict[str, Any], tensors: object, *, weights: Path | None = None, keypoints: Path | None = None
) -> Embedder:
    """The model that a saved description names, of weights that are looked up again.

    Raises:
        DoppelgramError: weights are missing, or other ones than it was made of.
    """
    made = description["architecture"]
    name, files = made["ready_made"], made["files"]
    if name not in READY_MADE:
        raise DoppelgramError(f"there is no ready-made model '{name}' in this version of the program; update it")
    network = description["recipe"].get("network")
    model = open_face_network(Path(network), weights) if network else open_ready_made(name, weights)
    if model.fingerprint != description["fingerprint"]:
        now = (model.origin or {})["architecture"]["files"]
        other = [file for file in files if now.get(file) != files[file]]
        other += [network] if network and not other else []
        which = f"other weights ({', '.join(other)})" if other else "another version of it"
        raise DoppelgramError(
            f"this was made by the ready-made model '{name}' with {which} than is here, and the two do not compare; "
            "index into a new folder"
        )
    if description["calibration"] is not None:
        model.calibrate(description["calibration"])
    return model
