"""The answers of the REST interface: what each holds, typed."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field


class ModelShown(BaseModel):
    """The model that fills the catalog."""

    name: str = Field(description="Name of its recipe or of the ready-made model.")
    parts: list[str] = Field(description="What it compares apart, such as place and pose; empty for whole images.")
    faces: bool = Field(description="Whether each row is a face.")
    calibrated: bool = Field(description="Whether distances have probabilities.")
    meaning: str = Field(description="What the probability of an answer means, in a sentence.")


class CatalogShown(BaseModel):
    """What is open."""

    name: str
    folder: str = Field(default="", description="Of the catalog; empty where the page is of trainings alone.")
    images: int = Field(default=0, description="How many rows there are.")
    ready: bool = Field(default=False, description="Whether it can be searched by now.")
    problem: str = Field(default="", description="Why it cannot be searched; empty if it can, or soon will.")
    left_out: str = Field(default="", description="Which photographs cannot be found, and what to do; else empty.")
    model: ModelShown | None = Field(default=None, description="None until the model is loaded.")
    labels: list[str] = Field(default=[], description="The most frequent labels, at most 500.")
    authors: list[str] = Field(default=[], description="The most frequent authors, at most 500.")
    first: datetime | None = Field(default=None, description="The earliest time.")
    last: datetime | None = Field(default=None, description="The latest time.")
    posts: bool = Field(
        default=False, description="Whether there are authors and times, so that role models can be asked for."
    )
    trainings: bool = Field(default=False, description="Whether trainings are watched.")


class ImageShown(BaseModel):
    """A row of the catalog."""

    id: str
    name: str
    label: str = ""
    author: str = ""
    timestamp: datetime | None = None


class ImagesShown(BaseModel):
    """Some rows of the catalog, in order."""

    total: int
    images: list[ImageShown]


class Box(BaseModel):
    """A part of a photograph: shares of its width and height."""

    left: float
    top: float
    width: float
    height: float


class FaceShown(Box):
    """A face in a photograph."""

    number: int


class ImageFacts(ImageShown):
    """All that is known of a row."""

    path: str
    here: bool = Field(description="Whether the photograph itself is still where it was indexed.")
    columns: dict[str, str]
    faces: list[FaceShown] = Field(description="The face that the row is of.")
    people: list[Box] = Field(description="Where people are, the most prominent first.")


class QueryShown(BaseModel):
    """A photograph that was brought, ready to be searched for. It is kept in memory, for a while."""

    query: str = Field(description="Its name in further questions.")
    id: str = Field(description="SHA-256 of its bytes.")
    known: bool = Field(description="Whether the catalog holds it.")
    faces: list[FaceShown]
    people: list[Box]
    unknown: list[str] = Field(description="Parts of which it says nothing.")


class MatchShown(ImageShown):
    """One answer."""

    rank: int
    distance: float
    probability: float | None
    parts: dict[str, float]
    unknown: list[str]
    as_near: float | None = Field(description="Share of the catalog's own pairs that are as near.")
    face: FaceShown | None


class SearchShown(BaseModel):
    """What was found, nearest first."""

    matches: list[MatchShown]
    searched: int = Field(description="Among how many rows.")
    unknown: list[str] = Field(description="Parts of which the query says nothing.")
    milliseconds: float


class JobShown(BaseModel):
    """A piece of long work."""

    number: int
    kind: str
    title: str
    state: str = Field(description="running, done, stopped or failed.")
    step: str
    done: int
    total: int
    message: str
    notes: list[str]


class Sentence(BaseModel):
    """What went wrong, or what was done."""

    detail: str
