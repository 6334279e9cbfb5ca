"""What every model can do: be shown photographs, and make vectors of them that have a space."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from doppelgram.errors import DoppelgramError
from doppelgram.images.face_framing import FaceFraming
from doppelgram.images.framing import Framing
from doppelgram.images.read import Photograph, Source, Want, read_all
from doppelgram.images.whole import WholePhotograph
from doppelgram.models.format import write_bundle
from doppelgram.models.runtime import Runtime
from doppelgram.pose.people import People
from doppelgram.space.exact import Float32
from doppelgram.space.space import Space

if TYPE_CHECKING:
    from torch import Tensor

    from doppelgram.models.towers import Tower


@dataclass(frozen=True)
class Embedded:
    """What a model made of some photographs.

    Attributes:
        vectors: float32 (n, dim).
        people: of each photograph, those whose skeletons were embedded, the most prominent first, in pixels of the
            photograph as it was framed. Where nobody is in it, the vector may still hold a pose, of a person of whom
            only the outline was found. None: this model looks for nobody.
    """

    vectors: Float32
    people: list[People] | None = None


class Embedder(ABC):
    """A model, of whatever kind.

    Attributes:
        space: what distances between its vectors mean.
        labels: names of the classes that it was trained on.
        recipe: the recipe that it was trained by, for the record.
        fingerprint: identifies architecture, preprocessing and weights; set when the model is saved or loaded.
        origin: of a ready-made model what its saved description says in place of all tensors; None for others.
        at_once: photographs whose pixels are worth holding in memory at a time.
        takes_cuts: whether it looks at a square that is cut from a photograph, so that another cut makes sense.
        tells_faces: whether its vectors are of one face of a photograph each.
    """

    space: Space
    labels: Sequence[str]
    recipe: Mapping[str, Any]
    fingerprint: str
    origin: dict[str, Any] | None
    at_once: ClassVar[int]
    takes_cuts: ClassVar[bool]
    tells_faces: ClassVar[bool] = False

    @property
    def runtime(self) -> Runtime | None:
        """What runs its networks; None for what answers a few photographs at once."""
        return None

    def with_runtime(self, runtime: Runtime) -> Self:
        """The same model run by something else; itself where no runtime of ours runs it, as with dlib."""
        return self

    @property
    def image_towers(self) -> Sequence[Tower]:
        """Towers of torch that see the photograph or its place; none where other libraries run the network."""
        return ()

    @property
    @abstractmethod
    def framing(self) -> Framing | FaceFraming | WholePhotograph:
        """How the pixels of a photograph are cut and resized."""

    @abstractmethod
    def embed(self, photographs: Sequence[Photograph]) -> Embedded:
        """Embed photographs that were read as `want` says."""

    @abstractmethod
    def with_face(self, face: str) -> Self:
        """The same model behind another cut: the largest face that this detector finds; empty for its own framing.

        Raises:
            DoppelgramError: the model does not look at cuts.
        """

    def with_faces(self, which: str) -> Self:
        """The same model for the ``largest`` face of a photograph, for ``all``, or for one by its number as text.

        Raises:
            DoppelgramError: the model does not tell the faces of a photograph apart; never for an empty text.
        """
        if which:
            raise DoppelgramError("--faces and --face go with a model of faces, such as the ready-made model 'faces'")
        return self

    @abstractmethod
    def described(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """All of it, as JSON-ready values and tensors, for `format.write_bundle`."""

    @abstractmethod
    def calibrate(self, values: dict[str, Any]) -> None:
        """Take another calibration, as `described` writes it.

        Raises:
            DoppelgramError: it is of another kind of model, or unusable.
        """

    @property
    def want(self) -> Want:
        """What `images.read` must deliver of a photograph so that it can be embedded."""
        return Want(self.framing)

    @property
    def dim(self) -> int:
        """Size of a vector."""
        return self.space.dim

    @property
    def name(self) -> str:
        """Name of its recipe."""
        return str(self.recipe.get("name", ""))

    def require_named(self, paths: Sequence[Path], *, every: bool) -> None:  # noqa: B027
        """See that what the model needs beside photographs is there before any work begins; most need nothing.

        Args:
            paths: the photographs.
            every: whether each was asked for by itself, so that something has to be there for all of them.

        Raises:
            DoppelgramError: something is missing; the sentence says what.
        """

    def embed_images(self, images: Sequence[Source], *, first: int = 0) -> Float32:
        """Vectors, float32 (n, dim), of paths, Pillow images, bytes or uint8 RGB arrays (h, w, 3), in any mixture.

        Args:
            images: the photographs.
            first: position of the first, by which an error calls those that are in memory.

        Raises:
            DoppelgramError: an image is missing or cannot be read.
        """
        self.require_named([Path(image) for image in images if isinstance(image, (str, Path))], every=True)
        vectors = np.empty((len(images), self.dim), dtype=np.float32)
        for start in range(0, len(images), self.at_once):
            photographs = read_all(images[start : start + self.at_once], self.want, first=first + start)
            vectors[start : start + self.at_once] = self.embed(photographs).vectors
        return vectors

    def similarity(self, a: Source, b: Source) -> float:
        """Probability that two photographs show the same, if same and different were equally likely beforehand.

        Raises:
            DoppelgramError: an image cannot be read, or the model is not calibrated.
        """
        vectors = self.embed_images([a, b])
        return float(self.space.probability(self.space.distance(vectors[:1], vectors[1:]))[0])

    def save(self, folder: Path | str) -> Path:
        """Save to a folder as ``model.safetensors`` and ``model.json``; sets the fingerprint."""
        description, tensors = self.described()
        if self.origin is not None:  # its weights are looked up again, and its own calibration may get better
            calibration = description["calibration"]
            own = calibration == self.origin["calibration"]
            description, tensors = self.origin | {"calibration": None if own else calibration}, {}
        self.fingerprint = write_bundle(Path(folder), description, tensors)
        return Path(folder)


def embed_stream(
    model: Embedder, photographs: Iterable[Photograph], *, at_once: int | None = None
) -> Iterator[tuple[list[Photograph], Embedded]]:
    """Embed photographs as they are read, some at a time; those without pixels are left out.

    Args:
        model: of any kind.
        photographs: from `images.read`, with what the model wants and perhaps more.
        at_once: photographs that the model gets at a time, at most; as many as it asks for by default.

    Yields:
        The photographs of a piece, and what the model made of them.
    """
    size = min(at_once or model.at_once, model.at_once)
    piece: list[Photograph] = []
    for photograph in photographs:
        if photograph.pixels is not None:
            piece.append(photograph)
        if len(piece) == size:
            yield piece, model.embed(piece)
            piece = []
    if piece:
        yield piece, model.embed(piece)
