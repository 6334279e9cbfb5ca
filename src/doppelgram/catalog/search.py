"""Search: the images of a catalog that look most like a photograph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from doppelgram.catalog.exact import ExactSearch
from doppelgram.catalog.store import Catalog
from doppelgram.errors import DoppelgramError
from doppelgram.images.batch import load_pixels
from doppelgram.images.report import quoted

if TYPE_CHECKING:
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
        distance: Euclidean distance of the embeddings.
        probability: that both show the same, if same and different were equally likely beforehand; None if the
            model is not calibrated.
        id: SHA-256 of the file.
    """

    rank: int
    path: str
    name: str
    label: str
    distance: float
    probability: float | None
    id: str


@dataclass(frozen=True)
class Neighbours:
    """A query and what was found for it, nearest first.

    Attributes:
        query: path as it was asked for.
        matches: at most k.
        id: SHA-256 of the query's file.
        faces: how many faces were found in the query; None where none were looked for.
    """

    query: str
    matches: list[Match]
    id: str = ""
    faces: int | None = None


def search_catalog(
    catalog: Catalog,
    images: Sequence[Path],
    k: int = 5,
    *,
    model: Model | None = None,
    include_self: bool = False,
    face: str = "",
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

    Returns:
        One answer a query, in the order given.

    Raises:
        DoppelgramError: a query is missing or broken, the catalog is empty, the model is another, or k is below 1.
    """
    if k < 1:
        raise DoppelgramError(f"k is {k}; ask for 1 neighbour or more")
    model = model or catalog.load_model()
    catalog.require(model.fingerprint)
    rows, vectors = catalog.snapshot(["id", "path", "name", "label"])
    if rows.empty:
        raise DoppelgramError(f"{catalog.folder}: this catalog is empty; index images into it first")
    order = rows["id"].argsort(kind="stable").to_numpy()
    rows, vectors = rows.iloc[order], vectors[order]
    ids, paths, names, labels = (rows[column].tolist() for column in ("id", "path", "name", "label"))
    gallery = ExactSearch(vectors, ids)
    framing = replace(model.framing, face=face) if face else catalog.framing(model)
    found: list[Neighbours] = []
    for start in range(0, len(images), _QUERIES_AT_ONCE):
        part = [Path(image) for image in images[start : start + _QUERIES_AT_ONCE]]
        loaded = load_pixels(part, framing, keep_duplicates=True)
        for outcome in loaded.report.problems():
            raise DoppelgramError(f"the query {quoted(outcome.path)} cannot be searched for: {outcome.reason}")
        embedded = model.embed_pixels(loaded.pixels)
        own = None if include_self else loaded.hashes
        distances, positions = gallery.nearest(embedded, min(k, len(ids)), query_ids=own)
        answers = zip(images[start:], loaded.hashes, loaded.faces, distances, positions, strict=False)
        for query, digest, faces, row, where in answers:
            matches = [
                Match(
                    rank=rank,
                    path=paths[position],
                    name=names[position],
                    label=labels[position],
                    distance=float(distance),
                    probability=float(model.calibration.probability(distance)) if model.calibration else None,
                    id=ids[position],
                )
                for rank, (distance, position) in enumerate(zip(row, where, strict=True), start=1)
                if position >= 0
            ]
            found.append(Neighbours(str(query), matches, digest, faces))
    return found
