"""Search: the images of a catalog that look most like a photograph."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from doppelgram.catalog.findings import face_box_from
from doppelgram.catalog.gallery import Gallery
from doppelgram.errors import DoppelgramError
from doppelgram.images.faces.face import FaceBox
from doppelgram.images.report import quoted
from doppelgram.models.embed_files import embed_files
from doppelgram.models.embedder import Embedder
from doppelgram.space.background import Background, background
from doppelgram.space.exact import Float32
from doppelgram.space.space import Found, checked_part, unknown_parts

_COLUMNS = ("id", "path", "name", "label")


@dataclass(frozen=True)
class Match:
    """One image that was found.

    Attributes:
        rank: 1 for the nearest.
        path: absolute path when it was indexed; the file need not exist any more.
        name: path as its collection spelled it.
        label: empty where it is not known.
        distance: of the embeddings, as the model's space measures it.
        probability: that this answer is right, as it was counted on what searches found (`Calibration`); None if the
            model is not calibrated.
        id: SHA-256 of the file; of a photograph's second face on with ``#`` and its number.
        parts: probability that each part of the space, such as the place, is the same.
        unknown: parts that could not be compared; their probability is that of any pair.
        as_near: share of the catalog's own pairs of images that are as near; None where its images have labels.
        view_points: matched points of the same view, 0 where they are too few to say so; None where nobody looked.
        face: which face of the photograph was found, by models of faces.
    """

    rank: int
    path: str
    name: str
    label: str
    distance: float
    probability: float | None
    id: str
    parts: Mapping[str, float] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    as_near: float | None = None
    view_points: int | None = None
    face: FaceBox | None = None


@dataclass(frozen=True)
class Neighbours:
    """A query and what was found for it, nearest first.

    Attributes:
        query: path as it was asked for.
        matches: at most k.
        id: SHA-256 of the query's file.
        faces: how many faces were found in the query; None where none were looked for.
        unknown: parts of the space of which the query says nothing, such as the pose where nobody was found.
        face: which face of the query was asked with, by models of faces.
        problem: why nothing was searched for, such as that there is no such file; empty where something was.
    """

    query: str
    matches: list[Match]
    id: str = ""
    faces: int | None = None
    unknown: tuple[str, ...] = ()
    face: FaceBox | None = None
    problem: str = ""


class Searchable(Protocol):
    """What a `Searcher` needs of a catalog."""

    folder: Path
    face: str

    def require(self, fingerprint: str) -> None:
        """Refuse another model's vectors."""

    def arrow(self, columns: Sequence[str]) -> Any:
        """The given columns of all rows as an Arrow table."""


