"""Role models: the trace of a catalog, its arrangements along time, and one arrangement."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query

from doppelgram.errors import DoppelgramError
from doppelgram.rolemodels import tables
from doppelgram.rolemodels.findings import (
    LIMITS,
    WHAT_FOLLOWS,
    WHAT_IS_ATTRIBUTED,
    headline,
    lead,
    left_out,
    overall,
)
from doppelgram.rolemodels.growth import HOW_TO_READ_GROWTH, growth
from doppelgram.rolemodels.meanings import MEANINGS
from doppelgram.rolemodels.settings import TraceSettings
from doppelgram.web.listing import Missing
from doppelgram.web.routes.common import Asked
from doppelgram.web.routes.jobs import job_shown
from doppelgram.web.routes.traced_rows import (
    arrangement_shown,
    authors_shown,
    bins_shown,
    curve_shown,
    each,
    follower_shown,
    known,
    places_shown,
    post_shown,
)
from doppelgram.web.session import Session
from doppelgram.web.shown import JobShown
from doppelgram.web.shown_traces import ArrangementOpened, RoleModelsShown, TraceAsked, WallRow, WallShown
from doppelgram.web.traces import Traced
from doppelgram.web.tracing import KIND, begin_tracing, obstacle

router = APIRouter(tags=["role models"])

_ARRANGEMENTS, _LEADERS, _ROWS, _POSTS = 200, 24, 50, 1_000
_NO_TRACE = "this catalog was not traced yet; ask for that with POST /api/role-models"


@router.get("/role-models")
def role_models(session: Asked) -> RoleModelsShown:
    """What was traced in this catalog, and whether it is being traced."""
    listing = session.listing()
    traced, job = session.traces.current(listing.facts), session.jobs.running(KIND)
    # What was traced is there before the vectors are in memory.
    opened = session.require() if traced is None else session.opened
    state = "running" if job else "ready" if traced else "none"
    facts: dict[str, Any] = {
        "state": state,
        "problem": "" if opened is None else obstacle(opened),
        "job": job.number if job else None,
        "how_to_read": f"{WHAT_FOLLOWS} {WHAT_IS_ATTRIBUTED}",
        "limits": LIMITS,
        "meanings": MEANINGS,
    }
    if traced is None:
        return RoleModelsShown(**facts)
    found = traced.found
    return RoleModelsShown(
        **facts,
        made=traced.when,
        new=traced.new_rows(listing.position),
        headline=headline(found),
        lead=lead(found),
        overall=overall(found),
        counts=found.counts,
        left_out=left_out(found),
        settings=found.settings.to_dict(),
        threshold=found.threshold,
        decay_days=known(found.decay_days),
        notes=list(found.notes),
        arrangements=[arrangement_shown(traced, row) for row in each(found.arrangements.head(_ARRANGEMENTS))],
        leaders=[post_shown(traced, post) for post in each(found.leaders.head(_LEADERS))],
        curve=curve_shown(found.curve, "days"),
        authors=authors_shown(traced, found.authors.head(_ROWS)),
        places=places_shown(traced, found.places.head(_ROWS)),
    )


@router.post("/role-models", status_code=202)
def trace(session: Asked, asked: TraceAsked) -> JobShown:
    """Trace the role models of this catalog, as a job. No photograph is read again."""
    chosen = asked.model_dump(exclude={"places"})
    try:
        return job_shown(begin_tracing(session, TraceSettings(**chosen), places=asked.places))
    except DoppelgramError as problem:  # the question is in order; what is open does not allow it
        raise HTTPException(409, str(problem)) from None


@router.get("/arrangements")
def arrangements(
    session: Asked,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    parts: Annotated[int, Query(ge=2, le=200, description="Into how many equal parts time is divided.")] = 20,
) -> WallShown:
    """Arrangements along one axis of time, a page of them, the largest first."""
    traced = _traced(session)
    table, times = traced.found.arrangements, traced.found.traced["timestamp"]
    if not len(times):
        return WallShown(total=len(table), first=None, last=None, rows=[])
    first, last = times.min(), times.max()
    rows = [
        WallRow(arrangement=arrangement_shown(traced, row), bins=bins_shown(traced, row, first, last, parts))
        for row in each(table.iloc[offset : offset + limit])
    ]
    return WallShown(
        total=len(table), first=first.to_pydatetime(warn=False), last=last.to_pydatetime(warn=False), rows=rows
    )


@router.get("/arrangements/{number}")
def arrangement(session: Asked, number: Annotated[int, Path(ge=1, le=10_000_000)]) -> ArrangementOpened:
    """One arrangement: its posts, who follows whom, and how it grew."""
    traced = _traced(session)
    table = traced.found.arrangements
    at = next((k for k, name in enumerate(table["arrangement"].tolist()) if int(name[1:]) == number), None)
    if at is None:
        raise Missing(f"there is no arrangement {number} among the {len(table):,} of this catalog")
    numbers = [int(name[1:]) for name in table["arrangement"].iloc[max(at - 1, 0) : at + 2]]
    row = each(table.iloc[at : at + 1])[0]
    posts = traced.by_arrangement[row.arrangement]
    return ArrangementOpened(
        arrangement=arrangement_shown(traced, row),
        posts=[follower_shown(traced, post) for post in each(posts.head(_POSTS))],
        growth=curve_shown(growth(traced.found, row.arrangement), "time"),
        how_to_read_growth=HOW_TO_READ_GROWTH,
        authors=authors_shown(traced, tables.authors(posts).head(_ROWS)),
        places=places_shown(traced, tables.places(posts).head(_ROWS)),
        meanings=MEANINGS,
        previous=numbers[0] if at else None,
        next=numbers[-1] if at + 1 < len(table) else None,
    )


def _traced(session: Session) -> Traced:
    traced = session.traces.current(session.listing().facts)
    if traced is None:
        raise Missing(_NO_TRACE)
    return traced
