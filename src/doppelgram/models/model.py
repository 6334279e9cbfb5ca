"""The Model: what a person keeps after training, and uses without knowing how it was trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from doppelgram.errors import DoppelgramError
from doppelgram.images.framing import Framing
from doppelgram.images.read import Photograph, Source, Want
from doppelgram.models import embedder
from doppelgram.models.embedder import Embedded, Embedder
from doppelgram.models.format import describe_network, rebuild_network, save_model
from doppelgram.models.towers import Embeddings, ImageTower
from doppelgram.space.calibration import Calibration
from doppelgram.space.euclidean import EuclideanSpace


@dataclass
class Model:
    """One image tower that embeds photographs, in a Euclidean space; see `doppelgram.models.embedder.Embedder`.

    Attributes:
        tower: network, framing and mirroring.
        calibration: distance to probability; None for a model that has not been calibrated.
    """

    tower: ImageTower
    calibration: Calibration | None = None
    labels: Sequence[str] = ()
    recipe: Mapping[str, Any] = field(default_factory=dict)
    fingerprint: str = ""
    at_once: int = 128
    takes_cuts: bool = True

    @property
    def dim(self) -> int:
        """Size of a vector."""
        return self.tower.dim

    @property
    def name(self) -> str:
        """Name of its recipe."""
        return str(self.recipe.get("name", ""))

    @property
    def space(self) -> EuclideanSpace:
        """What distances between its vectors mean."""
        return EuclideanSpace(self.dim, self.calibration)

    @property
    def framing(self) -> Framing:
        """How a photograph is cut and resized."""
        return self.tower.framing

    @property
    def want(self) -> Want:
        """Framed pixels, and nothing else."""
        return Want(self.framing)

    def embed(self, photographs: Sequence[Photograph]) -> Embedded:
        """Embed photographs that were read as `want` says."""
        pixels = [one.pixels for one in photographs if one.pixels is not None]
        return Embedded(self.embed_pixels(np.stack(pixels)) if pixels else np.empty((0, self.dim), dtype=np.float32))

    def embed_pixels(
        self, pixels: NDArray[np.uint8], *, batch: int = 128, progress: Callable[[int], None] | None = None
    ) -> Embeddings:
        """Embed framed images, uint8 (n, size, size, 3); arguments as for `ImageTower.embed_by_torch`."""
        return self.tower.embed_by_torch(pixels, batch=batch, progress=progress)

    def embed_images(self, images: Sequence[Source]) -> Embeddings:
        """Vectors, float32 (n, dim), of paths, Pillow images or uint8 RGB arrays (h, w, 3), in any mixture."""
        return embedder.embed_images(self, images)

    def similarity(self, a: Source, b: Source) -> float:
        """Probability that two photographs show the same, if same and different were equally likely beforehand."""
        return embedder.similarity(self, a, b)

    def with_face(self, face: str) -> Model:
        """The same model behind another cut; see `Embedder.with_face`."""
        return replace(self, tower=replace(self.tower, framing=replace(self.framing, face=face))) if face else self

    def require_named(self, paths: Sequence[Path], *, every: bool) -> None:
        """It needs photographs and nothing else."""

    def described(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """All of it, as JSON-ready values and tensors."""
        tower = self.tower
        # Written only where there are several: the fingerprints of models with one stay what they were.
        copies = {} if tower.copies == 1 else {"views": tower.copies}
        description = {
            "architecture": describe_network(tower.network),
            "preprocessing": {"framing": tower.framing.to_dict(), "mirror": tower.mirror, **copies},
            "calibration": self.calibration.to_dict() if self.calibration else None,
            "labels": list(self.labels),
            "recipe": dict(self.recipe),
        }
        return description, tower.network.state_dict()

    def save(self, folder: Path | str) -> Path:
        """Save to a folder as ``model.safetensors`` and ``model.json``; sets the fingerprint."""
        return save_model(self, Path(folder))


def require_model(model: Embedder, otherwise: str) -> Model:
    """The model, if it is one image tower whose network can be trained on.

    Raises:
        DoppelgramError: it is not; the sentence is ``otherwise``.
    """
    if not isinstance(model, Model):
        raise DoppelgramError(otherwise)
    return model


def assemble_model(description: dict[str, Any], tensors: dict[str, Tensor], **_: Path | None) -> Model:
    """The model that a checked description and its tensors hold; it needs nothing that is looked up elsewhere.

    Raises:
        KeyError, TypeError, RuntimeError: something is missing in the description, or the tensors do not fit it.
    """
    preprocessing, calibration = description["preprocessing"], description["calibration"]
    tower = ImageTower(
        rebuild_network(description["architecture"], tensors),
        Framing.from_dict(preprocessing["framing"]),
        bool(preprocessing["mirror"]),
        copies=int(preprocessing.get("views", 1)),
    )
    return Model(
        tower,
        Calibration.from_dict(calibration) if calibration else None,
        tuple(description["labels"]),
        description["recipe"],
        description["fingerprint"],
    )
