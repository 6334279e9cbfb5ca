"""The answers about the map."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from doppelgram.web.shown import ImageShown

_Position = Annotated[int, Field(ge=0, le=4_294_967_295)]


class GroupShown(BaseModel):
    """A value that points have in common."""

    name: str
    count: int
    colour: str = Field(description="As #rrggbb; the frequent ones have one of their own.")


class MadeMap(BaseModel):
    """A map that is there."""

    stamp: str = Field(description="Name of this map; asked for with everything that belongs to it.")
    points: int
    added: int = Field(description="Photographs of the catalog that are not on the map.")
    gone: int = Field(description="Points whose photograph is not in the catalog any more.")
    method: str
    by: str = Field(description="The part that is drawn; empty for everything together.")
    about: str = Field(description="What its distances mean.")
    width: int = Field(description="Places go from 0 to this.")
    height: int
    labels: list[GroupShown]
    authors: list[GroupShown]
    first: datetime | None
    last: datetime | None
    judged: int = Field(description="Points whose nearest neighbour has a label to compare with.")
    wrong: int = Field(description="Those whose nearest neighbour has another label.")
    colourings: list[str] = Field(description="What points can be coloured by: label, author, time, errors, part.")
    parts: list[str] = Field(description="Parts of a training, by their numbers in the points' flags.")
    sheet: int = Field(description="Pictures on a sheet, 32 in a row.")
    side: int = Field(description="Pixels of a side of each.")


class MapShown(BaseModel):
    """How far the map is."""

    state: str = Field(description="none, making or made; an older map can still be there while one is made.")
    job: int | None = Field(description="The job that makes it.")
    photographs: int
    fewest: int = Field(description="A map needs that many photographs.")
    parts: list[str] = Field(description="What can be drawn apart, such as place and pose.")
    made: MadeMap | None


class MapWanted(BaseModel):
    """Which map is to be made."""

    method: Literal["tsne", "pca"] = "tsne"
    by: str = Field("", max_length=40, description="place or pose, where the model tells them apart.")


class PointsWanted(BaseModel):
    """Which points are asked about."""

    map: str = Field(pattern="^[0-9a-f]{16}$", description="The map's stamp.")
    at: list[_Position] = Field(max_length=5_000, description="Their positions in the array of points.")


class PointShown(ImageShown):
    """The photograph of a point."""

    at: int
