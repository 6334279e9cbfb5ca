"""Long work: what is going on, and stopping it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path

from doppelgram.web.jobs import Job
from doppelgram.web.routes.common import Asked
from doppelgram.web.shown import JobShown

router = APIRouter(tags=["jobs"])

_Number = Annotated[int, Path(ge=1, le=1_000_000_000)]


@router.get("/jobs")
def jobs(session: Asked) -> list[JobShown]:
    """All jobs of this server, the oldest first."""
    return [job_shown(job) for job in session.jobs.all()]


@router.get("/jobs/{number}")
def job(session: Asked, number: _Number) -> JobShown:
    """One job."""
    return job_shown(session.jobs.get(number))


@router.delete("/jobs/{number}")
def cancel(session: Asked, number: _Number) -> JobShown:
    """Stop a job; what it has finished is kept."""
    return job_shown(session.jobs.cancel(number))


def job_shown(found: Job | None) -> JobShown:
    """A job as it is now; 404 where there is none."""
    if found is None:
        raise HTTPException(404, "there is no such job")
    facts = asdict(found) if found.result is None else {**vars(found)}
    facts.pop("result", None)
    return JobShown(**facts)
