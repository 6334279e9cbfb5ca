"""Vectors in the plane: fitted once, kept in a file, and open to new vectors."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from zipfile import BadZipFile

import numpy as np

from doppelgram.errors import DoppelgramError
from doppelgram.files import written_whole
from doppelgram.maps.components import Components, principal_components
from doppelgram.maps.tsne import fit_tsne, place_tsne, usable_perplexity
from doppelgram.numbers import percent
from doppelgram.space.exact import Float32, Float64
from doppelgram.space.exact import vectors as checked

METHODS = ("pca", "tsne")
FEWEST = 3

_FORMAT = "doppelgram-map"

T = TypeVar("T")


@dataclass(frozen=True)
class Projection:
    """A map of vectors in the plane.

    Attributes:
        method: ``pca`` or ``tsne``.
        points: (n, 2) places of the vectors.
        vectors: (n, d) that were mapped.
        components: their two principal components.
        perplexity: that t-SNE used; 0 for PCA.
        seed: that t-SNE used.
    """

    method: str
    points: Float64
    vectors: Float32
    components: Components
    perplexity: float = 0.0
    seed: int = 0

    @property
    def about(self) -> str:
        """One line for the reader of the picture: what its distances mean."""
        if self.method == "pca":
            held = percent(float(self.components.shares.sum()), 0)
            return f"PCA: the two axes hold {held} of the variance"
        return f"t-SNE, perplexity {self.perplexity:g}: what is near is alike; far distances and areas say little"

    def place(self, vectors: Any) -> Float64:
        """Places (m, 2) of other vectors (m, d) in this map; the map's own points stay where they are.

        Raises:
            DoppelgramError: the vectors have other dimensions than the map's.
        """
        new = checked(vectors, "images to place")
        if new.shape[1] != self.vectors.shape[1]:
            raise DoppelgramError(
                f"the map was fitted to vectors of {self.vectors.shape[1]} dimensions, not {new.shape[1]}; "
                "place images by the model that the map was made with"
            )
        if not len(new):
            return np.empty((0, 2))
        if self.method == "pca":
            return self.components.place(new)
        return place_tsne(new, self.vectors, self.points)

    def to_arrays(self) -> dict[str, Any]:
        """Everything as arrays and one JSON text, for `write_arrays`."""
        facts = {"format": _FORMAT, "method": self.method, "perplexity": self.perplexity, "seed": self.seed}
        return {
            "projection": np.array(json.dumps(facts)),
            "points": self.points,
            "vectors": self.vectors,
            "mean": self.components.mean,
            "axes": self.components.axes,
            "shares": self.components.shares,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> Projection:
        """What `to_arrays` gave; raises KeyError or ValueError where something is missing or does not fit."""
        facts = json.loads(str(arrays["projection"]))
        points, vectors = arrays["points"], arrays["vectors"]
        components = Components(arrays["mean"], arrays["axes"], arrays["shares"])
        width = vectors.shape[1]
        if facts["format"] != _FORMAT or facts["method"] not in METHODS or points.shape != (len(vectors), 2):
            raise ValueError
        if components.mean.shape != (width,) or components.axes.shape != (2, width) or len(vectors) < FEWEST:
            raise ValueError
        return cls(facts["method"], points, vectors, components, float(facts["perplexity"]), int(facts["seed"]))

    def save(self, file: Path | str) -> Path:
        """Write as one file (NumPy's ``.npz``, without pickle), whole or not at all."""
        return write_arrays(Path(file), self.to_arrays())

    @classmethod
    def load(cls, file: Path | str) -> Projection:
        """Read what `save` wrote, alone or as part of a saved map.

        Raises:
            DoppelgramError: there is no such file, or it is no map.
        """
        return read_arrays(Path(file), cls.from_arrays)


def project(vectors: Any, method: str, *, seed: int = 0, perplexity: float = 30.0) -> Projection:
    """Map vectors into the plane.

    Args:
        vectors: (n, d) float32.
        method: ``pca`` or ``tsne``.
        seed: the same seed gives the same map.
        perplexity: of t-SNE, about the number of neighbours that count as near; made smaller for few images.

    Raises:
        DoppelgramError: unknown method, fewer than 3 vectors, a NaN, or a perplexity below 1.
    """
    if method not in METHODS:
        raise DoppelgramError(f"--method is '{method}'; it is {' or '.join(METHODS)}")
    values = checked(vectors, "images to map")
    if len(values) < FEWEST:
        few = "1 image" if len(values) == 1 else f"{len(values) or 'no'} images"
        raise DoppelgramError(f"there are {few} to map; a map needs {FEWEST} or more")
    if not 1 <= perplexity < float("inf"):
        raise DoppelgramError(f"--perplexity is {perplexity:g}; it is 1 or more, usually 5 to 50")
    components = principal_components(values)
    if method == "pca":
        return Projection("pca", components.place(values), values, components, seed=seed)
    used = usable_perplexity(perplexity, len(values))
    points = fit_tsne(values, components, perplexity=used, seed=seed)
    return Projection("tsne", points, values, components, used, seed)


def write_arrays(file: Path, arrays: Mapping[str, Any]) -> Path:
    """Write arrays (none of objects) as ``.npz``, whole or not at all."""
    with written_whole(file) as aside, aside.open("wb") as stream:
        np.savez(stream, **arrays)
    return file


def read_arrays(file: Path, make: Callable[[Mapping[str, Any]], T]) -> T:
    """Give the arrays of a saved map to ``make``; what does not fit is one clear error."""
    if not file.is_file():
        raise DoppelgramError(f"{file}: there is no such saved map; make one with `doppelgram map ... --save FILE`")
    try:
        with np.load(file, allow_pickle=False) as arrays:
            return make(arrays)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, OSError, EOFError, BadZipFile):
        raise DoppelgramError(f"{file}: is not a saved map, or damaged; make it anew with --save") from None
