"""What is open: facts about the catalog and its model."""

from __future__ import annotations

from fastapi import APIRouter

from doppelgram.models.embedder import Embedder
from doppelgram.teaching.versions import left_out
from doppelgram.web.routes.common import Asked, moment
from doppelgram.web.shown import CatalogShown, ModelShown

router = APIRouter(tags=["catalog"])


@router.get("/catalog")
def catalog(session: Asked) -> CatalogShown:
    """What is open, and how far it is."""
    if session.kept is None:
        return CatalogShown(name=session.name, trainings=True)
    opened, listing = session.opened, session.listing()
    times, authors = listing.facts["timestamp"].dropna(), listing.most_frequent("author")
    return CatalogShown(
        name=session.name,
        folder=str(session.catalog.folder),
        images=len(session.catalog),
        ready=opened is not None,
        problem=session.problem,
        left_out=left_out(session.outer, session.catalog),
        trainings=session.runs is not None,
        model=None if opened is None else model_shown(opened.searcher.model),
        labels=listing.most_frequent("label"),
        authors=authors,
        first=moment(times.min()) if len(times) else None,
        last=moment(times.max()) if len(times) else None,
        posts=bool(len(times) and authors and (opened is None or "place" in opened.searcher.space.parts)),
    )


def model_shown(model: Embedder) -> ModelShown:
    """A model and what its probabilities mean."""
    space = model.space
    if not space.calibrated:
        meaning = "This model is not calibrated: distances have no probabilities."
    else:
        meaning = (
            f"How likely an answer is right, as it was counted on {space.fitted_on or 'its validation part'}. "
            "For photographs of another kind it is only a guide."
        )
    return ModelShown(
        name=model.name or "a model without a name",
        parts=list(space.parts),
        faces=model.tells_faces,
        calibrated=space.calibrated,
        meaning=meaning,
    )
