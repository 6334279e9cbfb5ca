"""Search: look-alikes of a photograph of the catalog, or of one that a visitor brings."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Body, HTTPException, Query

from doppelgram.catalog.rows import file_of
from doppelgram.space.space import unknown_parts
from doppelgram.web.routes.common import Asked, Moment, RowId, face_shown, match_shown, people_shown
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
    query: _Name,
    k: _K = 24,
    mix: _Mix = None,
    face: Annotated[int, Query(ge=0, le=1000, description="Which face asks; 1 is the largest.")] = 0,
    person: Annotated[int, Query(ge=0, le=100, description="Which person asks, 1 the most prominent; 0 all.")] = 0,
    label: str = "",
    author: str = "",
    since: Moment | None = None,
    until: Moment | None = None,
) -> SearchShown:
    """The look-alikes of a photograph that was brought."""
    started = time.perf_counter()
    opened = session.require()
    seen = session.query(query).seen
    space = opened.searcher.space
    if person:
        seen = replace(seen, vectors=space.only_person(seen.vectors, person))
    if face > max(len(seen.vectors), 1) or (face and not seen.faces):
        raise HTTPException(422, f"there is no face {face} in this photograph")
    vectors = seen.vectors[max(face - 1, 0) :][:1]
    allowed = opened.among(label, author, since, until)
    found = opened.searcher.nearest(vectors, k, mix=mix, own=[seen.digest], allowed=allowed)
    session.keep_thumbnails([match.id for match in found[0]])
    return SearchShown(
        matches=[match_shown(opened, match) for match in found[0]],
        searched=len(opened.searcher) if allowed is None else int(allowed.sum()),
        unknown=list(seen.unknown),
        milliseconds=round((time.perf_counter() - started) * 1000, 1),
    )


@router.get("/neighbours/{image}")
def neighbours(
    session: Asked,
    image: RowId,
    k: _K = 24,
    mix: _Mix = None,
    label: str = "",
    author: str = "",
    since: Moment | None = None,
    until: Moment | None = None,
) -> SearchShown:
    """The look-alikes of a photograph of the catalog, which is not its own answer."""
    started = time.perf_counter()
    opened = session.require()
    position = opened.position.get(image)
    if position is None:
        raise HTTPException(404, "there is no such photograph in this catalog")
    vector = opened.searcher.vector(position)
    allowed = opened.among(label, author, since, until)
    found = opened.searcher.nearest(vector, k, mix=mix, own=[file_of(image)], allowed=allowed)
    session.keep_thumbnails([match.id for match in found[0]])
    return SearchShown(
        matches=[match_shown(opened, match) for match in found[0]],
        searched=len(opened.searcher) if allowed is None else int(allowed.sum()),
        unknown=list(unknown_parts(opened.searcher.space, vector)[0]),
        milliseconds=round((time.perf_counter() - started) * 1000, 1),
    )
