"""Tracing the role models of a catalog in the background."""

from __future__ import annotations

from pathlib import Path

from doppelgram.catalog.store import Catalog
from doppelgram.console import Progress
from doppelgram.errors import DoppelgramError
from doppelgram.numbers import count, plural
from doppelgram.reports.role_models.files import write_csv, write_summary
from doppelgram.reports.role_models.kept import KEPT_FOLDER
from doppelgram.reports.role_models.summary import summary
from doppelgram.rolemodels.findings import headline
from doppelgram.rolemodels.kept_posts import KeptPosts
from doppelgram.rolemodels.settings import TraceSettings
from doppelgram.space.arrangement import ArrangementSpace
from doppelgram.web.jobs import Job
from doppelgram.web.listing import Opened
from doppelgram.web.session import Session

KIND = "role models"
"""Of the jobs."""

FEWEST = 5
"""Photographs that a catalog must have."""


def obstacle(opened: Opened) -> str:
    """Why role models cannot be traced in this catalog, and what to do; empty where they can."""
    facts = opened.facts
    if not isinstance(opened.searcher.model.space, ArrangementSpace):
        return (
            "The model of this catalog compares whole images. Role models need one that tells place and pose apart: "
            "index the photographs again with the ready-made model arrangements, or with one trained by the recipe "
            "posts."
        )
    if len(facts) < FEWEST:
        there = f"There {plural(len(facts), 'is', 'are')} {count(len(facts), 'photograph')}"
        return f"{there}; role models need {FEWEST} posts or more. Index more posts into this catalog."
    if not facts["timestamp"].notna().any():
        return (
            "No photograph of this catalog has a time, so nobody can be said to have come first. Index a table with "
            "the columns path, author and timestamp, or posts as doppelgram check reads them, into this catalog."
        )
    if not (facts["author"] != "").any():
        return (
            "No photograph of this catalog has an author, so nobody can be said to have followed somebody else. Index "
            "a table with the columns path, author and timestamp into this catalog."
        )
    return ""


def begin_tracing(session: Session, settings: TraceSettings | None = None, *, places: bool = True) -> Job:
    """Trace the catalog of a session as a job.

    Raises:
        DoppelgramError: it cannot be traced, or is being traced.
    """
    opened = session.require()
    if why := obstacle(opened):
        raise DoppelgramError(why)
    space = opened.searcher.model.space
    title = f"Tracing role models in {session.name}"
    folder = session.catalog.folder
    return session.jobs.start(KIND, title, _trace, folder, space, settings or TraceSettings(), places, after=str)


def _trace(progress: Progress, folder: Path, space: ArrangementSpace, settings: TraceSettings, places: bool) -> str:
    store = Catalog.open(folder)
    with progress.bar("reading the catalog", 0):
        posts = KeptPosts.of_catalog(store)
    with progress.bar("tracing", settings.steps) as advance:
        found = posts.trace(store, space, settings, advance, places=places)
    kept = folder / KEPT_FOLDER
    write_csv(found, kept)
    write_summary(summary(found), kept)  # last: it is what says that the tables are whole
    return headline(found)
