"""Teaching: the questions that are worth asking, the answers, and what they have bought."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path as File
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query
from fastapi.responses import Response

from doppelgram.api.teach import teach
from doppelgram.console import Progress
from doppelgram.errors import DoppelgramError
from doppelgram.numbers import count, plural
from doppelgram.teaching.questions import Question
from doppelgram.teaching.teacher import Teacher
from doppelgram.training.recipes.files import read_recipe, recipe_names
from doppelgram.web.listing import Opened
from doppelgram.web.routes.common import Asked, image_shown
from doppelgram.web.routes.jobs import job_shown
from doppelgram.web.shown import ImageShown, JobShown
from doppelgram.web.shown_teach import (
    Answer,
    ChangeShown,
    GroupIds,
    GroupShown,
    GroupsShown,
    Naming,
    QuestionShown,
    RecipeShown,
    Round,
    Training,
    VersionShown,
)

router = APIRouter(tags=["teach"])


class Csv(Response):
    """A table."""

    media_type = "text/csv"


@router.get("/questions")
def questions(session: Asked, n: Annotated[int, Query(ge=1, le=100)] = 12) -> Round:
    """The most useful questions, and what the answers have bought so far."""
    return _round(session.require(), session.teacher(), n)


@router.post("/answers")
def answer(session: Asked, given: Answer, n: Annotated[int, Query(ge=1, le=100)] = 12) -> Round:
    """Answer a question, or say of two photographs whether they show the same."""
    opened, teacher = session.require(), session.teacher()
    about: Question | tuple[str, str]
    if given.pair:
        _require(opened, given.pair)
        about = given.pair[0], given.pair[1]
    else:
        try:
            about = teacher.question(given.key)
        except DoppelgramError as problem:
            raise HTTPException(404, str(problem)) from None
    return _round(opened, teacher, n, teacher.answer(about, given.degree, given.who).sentence)


@router.delete("/answers/last")
def undo(session: Asked, n: Annotated[int, Query(ge=1, le=100)] = 12) -> Round:
    """Take the last answer back. It stays in the history, and so does this."""
    opened, teacher = session.require(), session.teacher()
    taken = teacher.undo()
    return _round(opened, teacher, n, taken.sentence if taken else "There is no answer to take back.")


@router.get("/answers.csv", response_class=Csv)
def pairs(session: Asked) -> Csv:
    """All answers as the table of pairs that `evaluate` and `calibrate` read."""
    return _table(session.teacher().export_pairs, "answers.csv")


@router.get("/labels.csv", response_class=Csv)
def labels(session: Asked) -> Csv:
    """Photographs with the names that were given, as a table of images."""
    return _table(session.teacher().export_labels, "labels.csv")


@router.get("/groups")
def groups(
    session: Asked,
    offset: Annotated[int, Query(ge=0, le=100_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 40,
) -> GroupsShown:
    """Groups of two photographs or more, the largest first."""
    opened, teacher = session.require(), session.teacher()
    found = sorted((one for one in teacher.groups() if len(one.ids) > 1), key=lambda one: (-len(one.ids), one.number))
    return GroupsShown(
        total=len(found),
        groups=[
            GroupShown(
                number=one.number,
                name=one.name,
                settled=one.settled,
                size=len(one.ids),
                images=_images(opened, one.ids[:12]),
            )
            for one in found[offset : offset + limit]
        ],
    )


@router.get("/groups/{number}")
def one_group(session: Asked, number: Annotated[int, Path(ge=0, le=1_000_000_000)]) -> GroupIds:
    """All photographs of a group, as it is now."""
    for one in session.teacher().groups():
        if one.number == number:
            return GroupIds(number=one.number, name=one.name, ids=list(one.ids))
    raise HTTPException(404, "there is no such group any more")


@router.post("/names")
def name(session: Asked, given: Naming, n: Annotated[int, Query(ge=1, le=100)] = 12) -> Round:
    """Name photographs, a whole group at once: those of one name show the same. 409 where others have that name."""
    opened, teacher = session.require(), session.teacher()
    _require(opened, given.ids)
    wanted, ids = " ".join(given.name.split()), set(given.ids)
    called = {id_: one for id_, one in teacher.log.names().items() if one.casefold() == wanted.casefold()}
    others = [one for id_, one in called.items() if id_ not in ids]
    if not others:
        return _round(opened, teacher, n, teacher.name(given.ids, wanted, given.who).sentence)
    there = f"{count(len(others), 'other photograph')} called {others[0]!r}"
    if not given.join:
        raise HTTPException(
            409, f"there {plural(len(others), 'is', 'are')} {there} already; join them, or write another name"
        )
    answered = teacher.name(given.ids, others[0], given.who)
    return _round(opened, teacher, n, f"Joined with {there}." if answered.accepted else answered.sentence)


@router.post("/recalibrate")
def recalibrate(session: Asked) -> ChangeShown:
    """Fit threshold and probabilities to the answers; kept only if answers that were left out say it is better."""
    change = session.teacher().recalibrate()
    if change.accepted:
        session.model_changed()
    before, after = _number(change.before), _number(change.after)
    return ChangeShown(accepted=change.accepted, sentence=change.sentence, before=before, after=after)


@router.get("/recipes")
def recipes() -> list[RecipeShown]:
    """Recipes that names can be trained with."""
    found = [read_recipe(name) for name in recipe_names()]
    return [RecipeShown(name=one.name, about=one.about) for one in found if one.task == "metric"]


@router.post("/training", status_code=202)
def train(session: Asked, given: Training) -> JobShown:
    """Train on the named photographs, in the background; kept only if names that were left out say it is better."""
    if given.recipe not in {one.name for one in recipes()}:
        raise HTTPException(404, "there is no such recipe; see /api/recipes")
    outer = session.outer.folder

    def finished(lines: list[str]) -> str:
        session.model_changed()
        return lines[0]

    job = session.jobs.start(
        "train", f"Training {given.recipe} on names", _trained, outer, given.recipe, session.weights, after=finished
    )
    return job_shown(job)


@router.get("/versions")
def versions(session: Asked) -> list[VersionShown]:
    """Every state of the metric, the oldest first."""
    return _versions(session.teacher())


@router.post("/versions/{number}")
def go_back(session: Asked, number: Annotated[int, Path(ge=0, le=1_000_000_000)]) -> list[VersionShown]:
    """Go back to a state. None is ever deleted."""
    teacher = session.teacher()
    if number not in {one.number for one in teacher.versions()}:
        raise HTTPException(404, "there is no such version")
    teacher.go_back(number)
    session.model_changed()
    return _versions(session.teacher())


def _round(opened: Opened, teacher: Teacher, n: int, said: str = "") -> Round:
    return Round(
        state=teacher.state(),
        questions=[
            QuestionShown(
                a=_images(opened, one.ids_a),
                b=_images(opened, one.ids_b),
                **{field: getattr(one, field) for field in QuestionShown.model_fields if field not in ("a", "b")},
            )
            for one in teacher.questions(n)
        ],
        said=said,
    )


def _images(opened: Opened, ids: Sequence[str]) -> list[ImageShown]:
    return [image_shown(opened, opened.position[id_]) for id_ in ids if id_ in opened.position]


def _trained(progress: Progress, catalog: File, recipe: str, weights: File | None) -> list[str]:
    with progress.bar("reading the catalog and its answers", 0):
        pass  # the training says itself what follows
    return list(teach(catalog, train=recipe, weights=weights, progress=progress).lines)


def _require(opened: Opened, ids: Sequence[str]) -> None:
    if any(id_ not in opened.position for id_ in ids):
        raise HTTPException(404, "one of these photographs is not in this catalog")


def _versions(teacher: Teacher) -> list[VersionShown]:
    return [
        VersionShown(
            number=one.number,
            kind=one.kind,
            made_by=one.made_by,
            when=datetime.fromisoformat(one.when),
            current=one.current,
        )
        for one in teacher.versions()
    ]


def _table(write: Callable[[File], int], name: str) -> Csv:
    with tempfile.TemporaryDirectory(prefix="doppelgram-") as folder:
        write(File(folder) / name)
        text = (File(folder) / name).read_text(encoding="utf-8")
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Csv(text, headers=headers)


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
