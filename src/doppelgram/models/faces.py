"""The model of faces: each photograph's faces found, aligned, and described by a pretrained network."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from doppelgram.errors import DoppelgramError
from doppelgram.images.face_framing import FaceFraming
from doppelgram.images.faces.alignment import ARCFACE_SIDE
from doppelgram.images.faces.dlib import import_dlib
from doppelgram.images.read import Photograph
from doppelgram.models.embedder import Embedded, Embedder
from doppelgram.pose.engine import Engine
from doppelgram.space.calibration import Calibration
from doppelgram.space.euclidean import EuclideanSpace
from doppelgram.space.exact import Float32


class Descriptor(Protocol):
    """What makes numbers of aligned faces.

    Attributes:
        alignment: of `FaceFraming`, that it was trained on.
        dim: how many numbers.
    """

    alignment: str
    dim: int

    def __call__(self, faces: NDArray[np.uint8]) -> Float32:
        """Describe aligned faces, uint8 (n, side, side, 3), by float32 (n, dim)."""

    def described(self) -> dict[str, str]:
        """What it is, JSON-ready."""


class DlibDescriptor:
    """dlib's network of 29 layers: 128 numbers, the mean of those of a face and of its mirror image.

    Raises:
        DoppelgramError: dlib is not installed, or the file is not its network.
    """

    alignment, dim = "dlib", 128

    def __init__(self, file: Path) -> None:
        self._file, self._turn = file, threading.Lock()
        try:
            self._network = import_dlib().face_recognition_model_v1(str(file))
        except RuntimeError:
            raise DoppelgramError(f"{file}: is no network of faces that dlib can read") from None

    def __call__(self, faces: NDArray[np.uint8]) -> Float32:
        """See `Descriptor`."""
        with self._turn:  # the network keeps what it computes
            both = self._network.compute_face_descriptor([*faces, *np.ascontiguousarray(faces[:, :, ::-1])])
        return np.asarray(np.array(both, dtype=np.float32).reshape(2, len(faces), self.dim).mean(axis=0))

    def described(self) -> dict[str, str]:
        """See `Descriptor`."""
        return {"descriptor": "dlib", "mirror": "mean"}


class NetworkDescriptor:
    """A network of the ArcFace kind in a file: one aligned face of 112 x 112 to numbers, brought to unit length.

    Its input is red first, (v - 127.5) / 127.5 of values from 0 to 255, as (1, 3, 112, 112) or (1, 112, 112, 3).

    Raises:
        DoppelgramError: OpenVINO is not installed, or the file holds no such network.
    """

    alignment = "arcface"

    def __init__(self, file: Path) -> None:
        self._engine = Engine(file, what="a network of faces")
        side, shape = ARCFACE_SIDE, self._engine.shape
        self._channels_first = shape == (1, 3, side, side)
        outputs = self._engine.outputs
        if not (self._channels_first or shape == (1, side, side, 3)) or len(outputs) != 1 or len(outputs[0]) != 2:
            raise DoppelgramError(
                f"{file}: a network of faces takes one image (1, 3, {side}, {side}) and gives one row of numbers, but "
                f"this one takes {shape} and gives {outputs}; save it for batches of one image"
            )
        self.dim = outputs[0][1]

    def __call__(self, faces: NDArray[np.uint8]) -> Float32:
        """See `Descriptor`."""
        vectors = np.empty((len(faces), self.dim), dtype=np.float32)
        for row, face in enumerate(faces):
            values = (face[None].astype(np.float32) - 127.5) / 127.5
            (found,) = self._engine(values.transpose(0, 3, 1, 2) if self._channels_first else values)
            vectors[row] = found[0]
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.float32(1e-12))
        return vectors

    def described(self) -> dict[str, str]:
        """See `Descriptor`."""
        return {"descriptor": "network", "digest": self._engine.digest}


@dataclass
class FaceModel(Embedder):
    """Describes faces; see `doppelgram.models.embedder.Embedder`.

    A photograph without a face gives no vector: `images.read` calls it ``faceless``.

    Attributes:
        finding: finds and aligns faces.
        descriptor: makes numbers of them.
        calibration: distance to probability; None where none was fitted.
    """

    finding: FaceFraming
    descriptor: Descriptor
    calibration: Calibration | None = None
    labels: Sequence[str] = ()
    recipe: Mapping[str, Any] = field(default_factory=dict)
    fingerprint: str = ""
    origin: dict[str, Any] | None = field(default=None, repr=False)

    at_once: ClassVar[int] = 64
    takes_cuts: ClassVar[bool] = False
    tells_faces: ClassVar[bool] = True

    @property
    def framing(self) -> FaceFraming:
        """Finds and aligns faces."""
        return self.finding

    @property
    def space(self) -> EuclideanSpace:  # type: ignore[override]
        """Euclidean distance of descriptors."""
        return EuclideanSpace(self.descriptor.dim, self.calibration)

    def embed(self, photographs: Sequence[Photograph]) -> Embedded:
        """Describe the face that each photograph's pixels show."""
        faces = [one.pixels for one in photographs if one.pixels is not None]
        empty = np.empty((0, self.descriptor.dim), dtype=np.float32)
        return Embedded(self.descriptor(np.stack(faces)) if faces else empty)

    def with_face(self, face: str) -> FaceModel:
        """The model itself; it finds faces in its own way."""
        if face:
            raise DoppelgramError("a model of faces finds them itself; leave --crop out")
        return self

    def with_faces(self, which: str) -> FaceModel:
        """The same model for other faces of a photograph; see `Embedder.with_faces`."""
        return replace(self, finding=replace(self.finding, which=which)) if which else self

    def calibrate(self, values: dict[str, Any]) -> None:
        """Take another calibration; see `Embedder.calibrate`."""
        self.calibration = Calibration.from_dict(values)

    def described(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """All of it but the weights, which are files that dlib and OpenVINO read themselves."""
        description = {
            "architecture": self.descriptor.described(),
            "preprocessing": {
                "alignment": self.framing.alignment,
                "landmarks": hashlib.sha256(self.framing.landmarks.read_bytes()).hexdigest(),
            },
            "calibration": self.calibration.to_dict() if self.calibration else None,
            "labels": list(self.labels),
            "recipe": dict(self.recipe),
        }
        return description, {}


def dlib_faces(descriptor: Path, landmarks: Path, calibration: Calibration | None) -> FaceModel:
    """Faces by dlib from beginning to end.

    Raises:
        DoppelgramError: dlib is not installed, or cannot read a file.
    """
    return FaceModel(FaceFraming(landmarks), DlibDescriptor(descriptor), calibration)


def network_faces(network: Path, landmarks: Path) -> FaceModel:
    """Faces found by dlib and described by a network of the ArcFace kind; not calibrated.

    Raises:
        DoppelgramError: dlib or OpenVINO is not installed, or a file is not what it has to be.
    """
    import_dlib()
    return FaceModel(FaceFraming(landmarks, "arcface"), NetworkDescriptor(network))
