"""The Model: what a person keeps after training, and uses without knowing how it was trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from doppelgram.errors import DoppelgramError
from doppelgram.images.framing import Framing
from doppelgram.images.read import Photograph
from doppelgram.models.embedder import Embedded, Embedder
from doppelgram.models.format import describe_network, rebuild_network
from doppelgram.models.runtime import Runtime
from doppelgram.models.towers import Embeddings, ImageTower
from doppelgram.space.calibration import Calibration
from doppelgram.space.euclidean import EuclideanSpace


@dataclass
class Model(Embedder):
    """One image tower that embeds photographs, in a Euclidean space; see `doppelgram.models.embedder.Embedder`.

    Attributes:
        tower: network, framing and mirroring.
        calibration: distance to probability; None for a model that has not been calibrated.
        mean: of its vectors of the images that it was trained on, of models that a ready-made model may be made of.
    """

    tower: ImageTower
    calibration: Calibration | None = None
    labels: Sequence[str] = ()
    recipe: Mapping[str, Any] = field(default_factory=dict)
    fingerprint: str = ""
    origin: dict[str, Any] | None = field(default=None, repr=False)
    mean: tuple[float, ...] = ()

    at_once: ClassVar[int] = 128
    takes_cuts: ClassVar[bool] = True

    @property
    def space(self) -> EuclideanSpace:  # type: ignore[override]  # follows a calibration that is set later
        """What distances between its vectors mean."""
        return EuclideanSpace(self.tower.dim, self.calibration)

    @property
    def image_towers(self) -> Sequence[ImageTower]:
        """Its tower; see `Embedder.image_towers`."""
        return (self.tower,)

    @property
    def framing(self) -> Framing:
        """How a photograph is cut and resized."""
        return self.tower.framing

    def embed(self, photographs: Sequence[Photograph]) -> Embedded:
        """Embed photographs that were read as `want` says."""
        pixels = [one.pixels for one in photographs if one.pixels is not None]
        if not pixels:
            return Embedded(np.empty((0, self.dim), dtype=np.float32))
        shown = np.stack(pixels)
        if self.origin is not None:
            return Embedded(self.tower.embed(shown))
        # Others keep the numbers that they had in training unless something else is to run them.
        return Embedded(self.embed_pixels(shown) if self.runtime is None else self.tower.run(shown))

    @property
    def runtime(self) -> Runtime | None:
        """What runs its network; see `Embedder.runtime`."""
        return self.tower.runtime

    def with_runtime(self, runtime: Runtime) -> Model:
        """The same model run by something else; see `Embedder.with_runtime`."""
        return replace(self, tower=self.tower.with_runtime(runtime))

    def embed_pixels(self, pixels: NDArray[np.uint8], *, progress: Callable[[int], None] | None = None) -> Embeddings:
        """Embed framed images, uint8 (n, size, size, 3); arguments as for `ImageTower.embed_by_torch`."""
        return self.tower.embed_by_torch(pixels, progress=progress)

    def calibrate(self, values: dict[str, Any]) -> None:
        """Take another calibration; see `Embedder.calibrate`."""
        self.calibration = Calibration.from_dict(values)

    def with_face(self, face: str) -> Model:
        """The same model behind another cut; see `Embedder.with_face`."""
        return replace(self, tower=replace(self.tower, framing=replace(self.framing, face=face))) if face else self

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
            **({"mean": list(self.mean)} if self.mean else {}),
        }
        return description, tower.network.state_dict()


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
        mean=tuple(description.get("mean", ())),
    )
