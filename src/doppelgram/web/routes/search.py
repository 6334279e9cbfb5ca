"""Search: look-alikes of a photograph of the catalog, or of one that a visitor brings."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Body, HTTPException, Query
from numpy.typing import NDArray

from doppelgram.catalog.rows import file_of
from doppelgram.catalog.search.searcher import Match
from doppelgram.space.space import unknown_parts
from doppelgram.web.listing import Missing, Opened
from doppelgram.web.routes.common import NO_PHOTOGRAPH, Asked, Filtered, RowId, face_shown, match_shown, people_shown
from doppelgram.web.session import Session
from doppelgram.web.shown import QueryShown, SearchShown

router = APIRouter(tags=["search"])

_Name = Annotated[str, Query(pattern=r"^[A-Za-z0-9_-]{8,40}$", description="From POST /api/queries.")]
_K = Annotated[int, Query(ge=1, le=500, description="How many answers.")]
_Mix = Annotated[
    float | None, Query(ge=0, le=1, description="What ranks: 0 the pose alone, 1 the place alone, 0.5 both as fitted.")
]


@router.post("/queries", status_code=201)
def bring(
    session: Asked,
    content: Annotated[bytes, Body(media_type="application/octet-stream", description="The file of an image.")] = b"",
) -> QueryShown:
    """Bring a photograph to search for. It stays in memory for a while and is written nowhere."""
    if not content:
        raise HTTPException(422, "the photograph is empty")
    opened = session.require()
    name = session.bring(content)
    seen = session.query(name).seen
    return QueryShown(
        query=name,
        id=seen.digest,
        known=seen.digest in opened.position,
        faces=[face_shown(face) for face in seen.faces],
        people=people_shown(seen.people),
        unknown=list(seen.unknown),
    )


@router.get("/search")
def search(
    session: Asked,
    filters: Filtered,
    query: _Name,
    k: _K = 24,
    mix: _Mix = None,
    face: Annotated[int, Query(ge=0, le=1000, description="Which face asks; 1 is the largest.")] = 0,
    person: Annotated[int, Query(ge=0, le=100, description="Which person asks, 1 the most prominent; 0 all.")] = 0,
) -> SearchShown:
    """The look-alikes of a photograph that was brought."""
    started = time.perf_counter()
    opened = session.require()
    seen = session.query(query).seen
    if face > max(len(seen.vectors), 1) or (face and not seen.faces):
        raise HTTPException(422, f"there is no face {face} in this photograph")
    vector = seen.vectors[max(face - 1, 0) :][:1]
    if person:
        vector = opened.searcher.space.only_person(vector, person)
    allowed = filters.among(opened)
    found = opened.searcher.nearest(vector, k, mix=mix, own=[seen.digest], allowed=allowed)[0]
    return _shown(session, opened, found, allowed, seen.unknown, started)


@router.get("/neighbours/{image}")
def neighbours(session: Asked, filters: Filtered, image: RowId, k: _K = 24, mix: _Mix = None) -> SearchShown:
    """The look-alikes of a photograph of the catalog, which is not its own answer."""
    started = time.perf_counter()
    opened = session.require()
    position = opened.position.get(image)
    if position is None:
        raise Missing(NO_PHOTOGRAPH)
    vector = opened.searcher.vector(position)
    allowed = filters.among(opened)
    found = opened.searcher.nearest(vector, k, mix=mix, own=[file_of(image)], allowed=allowed)[0]
    return _shown(session, opened, found, allowed, unknown_parts(opened.searcher.space, vector)[0], started)


def _shown(
    session: Session,
    opened: Opened,
    found: Sequence[Match],
    allowed: NDArray[np.bool_] | None,
    unknown: Sequence[str],
    started: float,
) -> SearchShown:
    session.keep_thumbnails([match.id for match in found])
    return SearchShown(
        matches=[match_shown(opened, match) for match in found],
        searched=len(opened.searcher) if allowed is None else int(allowed.sum()),
        unknown=list(unknown),
        milliseconds=round((time.perf_counter() - started) * 1000, 1),
    )