class Searcher:
    """A catalog's vectors in memory and the model that made them: opened once, asked many times.

    All embeddings are read once (n x dim float32) and searched exactly. Equal distances are ordered by id, so that the
    answer does not depend on the order of indexing. What is indexed later is not found. Distances are those of the
    model's space as `Space.adapted` to the catalog.

    Args:
        catalog: where to search. Neither the photographs in it nor the run of its model need to exist any more.
        model: the model that fills the catalog.

    Raises:
        DoppelgramError: the catalog is empty, or the model is another.
    """

    def __init__(self, catalog: Searchable, model: Embedder) -> None:
        catalog.require(model.fingerprint)
        columns = (*_COLUMNS, "columns") if model.tells_faces else _COLUMNS
        table = catalog.arrow([*columns, "vector"])
        if not table.num_rows:
            raise DoppelgramError(f"{catalog.folder}: this catalog is empty; index images into it first")
        self._gallery = Gallery(table, model.dim)
        self.model = model
        self._face = catalog.face
        self.space = model.space.adapted(self._gallery.vectors)
        self._index = self.space.index(self._gallery.vectors, self._gallery)

    def __len__(self) -> int:
        """How many images, or faces, there are to be found."""
        return len(self._gallery)

    def search(
        self,
        images: Sequence[Path | str],
        k: int = 5,
        *,
        by: str = "",
        face: str = "",
        faces: str = "",
        include_self: bool = False,
        allowed: NDArray[np.bool_] | None = None,
    ) -> list[Neighbours]:
        """Find the k nearest images for each photograph, exactly.

        Args:
            images: the queries.
            k: matches wanted; fewer are returned where the catalog holds fewer.
            by: one part of the model's space to rank by, such as ``place``; by default everything together.
            face: detector with which the queries' faces are cut out; by default the queries are framed as what is in
                the catalog was.
            faces: by a model of faces: which of a query's faces are asked with, ``largest`` (the default), ``all`` (an
                answer each) or one by its number as text.
            include_self: whether a query's own content (the same bytes under any name) counts as a match.
            allowed: as for `nearest`.

        Returns:
            One answer a query, or a face of it, in the order given. A query that is missing or broken, has no face
            that is asked for, or says nothing of the part ``by``, has a `Neighbours.problem` and stops no other.

        Raises:
            DoppelgramError: no query at all can be searched for, k is below 1, or ``by`` is no part of the space.
        """
        if k < 1:
            raise DoppelgramError(f"k is {k}; ask for 1 neighbour or more")
        space = self.space
        by = checked_part(space, by)
        if not images:
            return []
        model = self.model.with_face(face or self._face).with_faces(faces)
        files = embed_files(model, [Path(image) for image in images], keep_duplicates=True, requested=True)
        wrong = files.report.problems()
        answers: list[list[Neighbours]] = [
            [Neighbours(str(image), [], problem=outcome.reason or outcome.status)] if outcome in wrong else []
            for image, outcome in zip(images, files.report.outcomes, strict=True)
        ]
        unknown = unknown_parts(space, files.vectors)
        own = None if include_self else files.hashes
        matches = self.nearest(files.vectors, k, by=by, own=own, allowed=allowed)
        for row, position in enumerate(files.kept.tolist()):
            problem = f"nobody was found in it, so there is no {by} to search by" if by in unknown[row] else ""
            answers[position].append(
                Neighbours(
                    str(images[position]),
                    [] if problem else matches[row],
                    files.hashes[row],
                    files.faces[row],
                    unknown[row],
                    files.shown[row],
                    problem,
                )
            )
        every = [answer for of_one in answers for answer in of_one]
        if all(answer.problem for answer in every):
            raise DoppelgramError(f"the query {quoted(every[0].query)} cannot be searched for: {every[0].problem}")
        return every

    @property
    def ids(self) -> list[str]:
        """The rows' ids in the order of `positions`."""
        return self._gallery.ids

    def rows_of(self, ids: Iterable[str]) -> NDArray[np.bool_]:
        """Which rows (n,) have one of these ids, in the order of `ids`."""
        return self._gallery.among(ids)

    @cached_property
    def _background(self) -> Background | None:
        """How near any two images are; None where labels tell what is alike."""
        if self._gallery.labelled or len(self) < 2:
            return None
        return background(self.space, self._gallery.vectors)

    def vector(self, position: int) -> Float32:
        """The embedding (1, dim) of the row at a position."""
        return self._index.gallery[position : position + 1]

    def nearest(
        self,
        vectors: Float32,
        k: int,
        *,
        by: str = "",
        mix: float | None = None,
        own: Sequence[str] | None = None,
        allowed: NDArray[np.bool_] | None = None,
    ) -> list[list[Match]]:
        """The k nearest rows of each vector, nearest first.

        Args:
            vectors: (q, dim), by the model that fills the catalog.
            k: 1 or more.
            by: one part of the model's space to rank by; by default everything together.
            mix: what ranks instead, from 0, the pose alone, to 1, the place alone; 0.5 weighs both as the model does.
            own: digest of each vector's file, which is not to be found.
            allowed: rows (n,) that may be found, in the order of `ids`; all by default.

        Raises:
            DoppelgramError: k is below 1, or the space has no such part.
        """
        left_out = () if allowed is None else np.flatnonzero(~allowed)
        few = min(k, len(self))
        found = self._index.nearest(vectors, few, query_ids=own, by=by, mix=mix, left_out=left_out)
        return [self._matches(found, row) for row in range(len(vectors))]

    def _matches(self, found: Found, row: int) -> list[Match]:
        matches = []
        for place, position in enumerate(found.positions[row].tolist()):
            if position < 0:
                break
            kept = self._gallery.row(position)
            distance = float(found.distances[row, place])
            match = Match(
                place + 1,
                kept["path"],
                kept["name"],
                kept["label"],
                distance,
                None if found.probabilities is None else float(found.probabilities[row, place]),
                kept["id"],
                {part: float(figures.probability[row, place]) for part, figures in found.parts.items()},
                tuple(part for part, figures in found.parts.items() if np.isnan(figures.distance[row, place])),
                float(self._background.rate(distance)) if self._background else None,
                face=face_box_from(json.loads(kept["columns"])) if "columns" in kept else None,
            )
            matches.append(match)
        return matches
