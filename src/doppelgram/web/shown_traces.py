"""The answers of the REST interface about role models: what each holds, typed."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field


class PostShown(BaseModel):
    """A post, with the numbers of its trace."""

    path: str
    image: str | None = Field(description="Id of the row of the catalog that shows it; null where there is none.")
    author: str
    timestamp: datetime | None
    place: str
    arrangement: int | None = Field(description="Number of its arrangement.")
    status: str = Field(description="traced, repost, undated, clock not set, or nobody in it.")
    score: float | None
    influence: float | None
    originality: float | None
    rank_low: int | None
    rank_high: int | None
    followers: int | None
    total_followers: int | None
    attributed: float | None
    expected: float | None = Field(description="Attributed followers where the clock is shuffled, on average.")
    origin: float | None = Field(description="Probability that it is the origin of its arrangement.")
    likely_origin: bool
    claim: str = Field(description="What is said of it, in sentences; empty where it was not traced.")


class ArrangementShown(BaseModel):
    """A pose before a place, and the posts that show it."""

    number: int
    name: str
    place: str
    posts: int
    authors: int
    first: datetime | None
    last: datetime | None
    spread_p: float | None
    spread_q: float | None
    spreads: bool
    originator: str | None = Field(description="Row of the catalog that shows the likeliest origin.")
    originator_path: str
    origin: float | None = Field(description="Probability that it is the origin.")
    about: str = Field(description="What is said of it, in sentences.")


class AuthorShown(BaseModel):
    """What the posts of an author add up to."""

    author: str
    posts: int
    followers: int
    attributed: float
    excess: float
    influence: float
    led: int = Field(description="Arrangements that a post of this author leads.")
    best: str | None = Field(description="Row of the catalog that shows the post with the highest score.")


class PlaceShown(BaseModel):
    """What the posts of a place add up to."""

    place: str
    posts: int
    authors: int
    arrangements: int
    attributed: float
    excess: float
    best: str | None = Field(description="Row of the catalog that shows the post with the highest score.")


class CurvePoint(BaseModel):
    """A point of a curve beside shuffled clocks, 95 % of which lie between ``low`` and ``high``."""

    at: float = Field(description="Days after a post, or UTC seconds.")
    observed: float
    expected: float
    low: float
    high: float


class RoleModelsShown(BaseModel):
    """The role models of a catalog."""

    state: str = Field(description="none, running or ready; running also while an earlier trace is still shown.")
    problem: str = Field(description="Why they cannot be traced, and what to do; empty where they can.")
    job: int | None = Field(description="Number of the job that traces them.")
    made: datetime | None = Field(default=None, description="When the trace that is shown was made.")
    new: int = Field(default=0, description="Rows of the catalog that came after it.")
    headline: str = ""
    lead: str = ""
    overall: str = Field(default="", description="Whether anything follows anything, in a sentence.")
    counts: dict[str, int] = {}
    left_out: list[list[str]] = Field(default=[], description="How many posts were traced and left out, and why.")
    settings: dict[str, float | int | str | None] = {}
    threshold: float | None = None
    decay_days: float | None = None
    notes: list[str] = []
    how_to_read: str
    limits: str
    meanings: dict[str, str] = Field(description="What each number means, by its name.")
    arrangements: list[ArrangementShown] = Field(default=[], description="The largest, at most 200.")
    leaders: list[PostShown] = Field(default=[], description="The posts with the highest scores, at most 24.")
    curve: list[CurvePoint] = Field(
        default=[], description="Attributed followers within so many days of a post, in all."
    )
    authors: list[AuthorShown] = Field(default=[], description="Those with the highest scores, at most 50.")
    places: list[PlaceShown] = Field(default=[], description="Those with most influence, at most 50.")


class Bin(BaseModel):
    """Posts of an arrangement within one part of the time that the wall spans."""

    at: int = Field(description="Which part, from 0.")
    posts: int
    image: str | None = Field(description="Row of the catalog that shows the first of them.")
    author: str
    timestamp: datetime
    origin: bool = Field(description="Whether the likely origin is among them; it is the one that is shown then.")


class WallRow(BaseModel):
    """An arrangement along time."""

    arrangement: ArrangementShown
    bins: list[Bin]


class WallShown(BaseModel):
    """Arrangements along one axis of time, the largest first."""

    total: int
    first: datetime | None
    last: datetime | None
    rows: list[WallRow]


class Follower(PostShown):
    """A post of an arrangement, and whom it most likely follows."""

    parent: str | None = Field(description="Path of the most likely predecessor by another author.")
    parent_image: str | None
    share: float | None = Field(description="Attribution: how much of it falls to the predecessor.")
    probability: float | None = Field(description="Probability that both show the same pose before the same place.")
    lag_days: float | None


class ArrangementOpened(BaseModel):
    """One arrangement: its posts in order of time, who follows whom, and how it grew."""

    arrangement: ArrangementShown
    posts: list[Follower] = Field(description="In order of time, at most 1,000; those without a usable time last.")
    growth: list[CurvePoint] = Field(description="Its authors up to each moment, beside shuffled clocks.")
    how_to_read_growth: str
    authors: list[AuthorShown]
    places: list[PlaceShown]
    meanings: dict[str, str]
    previous: int | None = Field(description="Number of the arrangement before this one.")
    next: int | None


class TraceAsked(BaseModel):
    """How to trace; what is left out has its usual value."""

    threshold: float | None = Field(default=None, gt=0, lt=1, description="Probability from which on two posts match.")
    decay_days: float | None = Field(default=None, gt=0.001, le=36_500)
    draws: int = Field(default=200, ge=19, le=1_000, description="Shuffles of the whole clock.")
    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    places: bool = Field(
        default=True, description="Whether a column place is the place within which clocks are shuffled."
    )
