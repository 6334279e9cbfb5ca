"""The tower that sees a place and, in a fourth channel, which part of it people cover."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from doppelgram.images.framing import Framing
from doppelgram.models.backbones.registry import rebuild_backbone
from doppelgram.models.compiled import Run, compiled
from doppelgram.models.networks.from_pixels import FromPixels
from doppelgram.models.networks.masked import MaskedPooling
from doppelgram.models.runtime import Runtime
from doppelgram.models.towers import Embeddings, Tower, example_square, unit
from doppelgram.pose.cutouts import Person


@dataclass
class MaskedTower(Tower):
    """A backbone whose features of a place leave out what people cover; see `Tower`.

    Unlike a tower that sees people painted over, it is not shown anything that is not in the photograph.

    Attributes:
        network: backbone and pooling.
        framing: how a photograph is resized.
        runtime: what runs the network; None for what answers at once.
    """

    network: MaskedPooling
    framing: Framing
    weight: float = 1.0
    sees: str = "place"
    runtime: Runtime | None = None
    _run: Run | None = field(default=None, repr=False, compare=False)

    def inputs(
        self, pixels: NDArray[np.uint8], people: Sequence[Person], mask: NDArray[np.bool_] | None
    ) -> NDArray[np.uint8]:
        """The photograph and its people's outlines as one square, uint8 (1, size, size, 4)."""
        size = self.framing.size
        covered = np.zeros((size, size), dtype=np.uint8)
        if mask is not None and mask.any():
            outlines = Image.fromarray(mask.astype(np.uint8) * 255)
            covered = np.asarray(outlines.resize((size, size), Image.Resampling.BOX))
        return np.dstack([self.framing.apply(Image.fromarray(pixels)), covered])[None]

    def mirrored(self, inputs: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Mirrored squares."""
        return inputs[:, :, ::-1]

    def with_runtime(self, runtime: Runtime) -> MaskedTower:
        """The same tower run by something else."""
        return replace(self, runtime=runtime, _run=None)

    @property
    def program(self) -> FromPixels:
        """The network as it is shown squares, uint8 (n, size, size, 4)."""
        return FromPixels(self.network)

    def embed(self, inputs: NDArray[np.uint8]) -> Embeddings:
        """Embeddings (n, dim) of length one of squares, uint8 (n, size, size, 4), by the tower's runtime."""
        if not len(inputs):
            return np.empty((0, self.dim), dtype=np.float32)
        if self._run is None:
            key = json.dumps(self.described()["network"], sort_keys=True)
            example = example_square(self.framing, self.network.channels)
            self._run = compiled(self.program, example, key, self.runtime)
        return unit(np.asarray(self._run(inputs), dtype=np.float32))

    def described(self) -> dict[str, Any]:
        """Everything but the weights."""
        backbone = self.network.backbone
        network = {"backbone": backbone.spec, "mean": list(backbone.mean), "std": list(backbone.std)}
        return {
            "sees": self.sees,
            "weight": self.weight,
            "network": {"pooling": "masked", **network},
            "framing": self.framing.to_dict(),
        }


def rebuilt_masked_tower(spec: dict[str, Any], tensors: dict[str, Tensor]) -> MaskedTower:
    """The tower that `MaskedTower.described` described, with its weights.

    Raises:
        KeyError, TypeError, RuntimeError: the description or the weights do not fit.
    """
    wanted = spec["network"]
    backbone = rebuild_backbone(wanted["backbone"])
    backbone.mean, backbone.std = tuple(wanted["mean"]), tuple(wanted["std"])
    network = MaskedPooling(backbone)
    network.load_state_dict(tensors)
    return MaskedTower(network.eval(), Framing.from_dict(spec["framing"]), spec["weight"])
