"""What models are made of: towers, each of which owns a network, sees one thing of a photograph and has a weight."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from doppelgram.errors import DoppelgramError
from doppelgram.images.framing import Framing
from doppelgram.models.compiled import Run, compiled
from doppelgram.models.format import describe_network, rebuild_network
from doppelgram.models.networks.embedding import EmbeddingNetwork, evaluating
from doppelgram.models.networks.fixed_pose import FixedPose
from doppelgram.models.networks.from_pixels import FromPixels
from doppelgram.models.networks.keypoints import PoseTower
from doppelgram.models.runtime import Runtime
from doppelgram.pose.cutouts import Person, person_view, without_people
from doppelgram.pose.normalise import normalised
from doppelgram.pose.skeleton import KEYPOINT_NAMES, mirrored, present
from doppelgram.space.checks import finite_number

Embeddings = NDArray[np.float32]
SEES = ("photograph", "place", "person")
KEYPOINTS = "keypoints"


class Tower(ABC):
    """One network of a model.

    Attributes:
        network: what it embeds by.
        sees: ``photograph`` the whole of it, ``place`` the whole of it with the people covered, ``person`` one person,
            cut out, or ``keypoints`` those of one person.
        weight: of its unit embedding where several towers speak of one thing.
    """

    network: Any
    sees: str
    weight: float

    def __post_init__(self) -> None:
        if finite_number(self.weight, "a tower's weight") <= 0:
            raise DoppelgramError(f"a tower's weight is {self.weight!r}; it must be a finite number above 0")

    @property
    def dim(self) -> int:
        """Size of its embedding."""
        return int(self.network.dim)

    @property
    def gives_class_probabilities(self) -> bool:
        """Whether its embeddings are roots of class probabilities."""
        return bool(self.network.posterior > 0)

    @abstractmethod
    def inputs(
        self, pixels: NDArray[np.uint8], people: Sequence[Person], mask: NDArray[np.bool_] | None
    ) -> NDArray[Any]:
        """What it is shown of one photograph: (1, ...) of a place, (people, ...) of poses.

        Args:
            pixels: upright photograph, uint8 (h, w, 3).
            people: the `persons` in it.
            mask: where people cover it; None where nobody looked.
        """

    @abstractmethod
    def mirrored(self, inputs: NDArray[Any]) -> NDArray[Any]:
        """What `inputs` would give of the mirrored photograph."""

    @abstractmethod
    def embed(self, inputs: NDArray[Any]) -> Embeddings:
        """Embeddings (n, dim) of length one of what `inputs` gives."""

    def with_runtime(self, runtime: Runtime) -> Self:
        """The same tower run by something else; itself where it is too small for that to matter."""
        return self

    @abstractmethod
    def described(self) -> dict[str, Any]:
        """What `rebuilt_tower` needs besides the weights, JSON-ready."""


@dataclass
class ImageTower(Tower):
    """A network that sees a square of pixels; see `Tower`.

    Attributes:
        network: the backbone and head.
        framing: how an image is cut and resized before it is embedded.
        mirror: whether an image's embedding is the mean of the image's and its mirror image's.
        copies: how many of `TEST_TIME_COPIES` an image's embedding is the mean of: 1, the image alone, to all of them.
        runtime: what runs the network in `embed`; None for what answers at once.
    """

    network: EmbeddingNetwork
    framing: Framing
    mirror: bool = False
    sees: str = "photograph"
    weight: float = 1.0
    copies: int = 1
    runtime: Runtime | None = None
    _run: Run | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.sees not in SEES:
            raise DoppelgramError(f"a tower sees {self.sees!r}; it is one of {', '.join(SEES)}")

    def inputs(
        self, pixels: NDArray[np.uint8], people: Sequence[Person], mask: NDArray[np.bool_] | None
    ) -> NDArray[np.uint8]:
        """Squares (n, size, size, 3) of one photograph, or of each of its people."""
        if self.sees == "person":
            views = [person_view(pixels, person, self.framing) for person in people]
            return np.stack(views) if views else np.empty((0, self.framing.size, self.framing.size, 3), dtype=np.uint8)
        covered = pixels if self.sees == "photograph" or mask is None else without_people(pixels, mask)
        return self.framing.apply(Image.fromarray(covered))[None]

    def mirrored(self, inputs: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Mirrored squares."""
        return inputs[:, :, ::-1]

    def with_runtime(self, runtime: Runtime) -> ImageTower:
        """The same tower run by something else."""
        return replace(self, runtime=runtime, _run=None)

    @property
    def program(self) -> FromPixels:
        """The network as it is shown squares, uint8 (n, size, size, 3)."""
        return FromPixels(self.network, self.copies, self.mirror, self.network.head.normalise)

    def embed(self, inputs: NDArray[np.uint8]) -> Embeddings:
        """Embeddings (n, dim) of length one of squares, uint8 (n, size, size, 3), by the tower's runtime."""
        return unit(self.run(inputs)) if len(inputs) else np.empty((0, self.dim), dtype=np.float32)

    def run(self, inputs: NDArray[np.uint8]) -> Embeddings:
        """Embeddings (n, dim) as the network gives them, of squares, by the tower's runtime.

        The network is translated for it when the tower embeds for the first time, however little that is, so that an
        embedding never depends on what was embedded before. Its weights must not change any more then.
        """
        if self._run is None:
            described = {**describe_network(self.network), "copies": self.copies, "mirror": self.mirror}
            self._run = compiled(
                self.program, example_square(self.framing, 3), json.dumps(described, sort_keys=True), self.runtime
            )
        return np.asarray(self._run(inputs), dtype=np.float32)

    @torch.inference_mode()
    def embed_by_torch(
        self, pixels: NDArray[np.uint8], *, batch: int = 128, progress: Callable[[int], None] | None = None
    ) -> Embeddings:
        """Embeddings (n, dim) as the network gives them, by torch, on the device where the network is.

        Args:
            pixels: framed images, uint8 (n, size, size, 3).
            batch: images at a time.
            progress: called with the number of images of each finished batch.
        """
        found = np.empty((len(pixels), self.dim), dtype=np.float32)
        device, program = next(self.network.parameters()).device, self.program
        with evaluating(self.network):
            for start in range(0, len(pixels), batch):
                # A copy: torch warns about memory that it may not write to, such as a file mapped for reading.
                images = torch.from_numpy(pixels[start : start + batch].copy()).to(device)
                found[start : start + len(images)] = program(images).cpu().numpy()
                if progress:
                    progress(len(images))
        return found

    def described(self) -> dict[str, Any]:
        """Everything but the weights."""
        return {
            "sees": self.sees,
            "weight": self.weight,
            "network": describe_network(self.network),
            "framing": self.framing.to_dict(),
            "mirror": self.mirror,
        }


