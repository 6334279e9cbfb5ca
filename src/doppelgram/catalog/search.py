"""Search: the images of a catalog that look most like a photograph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from doppelgram.catalog.store import Catalog
from doppelgram.errors import DoppelgramError
from doppelgram.images.framing import Framing
from doppelgram.images.report import quoted
from doppelgram.space.arrangement_search import BY, JointSearch, pose_log_odds
from doppelgram.space.exact import ExactSearch, Float32, Float64

if TYPE_CHECKING:
    from doppelgram.models.arrangement import ArrangementModel
    from doppelgram.models.files import EmbeddedFiles
    from doppelgram.models.model import Model

# Queries whose pixels are in memory at the same time.
_QUERIES_AT_ONCE = 256


@dataclass(frozen=True)
class Match:
    """One image that was found.

    Attributes:
        rank: 1 for the nearest.
        path: absolute path when it was indexed; the file need not exist any more.
        name: path as its collection spelled it.
        label: empty where it is not known.
        distance: Euclidean distance of the embeddings; with a model of places and poses the probability that the
            arrangements differ.
        probability: that both show the same, if same and different were equally likely beforehand; None if the
            model is not calibrated.
        id: SHA-256 of the file.
        place_probability: that both show the same place; None for models of whole images.
        pose_probability: that both show the same pose, its prior where one of them shows nobody; None for models of
            whole images.
        people: how many people were compared; None for models of whole images.
    """

    rank: int
    path: str
    name: str
    label: str
    distance: float
    probability: float | None
    id: str
    place_probability: float | None = None
    pose_probability: float | None = None
    people: int | None = None


@dataclass(frozen=True)
class Neighbours:
    """A query and what was found for it, nearest first.

    Attributes:
        query: path as it was asked for.
        matches: at most k.
        id: SHA-256 of the query's file.
        faces: how many faces were found in the query; None where none were looked for.
        people: how many people the query's pose is of, 0 if nobody was found; None for models of whole images.
    """

    query: str
    matches: list[Match]
    id: str = ""
    faces: int | None = None
    people: int | None = None


@dataclass(frozen=True)
class _Gallery:
    """What of the catalog's rows goes into answers, in the order of ids."""

    ids: list[str]
    paths: list[str]
    names: list[str]
    labels: list[str]
    vectors: Float32

    @classmethod
    def of(cls, catalog: Catalog) -> _Gallery:
        rows, vectors = catalog.snapshot(["id", "path", "name", "label"])
        if rows.empty:
            raise DoppelgramError(f"{catalog.folder}: this catalog is empty; index images into it first")
        order = rows["id"].argsort(kind="stable").to_numpy()
        rows = rows.iloc[order]
        ids, paths, names, labels = (rows[column].tolist() for column in ("id", "path", "name", "label"))
        return cls(ids, paths, names, labels, vectors[order])

    def match(self, rank: int, position: int, distance: float, probability: float | None) -> Match:
        return Match(
            rank, self.paths[position], self.names[position], self.labels[position], float(distance), probability,
            self.ids[position],
        )  # fmt: skip


def search_catalog(
    catalog: Catalog,
    images: Sequence[Path],
    k: int = 5,
    *,
    model: Model | ArrangementModel | None = None,
    include_self: bool = False,
    face: str = "",
    by: str = "",
) -> list[Neighbours]:
    """Find the k nearest images of a catalog for each photograph, exactly.

    All embeddings are read into memory once (n x dim float32). Equal distances are ordered by id, so that the answer
    does not depend on the order of indexing.

    Args:
        catalog: where to search. Neither the photographs in it nor the run of its model need to exist any more.
        images: the queries.
        k: matches wanted; fewer are returned where the catalog holds fewer.
        model: the model that fills the catalog, if it is loaded already.
        include_self: whether a query's own content (the same bytes under any name) counts as a match.
        face: detector with which the queries' faces are cut out; by default the queries are framed as what is in the
            catalog was.
        by: for a model of places and poses, what ranks: ``joint`` (the default), ``place`` or ``pose``.

    Returns:
        One answer a query, in the order given.

    Raises:
        DoppelgramError: a query is missing or broken, the catalog is empty, the model is another, k is below 1, or
            ``by`` does not go with the model or is ``pose`` for a query that shows nobody.
    """
    from doppelgram.models.model import Model

    if k < 1:
        raise DoppelgramError(f"k is {k}; ask for 1 neighbour or more")
    if by and by not in BY:
        raise DoppelgramError(f"--by is '{by}'; it is one of {', '.join(BY)}")
    model = model or catalog.load_model()
    catalog.require(model.fingerprint)
    gallery = _Gallery.of(catalog)
    k = min(k, len(gallery.ids))
    if isinstance(model, Model):
        if by:
            raise DoppelgramError(
                f"{catalog.folder}: --by goes with a model of places and poses; this one compares whole images"
            )
        framing = replace(model.framing, face=face or catalog.face or model.framing.face)
        return list(_alike(gallery, model, framing, images, k, include_self))
    return list(_arranged_alike(gallery, model, images, k, include_self, by or "joint"))


