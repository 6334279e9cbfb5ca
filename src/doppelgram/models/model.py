"""The Model: what a person keeps after training, and uses without knowing how it was trained."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from doppelgram.errors import DoppelgramError
from doppelgram.images.augment import to_float
from doppelgram.images.framing import Framing
from doppelgram.images.read import Photograph, Want, read_all
from doppelgram.models.embedder import Embedded
from doppelgram.models.networks.embedding import EmbeddingNetwork
from doppelgram.space.calibration import Calibration

Embeddings = np.ndarray[Any, np.dtype[np.float32]]
Picture = str | Path | Image.Image | np.ndarray[Any, Any]

# The views of an image that an embedding may be averaged over: enlarged by what factor, and moved right and down by
# what share of half the side. The image itself, enlarged and reduced, then moved to the four corners.
VIEWS = (
    (1.0, 0.0, 0.0), (1.1, 0.0, 0.0), (1 / 1.1, 0.0, 0.0),
    (1.0, 0.06, 0.06), (1.0, -0.06, 0.06), (1.0, 0.06, -0.06), (1.0, -0.06, -0.06),
)  # fmt: skip


@dataclass
class Model:
    """An image tower that embeds photographs, and a calibration that turns distances into probabilities.

    Attributes:
        network: the backbone and head.
        framing: how a photograph is cut and resized before it is embedded.
        mirror: whether an image's embedding is the mean of the image's and its mirror image's.
        calibration: distance to probability; None for a model that has not been calibrated.
        labels: names of the classes that it was trained on.
        recipe: the recipe that it was trained by, for the record.
        fingerprint: identifies architecture, preprocessing and weights; set when the model is saved or loaded.
        views: how many of `VIEWS` an image's embedding is the mean of: 1, the image alone, to all of them.
    """

    network: EmbeddingNetwork
    framing: Framing
    mirror: bool = False
    calibration: Calibration | None = None
    labels: Sequence[str] = ()
    recipe: Mapping[str, Any] = field(default_factory=dict)
    fingerprint: str = ""
    views: int = 1

    @property
    def dim(self) -> int:
        """Size of the embedding."""
        return self.network.head.dim

    @torch.inference_mode()
    def embed_pixels(
        self,
        pixels: np.ndarray[Any, np.dtype[np.uint8]],
        *,
        batch: int = 128,
        progress: Callable[[int], None] | None = None,
    ) -> Embeddings:
        """Embed framed images.

        Args:
            pixels: uint8 (n, size, size, 3), as `load_pixels` gives them with this model's framing.
            batch: images at a time.
            progress: called with the number of images of each finished batch.

        Returns:
            Embeddings, float32 (n, dim).
        """
        was_training = self.network.training
        self.network.eval()
        found = np.empty((len(pixels), self.dim), dtype=np.float32)
        device = next(self.network.parameters()).device
        try:
            for start in range(0, len(pixels), batch):
                images = to_float(pixels[start : start + batch]).to(device)
                embedding, *others = (self.network(view) for view in self._seen(images))
                if others:
                    embedding = torch.stack([embedding, *others]).mean(0)
                    if self.network.head.normalise:
                        embedding = functional.normalize(embedding, dim=1)
                found[start : start + len(images)] = embedding.cpu().numpy()
                if progress:
                    progress(len(images))
        finally:
            self.network.train(was_training)
        return found

    def _seen(self, images: Tensor) -> Iterator[Tensor]:
        """What the network is shown of images (b, 3, h, w) in turn: their views, each with its mirror image."""
        for enlarged, right, down in VIEWS[: self.views]:
            view = images
            if (enlarged, right, down) != (1.0, 0.0, 0.0):
                to_image = torch.tensor([[1 / enlarged, 0.0, right], [0.0, 1 / enlarged, down]], device=images.device)
                grid = functional.affine_grid(to_image.expand(len(images), 2, 3), list(images.shape), False)
                view = functional.grid_sample(images, grid, "bilinear", "reflection", align_corners=False)
            yield view
            if self.mirror:
                yield view.flip(3)

    @property
    def want(self) -> Want:
        """What `images.read` must deliver of a photograph."""
        return Want(self.framing)

    def require_named(self, paths: Sequence[Path], *, every: bool) -> None:
        """Nobody is looked for, so no keypoints have to name the photographs."""

    def embed(self, photographs: Sequence[Photograph]) -> Embedded:
        """Embed photographs that were read as `want` says."""
        if not len(photographs):
            return Embedded(np.empty((0, self.dim), dtype=np.float32))
        pixels = [photograph.pixels for photograph in photographs]
        return Embedded(self.embed_pixels(np.stack(pixels)))  # type: ignore[arg-type]

    def embed_images(self, images: Sequence[Picture]) -> Embeddings:
        """Vectors, float32 (n, dim), of files, upright Pillow images or uint8 RGB arrays (h, w, 3), in any mixture.

        Raises:
            DoppelgramError: an image is missing or cannot be read.
        """
        return self.embed(read_all(images, self.want)).vectors

    def distance(self, a: Picture, b: Picture) -> float:
        """Euclidean distance between the embeddings of two photographs."""
        first, second = self.embed_images([a, b])
        return float(np.linalg.norm(first.astype(np.float64) - second.astype(np.float64)))

    def similarity(self, a: Picture, b: Picture) -> float:
        """Probability that two photographs show the same, if same and different were equally likely beforehand.

        Raises:
            DoppelgramError: the model has not been calibrated.
        """
        return float(self.probability(np.array([self.distance(a, b)]))[0])

    def probability(self, distances: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Probability for each distance; see `similarity`."""
        if self.calibration is None:
            raise DoppelgramError(
                "this model is not calibrated: it was trained without a validation part that has pairs"
            )
        return self.calibration.probability(distances)

    def save(self, folder: Path | str) -> Path:
        """Save to a folder as ``model.safetensors`` and ``model.json``; sets the fingerprint."""
        from doppelgram.models.bundle import save_model

        return save_model(self, Path(folder))
