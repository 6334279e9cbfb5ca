"""A map: images in the plane, what is known of them, and a file that keeps all of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from doppelgram.errors import DoppelgramError
from doppelgram.maps.judgement import Judgement, Text, count_wrong, judge
from doppelgram.maps.projection import Projection, project, read_arrays, write_arrays
from doppelgram.maps.sprites import Sheets, join_sheets
from doppelgram.space.exact import Float32, Float64

PLACED = "new"


@dataclass(frozen=True)
class Images:
    """Embedded images and what is known of them, one row each.

    Attributes:
        vectors: (n, d) embeddings.
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
        judgement: neighbours in the embedding space (not on the map), and who is nearest to another class.
        fingerprint: of the model that embedded them; empty where not known.
    """

    projection: Projection
    images: Images
    points: Float64
    judgement: Judgement
    fingerprint: str = ""

    def place(self, images: Images) -> Map:
        """The map with further images in it, as a part of their own; those that are there do not move."""
        placed = self.projection.place(images.vectors)
        parts = np.full(len(images), PLACED)
        renamed = Images(images.vectors, images.labels, parts, images.names, images.ids, images.sheets)
        everything = self.images.and_(renamed)
        points = np.concatenate([self.points, placed])
        return Map(self.projection, everything, points, _judge(everything), self.fingerprint)

    def misclassified(self) -> dict[str, dict[str, float]]:
        """By part: ``n`` images asked, how many are ``wrong``, and their ``rate``."""
        return count_wrong(self.judgement, self.images.parts)

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
        facts = {"fingerprint": self.fingerprint, "side": sheets.side if sheets else 0}
        texts = {"names": images.names, "ids": images.ids, "labels": images.labels, "part_names": images.parts}
        arrays = {name: np.array(json.dumps([str(text) for text in values])) for name, values in texts.items()}
        arrays |= {
            f"sheet{number}": np.frombuffer(jpeg, dtype=np.uint8)
            for number, jpeg in enumerate(sheets.jpegs if sheets else ())
        }
        shown = {"shown_vectors": images.vectors, "shown_points": self.points, "map": np.array(json.dumps(facts))}
        return write_arrays(Path(file), {**self.projection.to_arrays(), **shown, **arrays})

    @classmethod
    def load(cls, file: Path | str) -> Map:
        """Read what `save` wrote.

        Raises:
            DoppelgramError: there is no such file, or it is no map.
        """

        def make(arrays: Mapping[str, Any]) -> Map:
            facts = json.loads(str(arrays["map"]))
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
            return cls(Projection.from_arrays(arrays), images, points, _judge(images), str(facts["fingerprint"]))

        return read_arrays(Path(file), make)


def make_map(
    images: Images, method: str, *, seed: int = 0, perplexity: float = 30.0, fingerprint: str = ""
) -> Map:  # fmt: skip
    """Map images into the plane.

    Raises:
        DoppelgramError: as `project`, or the columns of ``images`` differ in length.
    """
    if not len(images.vectors) == len(images.labels) == len(images.parts) == len(images.names) == len(images.ids):
        raise DoppelgramError("vectors, labels, parts, names and ids differ in length; give one of each an image")
    projection = project(images.vectors, method, seed=seed, perplexity=perplexity)
    return Map(projection, images, projection.points, _judge(images), fingerprint)


def _judge(images: Images) -> Judgement:
    return judge(images.vectors, images.labels, images.parts, images.ids)
