"""Two photographs side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel, Field

from doppelgram.web.routes.common import Asked, RowId
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


@router.get("/pair/{a}/{b}")
def pair(session: Asked, a: RowId, b: RowId) -> PairShown:
    """Two photographs of the catalog."""
    return _compared(session, _file(session, a), _file(session, b))


@router.get("/pair/{b}")
def pair_with_query(
    session: Asked, b: RowId, query: Annotated[str, Query(pattern=r"^[A-Za-z0-9_-]{8,40}$")]
) -> PairShown:
    """A photograph that was brought, and one of the catalog."""
    return _compared(session, session.query(query).content, _file(session, b))


def _compared(session: Session, a: bytes | Path, b: bytes | Path) -> PairShown:
    answer: dict[str, Any] = session.looker.compare(a, b)
    return PairShown(**answer)


def _file(session: Session, image: str) -> Path:
    row = session.row(image)
    if row is None:
        raise HTTPException(404, "there is no such photograph in this catalog")
    if not Path(row["path"]).is_file():
        raise HTTPException(404, f"the photograph is no longer at {row['path']}, so it cannot be compared anew")
    return Path(row["path"])
