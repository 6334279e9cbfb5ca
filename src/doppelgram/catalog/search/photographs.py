"""Search by photographs: from files to vectors, and back to answers, however the nearest vectors are found."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from doppelgram.catalog.findings import face_box_from
from doppelgram.catalog.search.gallery import Gallery
from doppelgram.catalog.search.where import Where
from doppelgram.errors import DoppelgramError
from doppelgram.images.faces.face import FaceBox
from doppelgram.images.read import Source
from doppelgram.images.report import quoted
from doppelgram.models.embed_files import embed_files
from doppelgram.models.embedder import Embedder
from doppelgram.space.background import Background
from doppelgram.space.exact import Float32
from doppelgram.space.space import Found, Space, checked_part, unknown_parts


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
        query: path as it was asked for; of an image in memory ``image`` and its position.
        matches: at most k.
        id: SHA-256 of the query's file; empty for an image in memory.
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


class PhotographSearch(ABC):
    """Finds what looks like a photograph: the way from files to vectors, and back to answers.

    Attributes:
        model: that fills the catalog.
        space: in which its vectors are compared.
    """

    model: Embedder
    space: Space
    _face: str

    def search(self, images: Sequence[Source], k: int = 5, **settings: Any) -> list[Neighbours]:
        """Find the k nearest images for each photograph; settings as for `ask`.

        Raises:
            DoppelgramError: no query at all can be searched for, k is below 1, or ``by`` is no part of the space.
        """
        every = self.ask(images, k, **settings)
        if every and all(answer.problem for answer in every):
            raise DoppelgramError(f"the query {quoted(every[0].query)} cannot be searched for: {every[0].problem}")
        return every

    def ask(
        self,
        images: Sequence[Source],
        k: int = 5,
        *,
        by: str = "",
        face: str = "",
        faces: str = "",
        include_self: bool = False,
        where: Where | None = None,
    ) -> list[Neighbours]:
        """Find the k nearest images for each photograph; it may be that none of them can be searched for.

        Args:
            images: the queries: files, or images in memory, which are called ``image 0`` and so on in the answers.
            k: matches wanted; fewer are returned where the catalog holds fewer.
            by: one part of the model's space to rank by, such as ``place``; by default everything together.
            face: detector with which the queries' faces are cut out; by default the queries are framed as what is in
                the catalog was.
            faces: by a model of faces: which of a query's faces are asked with, ``largest`` (the default), ``all`` (an
                answer each) or one by its number as text.
            include_self: whether a query's own content (the same bytes under any name) counts as a match.
            where: condition that an image has to fulfil to be found.

        Returns:
            One answer a query, or a face of it, in the order given. A query that is missing or broken, has no face
            that is asked for, or says nothing of the part ``by``, has a `Neighbours.problem` and stops no other.

        Raises:
            DoppelgramError: k is below 1, or ``by`` is no part of the space.
        """
        if k < 1:
            raise DoppelgramError(f"k is {k}; ask for 1 neighbour or more")
        space = self.space
        by = checked_part(space, by)
        if not images:
            return []
        names = [str(one) if isinstance(one, (str, Path)) else f"image {at}" for at, one in enumerate(images)]
        sources: list[Source] = [Path(one) if isinstance(one, str) else one for one in images]
        model = self.model.with_face(face or self._face).with_faces(faces)
        files = embed_files(model, sources, keep_duplicates=True, requested=True)
        wrong = files.report.problems()
        answers: list[list[Neighbours]] = [
            [Neighbours(name, [], problem=outcome.reason or outcome.status)] if outcome in wrong else []
            for name, outcome in zip(names, files.report.outcomes, strict=True)
        ]
        unknown = unknown_parts(space, files.vectors)
        own = None if include_self else files.hashes
        matches = self.answers(files.vectors, k, by, own, where)
        for row, position in enumerate(files.kept.tolist()):
            problem = f"nobody was found in it, so there is no {by} to search by" if by in unknown[row] else ""
            answers[position].append(
                Neighbours(
                    names[position],
                    [] if problem else matches[row],
                    files.hashes[row],
                    files.faces[row],
                    unknown[row],
                    files.shown[row],
                    problem,
                )
            )
        return [answer for of_one in answers for answer in of_one]

    @abstractmethod
    def answers(
        self, vectors: Float32, k: int, by: str, own: Sequence[str] | None, where: Where | None
    ) -> list[list[Match]]:
        """The k nearest rows of each vector, nearest first; of rows that fulfil a condition, and of other files."""


def matches_of(gallery: Gallery, found: Found, row: int, near: Background | None) -> list[Match]:
    """What was found for one query, in words.

    Args:
        gallery: the rows that were searched.
        found: for all queries.
        row: of the query.
        near: how near any two of the catalog's images are, where that is told.
    """
    matches = []
    for place, position in enumerate(found.positions[row].tolist()):
        if position < 0:
            break
        kept = gallery.row(position)
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
            float(near.rate(distance)) if near else None,
            face=face_box_from(json.loads(kept["columns"])) if "columns" in kept else None,
        )
        matches.append(match)
    return matches