@dataclass
class KeypointTower(Tower):
    """A network on normalised keypoints; see `Tower`.

    Attributes:
        network: (b, 18, 3) to (b, dim).
    """

    network: PoseTower | FixedPose
    weight: float = 1.0
    sees: str = KEYPOINTS

    def inputs(
        self, pixels: NDArray[np.uint8], people: Sequence[Person], mask: NDArray[np.bool_] | None
    ) -> NDArray[Any]:
        """Normalised keypoints (people, 18, 3)."""
        if not people:
            return np.empty((0, len(KEYPOINT_NAMES), 3), dtype=np.float32)
        return normalised(np.stack([person.keypoints for person in people]))

    def mirrored(self, inputs: NDArray[Any]) -> NDArray[Any]:
        """Mirrored poses: x negated, left and right exchanged."""
        return mirrored(inputs)

    @torch.inference_mode()
    def embed(self, inputs: NDArray[Any]) -> Embeddings:
        """Embeddings (n, dim) of length one of normalised keypoints (n, 18, 3); zeros where none is known."""
        if not len(inputs):
            return np.empty((0, self.dim), dtype=np.float32)
        with evaluating(self.network):
            found = self.network(torch.from_numpy(np.asarray(inputs, dtype=np.float32)))
        embeddings = unit(np.asarray(found.cpu().numpy(), dtype=np.float32))
        embeddings[~present(np.asarray(inputs)).any(axis=1)] = 0
        return embeddings

    def described(self) -> dict[str, Any]:
        """Everything but the weights."""
        return {"sees": KEYPOINTS, "weight": self.weight, "network": dict(self.network.spec)}


def rebuilt_tower(spec: dict[str, Any], tensors: dict[str, Tensor]) -> Tower:
    """The tower that `Tower.described` described, with its weights.

    Raises:
        KeyError, TypeError, RuntimeError: the description or the weights do not fit.
    """
    if spec["sees"] == KEYPOINTS:
        fixed = "limb_weight" in spec["network"]
        keypoints: PoseTower | FixedPose = FixedPose(**spec["network"]) if fixed else PoseTower(**spec["network"])
        keypoints.load_state_dict(tensors)
        return KeypointTower(keypoints.eval(), spec["weight"])
    network = rebuild_network(spec["network"], tensors)
    return ImageTower(network, Framing.from_dict(spec["framing"]), bool(spec["mirror"]), spec["sees"], spec["weight"])


def example_square(framing: Framing, channels: int) -> Tensor:
    """One black square as a network is shown it, uint8 (1, size, size, channels)."""
    return torch.zeros(1, framing.size, framing.size, channels, dtype=torch.uint8)


def unit(vectors: NDArray[np.float32]) -> Embeddings:
    """Rows (n, d) scaled to length one; rows of zeros stay."""
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1.0), dtype=np.float32)
