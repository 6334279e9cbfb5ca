"""The ready-made model of faces: dlib from beginning to end, or with a network of one's own that describes them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from doppelgram.models.ready_made.description import HERE, ReadyMade
from doppelgram.weights import find_weights

if TYPE_CHECKING:
    from doppelgram.models.embedder import Embedder

NETWORKS = (".onnx", ".xml")
"""Endings of the files that may hold a network of the ArcFace kind."""

_DESCRIPTOR, _LANDMARKS = "dlib_face_descriptor", "dlib_face_landmarks"


def _faces(weights: Path | None) -> Embedder:
    from doppelgram.models.faces import dlib_faces
    from doppelgram.space.calibration import Calibration

    calibration = Calibration.from_dict(json.loads((HERE / "faces.json").read_text(encoding="utf-8")))
    return dlib_faces(find_weights(_DESCRIPTOR, weights), find_weights(_LANDMARKS, weights), calibration)


FACES = ReadyMade(
    name="faces",
    about="the same person, by the face",
    weights=(_DESCRIPTOR, _LANDMARKS),
    licence="CC0-1.0",
    figures=(
        "LFW, 62 people: the nearest face is the same person's for 99.8 % of 460 photographs",
        "pairs of 50 other people of LFW: AUC 0.9987, equal error rate 1.5 %",
    ),
    build=_faces,
)


def open_face_network(file: Path, weights: Path | None = None) -> Embedder:
    """`FACES` with a network in a file in place of dlib's descriptor; it has no calibration.

    Args:
        file: ONNX or OpenVINO's ``.xml``; where it is not there any more, one of that name in a folder of weights.
        weights: folder in which weights are looked up first.

    Raises:
        DoppelgramError: the file is nowhere, is no such network, or something is not installed.
    """

    def build(weights: Path | None) -> Embedder:
        from doppelgram.models.faces import network_faces

        return network_faces(found, find_weights(_LANDMARKS, weights))

    found = file if file.is_file() else find_weights(file.name, weights)
    model = replace(FACES, weights=(_LANDMARKS,), build=build).open(weights)
    model.recipe = {**model.recipe, "network": str(found.absolute())}
    model.origin = {**(model.origin or {}), "recipe": dict(model.recipe)}
    return model
