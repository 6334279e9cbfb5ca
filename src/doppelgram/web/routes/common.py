"""What several routes need: the session of a request, and rows as they are shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import numpy as np
from fastapi import Depends, Path, Query, Request
from numpy.typing import NDArray
from pydantic import AfterValidator, BeforeValidator

from doppelgram.catalog.search.searcher import Match
from doppelgram.images.faces.face import FaceBox
from doppelgram.pose.people import People, boxes
from doppelgram.web.listing import Listing, Opened
from doppelgram.web.session import Session
from doppelgram.web.shown import Box, FaceShown, ImageShown, MatchShown


def _session(request: Request) -> Session:
    session: Session = request.app.state.session
    session.keep_up()
    return session


NO_PHOTOGRAPH = "there is no such photograph in this catalog (any more); go back to all photographs"
Asked = Annotated[Session, Depends(_session)]
# An id as a catalog spells it, and nothing else: no path, no condition gets any farther.
RowId = Annotated[str, Path(pattern=r"^[0-9a-f]{64}(#[1-9][0-9]{0,4})?$", description="Id of a row of the catalog.")]


TIME_WANTED = "must be a time such as 2019-06-01T12:00:00Z"


def _written_out(value: Any) -> Any:
    """A time is written out: a bare number, which could be seconds or a year, is none."""
    if isinstance(value, str) and not value[:5].endswith("-"):
        raise ValueError(TIME_WANTED)
    return value


def _aware(time: datetime) -> datetime:
    """A time with its zone: UTC where none is named."""
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time


Moment = Annotated[datetime, BeforeValidator(_written_out), AfterValidator(_aware), Query()]


@dataclass(frozen=True)
class Filters:
    """What photographs are narrowed down by."""

    label: str
    author: str
    since: datetime | None
    until: datetime | None

    def among(self, listing: Listing) -> NDArray[np.bool_] | None:
        """Which rows (n,) pass; None where all do."""
        return listing.among(self.label, self.author, self.since, self.until)


def _filters(label: str = "", author: str = "", since: Moment | None = None, until: Moment | None = None) -> Filters:
    return Filters(label, author, since, until)


Filtered = Annotated[Filters, Depends(_filters)]


def moment(value: Any) -> datetime | None:
    """A time of a table, None where there is none."""
    if value is None or value != value:  # a missing time is unequal to itself
        return None
    found: datetime = value.to_pydatetime(warn=False) if hasattr(value, "to_pydatetime") else value
    return found


def image_shown(listing: Listing, position: int) -> ImageShown:
    """A row by its position."""
    row = listing.facts.iloc[position]
    return ImageShown(
        id=row["id"], name=row["name"], label=row["label"], author=row["author"], timestamp=moment(row["timestamp"])
    )


def match_shown(opened: Opened, match: Match) -> MatchShown:
    """An answer, with what the catalog knows of it."""
    about = image_shown(opened, opened.position[match.id])
    return MatchShown(
        **about.model_dump(),
        rank=match.rank,
        distance=match.distance,
        probability=match.probability,
        parts=dict(match.parts),
        unknown=list(match.unknown),
        as_near=match.as_near,
        face=face_shown(match.face) if match.face else None,
    )


def face_shown(face: FaceBox) -> FaceShown:
    """A face and where it is."""
    left, top, width, height = face.box
    return FaceShown(number=face.number, left=left, top=top, width=width, height=height)


def people_shown(people: People | None) -> list[Box]:
    """Where each person is, as shares of the photograph."""
    if people is None:
        return []
    found = boxes(people.keypoints) / np.array([people.width, people.height] * 2)
    return [
        Box(left=left, top=top, width=right - left, height=bottom - top)
        for left, top, right, bottom in found.tolist()
        if left == left
    ]
