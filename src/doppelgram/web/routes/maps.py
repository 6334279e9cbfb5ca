"""The map: whether there is one, making it, its points, whose they are, and small pictures of them."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from fastapi import APIRouter, HTTPException, Path, Query
from fastapi.responses import Response

from doppelgram.errors import DoppelgramError
from doppelgram.maps.projection import FEWEST
from doppelgram.web.listing import Listing, Missing
from doppelgram.web.map_points import BYTES, PARTS, Points, points_of
from doppelgram.web.mapped.kept import SHEET, SIDE, KeptMap
from doppelgram.web.mapped.making import make_and_keep
from doppelgram.web.mapped.split import split_of
from doppelgram.web.routes.common import Asked, image_shown, moment
from doppelgram.web.routes.jobs import job_shown
from doppelgram.web.session import Session
from doppelgram.web.shown import JobShown
from doppelgram.web.shown_map import GroupShown, MadeMap, MapShown, MapWanted, PointShown, PointsWanted

router = APIRouter(prefix="/map", tags=["map"])

_JOB = "map"
_FOREVER = "private, max-age=31536000, immutable"
# Told apart by hue and lightness, and seen on white as well as on black.
_COLOURS = (
    "#3b7dd8",
    "#d9832b",
    "#3f9e58",
    "#c8503f",
    "#8a63c9",
    "#2aa1a8",
    "#cf66a8",
    "#8c6d4f",
    "#9a9a2a",
    "#5d7290",
)
_OTHERS = "#8b949e"
_Stamp = Annotated[str, Query(alias="map", pattern="^[0-9a-f]{16}$", description="The map's stamp.")]


@router.get("")
def about(session: Asked) -> MapShown:
    """Whether there is a map, and what can be seen on it."""
    job = session.jobs.running(_JOB)
    kept, opened = session.maps.kept(), session.opened
    return MapShown(
        state="making" if job else "made" if kept else "none",
        job=job.number if job else None,
        photographs=len(session.catalog),
        fewest=FEWEST,
        parts=list(opened.searcher.space.parts) if opened else [],
        made=_made(session, _points(session)) if kept else None,
    )


@router.post("")
def make(session: Asked, wanted: MapWanted) -> JobShown:
    """Make the map, anew if there is one."""
    count = len(session.catalog)
    if count < FEWEST:
        raise DoppelgramError(f"a map needs {FEWEST} photographs or more; this catalog holds {count}")
    where = session.catalog.folder, session.maps.place, wanted.method, wanted.by, session.weights, session.keypoints
    return job_shown(session.jobs.start(_JOB, "Making the map", make_and_keep, *where, after=str))


@router.get("/points", responses={200: {"content": {"application/octet-stream": {}}}}, response_class=Response)
def points(session: Asked, stamp: _Stamp) -> Response:
    """All points in one array, 13 bytes each: `time` uint32, `x`, `y`, `label`, `author` uint16, `flags` uint8.

    Column after column, little-endian. A time is in seconds since 1970, 0 if it is not known. Labels and authors are
    numbers in the lists of the map, from 1; 0 is none, and what follows the last is one that is not listed. Flags: 1
    the nearest neighbour has a label, 2 it is another one, 4 the photograph is gone, and times 8 the part of the
    training, in `parts`, from 1.
    """
    found = _points(session, stamp)
    headers = {"x-bytes-per-point": str(BYTES)}
    return Response(found.packed(), media_type="application/octet-stream", headers=headers)


@router.post("/images")
def images(session: Asked, wanted: PointsWanted) -> list[PointShown]:
    """The photographs of some points; those that are gone are left out."""
    found, listing = _points(session, wanted.map), session.listing()
    rows = [(at, int(found.rows[at])) for at in wanted.at if at < len(found.rows)]
    return [PointShown(at=at, **image_shown(listing, row).model_dump()) for at, row in rows if row >= 0]


@router.get("/atlas/{number}", responses={200: {"content": {"image/jpeg": {}}}}, response_class=Response)
def atlas(session: Asked, number: Annotated[int, Path(ge=0, le=100_000)], stamp: _Stamp) -> Response:
    """A sheet (JPEG) of the small pictures of 1,024 points, in rows of 32, in the order of the points."""
    sheet = session.maps.sheet(_points(session, stamp).kept, number)
    if sheet is None:
        raise HTTPException(404, "the map has no such sheet")
    return Response(sheet, media_type="image/jpeg", headers={"cache-control": _FOREVER})


def _points(session: Session, stamp: str = "") -> Points:
    """The map and what is known of it; with a stamp, that one and no other."""
    kept = session.maps.kept()
    if kept is None:
        raise Missing("there is no map yet; make one")
    if stamp and stamp != kept.stamp:
        raise Missing("the map was made anew; load the page again")

    def work(kept: KeptMap, listing: Listing) -> Points:
        return points_of(kept, listing, split_of(session.catalog, session.runs))

    return session.maps.together(kept, session.listing(), work)


def _made(session: Session, found: Points) -> MadeMap:
    kept, facts = found.kept, session.listing().facts
    times, places = facts["timestamp"].dropna(), kept.places
    groups = {"label": _groups(found.labels, found.label), "author": _groups(found.authors, found.author)}
    timed = len(times) and times.min() < times.max()
    # The first is what the map is coloured by at first: most authors have few photographs.
    known = {
        "label": groups["label"],
        "time": timed,
        "author": groups["author"],
        "errors": kept.judged.any(),
        "part": found.part.any(),
    }
    return MadeMap(
        stamp=kept.stamp,
        points=len(kept.ids),
        added=found.added,
        gone=int((found.rows < 0).sum()),
        **{name: kept.facts[name] for name in ("method", "by", "about")},
        width=int(places[:, 0].max()),
        height=int(places[:, 1].max()),
        labels=groups["label"],
        authors=groups["author"],
        first=moment(times.min()) if len(times) else None,
        last=moment(times.max()) if len(times) else None,
        judged=int(kept.judged.sum()),
        wrong=int(kept.wrong.sum()),
        colourings=[name for name, there in known.items() if there],
        parts=list(PARTS),
        sheet=SHEET,
        side=SIDE,
    )


def _groups(names: list[str], numbers: np.ndarray[tuple[int], np.dtype[np.uint16]]) -> list[GroupShown]:
    counts = np.bincount(numbers, minlength=len(names) + 2)[1:]
    colours = [*_COLOURS, *[_OTHERS] * len(names)]
    return [GroupShown(name=name, count=int(n), colour=c) for name, n, c in zip(names, counts, colours, strict=False)]
