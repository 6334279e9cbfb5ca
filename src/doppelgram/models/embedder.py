"""What all models have in common: they say what to read of a photograph, and make a vector of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from doppelgram.images.framing import Framing
from doppelgram.images.read import Photograph, Source, Want
from doppelgram.pose.people import People

# Images that a model gets at a time; of whole photographs, each of which takes up to 5 MB, fewer.
_FRAMED, _WHOLE = 128, 16


@dataclass(frozen=True)
class Embedded:
    """What a model made of some photographs.

    Attributes:
        vectors: float32 (n, dim).
        people: of each photograph, those whose skeletons were embedded, the most prominent first, in pixels of what was
            looked at: the upright photograph, made smaller where it was large. Where nobody is in it, the vector may
            still hold a pose, of a person of whom only the outline was found. None: this model looks for nobody.
        poses: of how many people each vector holds the pose, int64 (n,); None: this model looks for nobody.
    """

    vectors: NDArray[np.float32]
    people: list[People] | None = None
    poses: NDArray[np.int64] | None = None


class Embedder(Protocol):
    """A model of any kind.

    Attributes:
        labels: names of the classes that it was trained on.
        recipe: the recipe that it was trained by, for the record.
        fingerprint: identifies architecture, preprocessing and weights; set when the model is saved or loaded.
    """

    labels: Sequence[str]
    recipe: Mapping[str, Any]
    fingerprint: str

    @property
    def dim(self) -> int:
        """Size of a vector."""
        ...

    @property
    def want(self) -> Want:
        """What `images.read` must deliver so that this model can embed it."""
        ...

    def require_named(self, paths: Sequence[Path], *, every: bool) -> None:
        """See that ready-made keypoints, where the model takes these, are of the photographs.

        Args:
            paths: the photographs.
            every: whether each has to be named, or one of them is enough.

        Raises:
            DoppelgramError: they are not.
        """
        ...

    def embed(self, photographs: Sequence[Photograph]) -> Embedded:
        """Embed photographs that were read as `want` says."""
        ...

    def embed_images(self, images: Sequence[Source]) -> NDArray[np.float32]:
        """Vectors, float32 (n, dim), of files, upright Pillow images or uint8 RGB arrays (h, w, 3), in any mixture.

        Raises:
            DoppelgramError: an image is missing or cannot be read.
        """
        ...

    def save(self, folder: Path | str) -> Path:
        """Save to a folder as ``model.safetensors`` and ``model.json``; sets the fingerprint."""
        ...


def embed_stream(
    model: Embedder, photographs: Iterable[Photograph], want: Want, *, at_once: int = _FRAMED
) -> Iterator[tuple[list[Photograph], Embedded]]:
    """Embed photographs as they are read, some at a time; those without pixels are left out.

    Args:
        model: of any kind.
        photographs: from `images.read`.
        want: what they were read for.
        at_once: framed images that the model gets at a time.

    Yields:
        The photographs of a piece, and what the model made of them.
    """
    size = at_once if isinstance(want.framing, Framing) else min(at_once, _WHOLE)
    piece: list[Photograph] = []
    for photograph in photographs:
        if photograph.pixels is not None:
            piece.append(photograph)
        if len(piece) == size:
            yield piece, model.embed(piece)
            piece = []
    if piece:
        yield piece, model.embed(piece)
