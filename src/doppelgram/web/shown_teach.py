"""The answers of teaching, and what is asked of it: what each holds, typed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from doppelgram.teaching.state import State
from doppelgram.web.shown import ImageShown

_Id = Annotated[str, Field(pattern=r"^[0-9a-f]{64}(#[1-9][0-9]{0,4})?$")]
_Who = Annotated[str, Field(max_length=200)]


class QuestionShown(BaseModel):
    """Do these show the same?"""

    key: str
    kind: str = Field(description="merge: two groups; pair: two photographs; split: a doubtful member of a group.")
    a: list[ImageShown]
    b: list[ImageShown]
    size_a: int
    size_b: int
    probability: float
    gain: float = Field(description="Pairs of photographs that the answer is expected to settle.")
    reason: str


class Round(BaseModel):
    """The state, and the questions to ask next."""

    state: State
    questions: list[QuestionShown]
    said: str = Field(description="What the last answer did, or why it was not taken; may be empty.")


class Answer(BaseModel):
    """An answer to a question, or to a pair of photographs."""

    key: str = Field("", max_length=100, description="Of the question.")
    pair: Annotated[list[_Id], Field(min_length=2, max_length=2)] | None = Field(
        None, description="Two rows, instead of a question."
    )
    degree: float | None = Field(ge=0, le=1, description="1 the same, 0 different; null to skip the question.")
    who: _Who = ""


class Naming(BaseModel):
    """A name for photographs that show the same."""

    ids: list[_Id] = Field(min_length=1, max_length=100_000)
    name: str = Field(min_length=1, max_length=200)
    join: bool = Field(False, description="Whether they may join other photographs that have this name already.")
    who: _Who = ""


class GroupShown(BaseModel):
    """Photographs that show the same, for all that is known."""

    number: int
    name: str
    settled: bool
    size: int
    images: list[ImageShown] = Field(description="The first of them.")


class GroupsShown(BaseModel):
    """Groups, the largest first."""

    total: int
    groups: list[GroupShown]


class VersionShown(BaseModel):
    """A state that can be gone back to."""

    number: int
    kind: str = Field(description="start, calibration, or model.")
    made_by: str
    when: datetime
    current: bool


class RecipeShown(BaseModel):
    """A recipe of training."""

    name: str
    about: str


class Training(BaseModel):
    """What to train with."""

    recipe: str = Field(max_length=100, description="From /api/recipes.")


class ChangeShown(BaseModel):
    """What a change of the metric brought on answers that were kept out."""

    accepted: bool
    sentence: str
    before: float | None = Field(description="Mean log-loss of these answers; null where there were too few.")
    after: float | None


class GroupIds(BaseModel):
    """A whole group."""

    number: int
    name: str
    ids: list[str]
