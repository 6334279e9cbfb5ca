"""Two photographs side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from doppelgram.space.exact import Float32
from doppelgram.web.kept_pairs import compared_by_vectors
from doppelgram.web.listing import Missing
from doppelgram.web.routes.common import NO_PHOTOGRAPH, Asked, RowId
from doppelgram.web.session import Session

router = APIRouter(tags=["pairs"])


class SideShown(BaseModel):
    """What is drawn over one of the two photographs."""

    people: list[list[list[float] | None]] = Field(description="18 keypoints each, as shares; null where missing.")
    shown: int | None = Field(description="Which person was compared.")
    covered: list[str] = Field(description="Where people cover the place, rows of 0 and 1.")


class Joint(BaseModel):
    """A joint that both people show."""

    name: str
    distance: float = Field(description="Apart, in lengths of the torso, torsos laid over each other.")


class Limb(BaseModel):
    """A part of the body that both people show."""

    name: str
    degrees: float = Field(description="Between its directions in both photographs.")


class PairShown(BaseModel):
    """What two photographs have in common."""

    verdict: str
    same: bool | None
    probability: float | None
    threshold: float | None = Field(description="Probability from which on they count as the same.")
    distance: float
    parts: dict[str, float | None]
    why: list[str]
    sides: list[SideShown]
    joints: list[Joint]
    limbs: list[Limb]
    mirrored: bool
    lines: list[list[float]] = Field(description="Matched points of the same view: x, y in one and x, y in the other.")
    missing: str = Field("", description="What cannot be shown since a photograph is gone; empty if all is there.")


@router.get("/pair/{a}/{b}")
def pair(session: Asked, a: RowId, b: RowId) -> PairShown:
    """Two photographs of the catalog."""
    first, second = _file(session, a), _file(session, b)
    if first is None or second is None:
        return _by_vectors(session, _vector(session, a), b)
    return _compared(session, first, second)


@router.get("/pair/{b}")
def pair_with_query(
    session: Asked, b: RowId, query: Annotated[str, Query(pattern=r"^[A-Za-z0-9_-]{8,40}$")]
) -> PairShown:
    """A photograph that was brought, and one of the catalog."""
    brought, second = session.query(query), _file(session, b)
    if second is None:
        return _by_vectors(session, brought.seen.vectors[:1], b)
    return _compared(session, brought.content, second)


def _compared(session: Session, a: bytes | Path, b: bytes | Path) -> PairShown:
    answer: dict[str, Any] = session.looker.compare(a, b)
    return PairShown(**answer)


def _by_vectors(session: Session, a: Float32, b: str) -> PairShown:
    return PairShown(**compared_by_vectors(session.require().searcher.model.space, a, _vector(session, b)))


def _vector(session: Session, image: str) -> Float32:
    opened = session.require()
    if image not in opened.position:
        raise Missing(NO_PHOTOGRAPH)
    return opened.searcher.vector(opened.position[image])


def _file(session: Session, image: str) -> Path | None:
    """Where a photograph of the catalog is; None where it is gone."""
    row = session.row(image)
    if row is None:
        raise Missing(NO_PHOTOGRAPH)
    return path if (path := Path(row["path"])).is_file() else None