def _embedded(
    model: Model | ArrangementModel, images: Sequence[Path], framing: Framing | None = None
) -> Iterator[tuple[Sequence[Path], EmbeddedFiles]]:
    """The queries in parts, embedded; a query that cannot be read stops the search."""
    from doppelgram.models.files import embed_files

    for start in range(0, len(images), _QUERIES_AT_ONCE):
        part = [Path(image) for image in images[start : start + _QUERIES_AT_ONCE]]
        files = embed_files(model, part, framing=framing, keep_duplicates=True, requested=True)
        for outcome in files.report.problems():
            raise DoppelgramError(f"the query {quoted(outcome.path)} cannot be searched for: {outcome.reason}")
        yield images[start : start + _QUERIES_AT_ONCE], files


def _alike(
    gallery: _Gallery, model: Model, framing: Framing, images: Sequence[Path], k: int, include_self: bool
) -> Iterator[Neighbours]:
    search = ExactSearch(gallery.vectors, gallery.ids)
    for queries, files in _embedded(model, images, framing):
        own = None if include_self else files.hashes
        distances, positions = search.nearest(files.vectors, k, query_ids=own)
        answers = zip(queries, files.hashes, files.faces, distances, positions, strict=True)
        for query, digest, faces, row, where in answers:
            probabilities = model.calibration.probability(row).tolist() if model.calibration else [None] * k
            found = zip(row, where, probabilities, strict=True)
            matches = [
                gallery.match(rank, position, distance, probability)
                for rank, (distance, position, probability) in enumerate(found, start=1)
                if position >= 0
            ]
            yield Neighbours(str(query), matches, digest, faces)


def _arranged_alike(
    gallery: _Gallery, model: ArrangementModel, images: Sequence[Path], k: int, include_self: bool, by: str
) -> Iterator[Neighbours]:
    space = model.space
    search = JointSearch(space, gallery.vectors, gallery.ids)
    shown = space.people_shown(gallery.vectors)
    for queries, files in _embedded(model, images):
        people = space.people_shown(files.vectors).tolist()
        if by == "pose":
            _require_people(queries, people)
        own = None if include_self else files.hashes
        found = search.nearest(files.vectors, k, query_ids=own, by=by)
        place = space.calibration.place.probability(found.place)
        pose = sigmoid(pose_log_odds(space, found.pose))
        both, apart = sigmoid(found.log_odds), sigmoid(-found.log_odds)
        for row, (query, digest, count) in enumerate(zip(queries, files.hashes, people, strict=True)):
            matches = [
                replace(
                    gallery.match(rank, position, apart[row, rank - 1], float(both[row, rank - 1])),
                    place_probability=float(place[row, rank - 1]),
                    pose_probability=float(pose[row, rank - 1]),
                    people=int(min(count, shown[position])),
                )
                for rank, position in enumerate(found.positions[row].tolist(), start=1)
                if position >= 0
            ]
            yield Neighbours(str(query), matches, digest, None, count)


def _require_people(queries: Sequence[Path], people: Sequence[int]) -> None:
    for query, found in zip(queries, people, strict=True):
        if not found:
            raise DoppelgramError(
                f"nobody was found in the query {quoted(str(query))}, so there is no pose to search by; "
                "search by joint or by place"
            )


def sigmoid(log_odds: Float64) -> Float64:
    """Probability at some log-odds, stable for all of them."""
    return np.asarray(np.exp(-np.logaddexp(0.0, -log_odds)))
