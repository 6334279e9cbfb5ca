"""A map: images in the plane, what is known of them, and a file that keeps all of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from doppelgram.errors import DoppelgramError
from doppelgram.maps.neighbours import NearestLabels, Text, count_wrong, nearest_labels
from doppelgram.maps.projection import Projection, project, read_arrays, write_arrays
from doppelgram.maps.sprites import Sheets, join_sheets
from doppelgram.space.euclidean import EuclideanSpace
from doppelgram.space.exact import Float32, Float64
from doppelgram.space.space import Space, checked_part

PLACED = "new"


@dataclass(frozen=True)
class Images:
    """Embedded images and what is known of them, one row each.

    Attributes:
        vectors: (n, dim) embeddings.
        labels: (n,) class names; empty where not known.
        parts: (n,) ``train``, ``val``, ``test``; empty where the images were not divided.
        names: paths, as a person should read them.
        ids: content hashes; images with the same one are never each other's neighbour.
        sheets: small pictures of them; None for a map without.
    """

    vectors: Float32
    labels: Text
    parts: Text
    names: Sequence[str]
    ids: Sequence[str]
    sheets: Sheets | None = None

    def __len__(self) -> int:
        return len(self.vectors)

    def and_(self, others: Images) -> Images:
        """These images and then others."""
        sheets = join_sheets(self.sheets, others.sheets) if self.sheets and others.sheets else None
        vectors = np.concatenate([self.vectors, others.vectors])
        labels = np.concatenate([self.labels, others.labels])
        parts = np.concatenate([self.parts, others.parts])
        return Images(vectors, labels, parts, [*self.names, *others.names], [*self.ids, *others.ids], sheets)


@dataclass(frozen=True)
class Map:
    """Images in the plane.

    Attributes:
        projection: how vectors get there.
        images: all that are shown.
        points: (n, 2) where.
        nearest: neighbours in the embedding space (not on the map), and who is nearest to another class.
        space: of the vectors.
        by: the part of the space that is drawn; empty for all of it.
        fingerprint: of the model that embedded them; empty where not known.
    """

    projection: Projection
    images: Images
    points: Float64
    nearest: NearestLabels
    space: Space
    by: str = ""
    fingerprint: str = ""

    def place(self, images: Images) -> Map:
        """The map with further images in it, as a part of their own; those that are there do not move."""
        placed = self.projection.place(self.space.coordinates(images.vectors, self.by))
        parts = np.full(len(images), PLACED)
        renamed = Images(images.vectors, images.labels, parts, images.names, images.ids, images.sheets)
        everything = self.images.and_(renamed)
        points = np.concatenate([self.points, placed])
        nearest = _nearest(everything, self.space, self.by)
        return Map(self.projection, everything, points, nearest, self.space, self.by, self.fingerprint)

    def misclassified(self) -> dict[str, dict[str, float]]:
        """By part: of ``n`` images how many are ``wrong``, and their ``rate``."""
        return count_wrong(self.nearest, self.images.parts)

    def summary(self) -> dict[str, Any]:
        """What the picture shows, in numbers."""
        shown = {part or "all": figures for part, figures in self.misclassified().items()}
        labels, parts = self.images.labels, self.images.parts
        facts: dict[str, Any] = {
            "method": self.projection.method,
            "images": len(self.images),
            "parts": {str(part) or "all": int((parts == part).sum()) for part in np.unique(parts)},
            "classes": len(np.unique(labels[labels != ""])),
            "dim": int(self.projection.vectors.shape[1]),
            **({"by": self.by} if self.by else {}),
            "misclassified": shown,
        }
        if self.projection.method == "tsne":
            facts |= {"perplexity": self.projection.perplexity, "seed": self.projection.seed}
        else:
            facts["variance"] = [round(float(share), 6) for share in self.projection.components.shares]
        return facts

    def save(self, file: Path | str) -> Path:
        """Write the whole map as one ``.npz`` file without pickle, small pictures included."""
        images, sheets = self.images, self.images.sheets
        facts = {"fingerprint": self.fingerprint, "side": sheets.side if sheets else 0, "by": self.by}
        texts = {"names": images.names, "ids": images.ids, "labels": images.labels, "part_names": images.parts}
        arrays = {name: np.array(json.dumps([str(text) for text in values])) for name, values in texts.items()}
        arrays |= {
            f"sheet{number}": np.frombuffer(jpeg, dtype=np.uint8)
            for number, jpeg in enumerate(sheets.jpegs if sheets else ())
        }
        shown = {"shown_vectors": images.vectors, "shown_points": self.points, "map": np.array(json.dumps(facts))}
        return write_arrays(Path(file), {**self.projection.to_arrays(), **shown, **arrays})

    @classmethod
    def load(cls, file: Path | str, space: Space | None = None, *, fingerprint: str = "") -> Map:
        """Read what `save` wrote.

        Args:
            file: to read.
            space: of the vectors; Euclidean by default.
            fingerprint: of the model whose map it has to be.

        Raises:
            DoppelgramError: there is no such file, it is no map, or it is another model's.
        """

        def make(arrays: Mapping[str, Any]) -> Map:
            facts = json.loads(str(arrays["map"]))
            if fingerprint and facts["fingerprint"] != fingerprint:
                raise DoppelgramError(f"{file}: this map was made with another model")
            names, ids, labels, parts = (
                json.loads(str(arrays[name])) for name in ("names", "ids", "labels", "part_names")
            )
            vectors, points = arrays["shown_vectors"], arrays["shown_points"]
            if points.shape != (len(vectors), 2) or any(len(t) != len(vectors) for t in (names, ids, labels, parts)):
                raise ValueError
            sheets = None
            if facts["side"]:
                jpegs: list[bytes] = []
                while f"sheet{len(jpegs)}" in arrays:
                    jpegs.append(arrays[f"sheet{len(jpegs)}"].tobytes())
                sheets = Sheets(int(facts["side"]), len(vectors), tuple(jpegs))
            images = Images(vectors, np.array(labels, np.str_), np.array(parts, np.str_), names, ids, sheets)
            by, of = facts.get("by", ""), (space or EuclideanSpace(vectors.shape[1])).adapted(vectors)
            nearest = _nearest(images, of, by)
            return cls(Projection.from_arrays(arrays), images, points, nearest, of, by, str(facts["fingerprint"]))

        return read_arrays(Path(file), make)


def make_map(
    images: Images,
    method: str,
    *,
    space: Space | None = None,
    by: str = "",
    seed: int = 0,
    perplexity: float = 30.0,
    fingerprint: str = "",
) -> Map:
    """Map images into the plane, by the numbers that their space has for it.

    Args:
        images: all of them with the part of the space that ``by`` names.
        method: ``pca`` or ``tsne``.
        space: of the vectors; Euclidean by default.
        by: part of the space to draw, such as ``place``; all of it by default.
        seed: the same seed gives the same map.
        perplexity: of t-SNE.
        fingerprint: of the model.

    Raises:
        DoppelgramError: as `project`, the columns of ``images`` differ in length, or there is no such part.
    """
    if not len(images.vectors) == len(images.labels) == len(images.parts) == len(images.names) == len(images.ids):
        raise DoppelgramError("vectors, labels, parts, names and ids differ in length; give one of each an image")
    space = (space or EuclideanSpace(images.vectors.shape[1])).adapted(images.vectors)
    by = checked_part(space, by)
    projection = project(space.coordinates(images.vectors, by), method, seed=seed, perplexity=perplexity)
    return Map(projection, images, projection.points, _nearest(images, space, by), space, by, fingerprint)


def _nearest(images: Images, space: Space, by: str) -> NearestLabels:
    return nearest_labels(images.vectors, images.labels, images.parts, images.ids, space=space, by=by)
