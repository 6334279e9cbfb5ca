"""Trainings: which there are, how far they are, and their curves."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from fastapi import APIRouter
from pydantic import BaseModel, Field

from doppelgram.errors import DoppelgramError
from doppelgram.training.history import RUNNING, Curves, find_runs, read_curves, read_run, state_of
from doppelgram.training.run import RUN_FILE
from doppelgram.web.listing import Missing
from doppelgram.web.measures import MEASURES, Measure
from doppelgram.web.routes.common import Asked

router = APIRouter(tags=["trainings"])


class BestShown(BaseModel):
    """The best epoch of a network."""

    network: str
    epoch: int
    measure: str
    value: float


class RunShown(BaseModel):
    """A training."""

    name: str
    recipe: str = ""
    state: str = Field(description="running, finished, interrupted, or unreadable.")
    problem: str = Field(default="", description="Why it cannot be read; empty where it can.")
    data: str = ""
    seed: int | None = None
    epochs: int = Field(default=0, description="Finished ones, of all networks.")
    planned: int = Field(default=0, description="Epochs in all of the networks that have begun; 0 if not known.")
    best: list[BestShown] = Field(default=[], description="Of each network, by the figure that the recipe monitors.")
    minutes: float | None = Field(default=None, description="Spent training so far.")
    begun: datetime | None
    warnings: list[str] = Field(default=[], description="What was found wrong while training.")


class NetworkShown(BaseModel):
    """The figures of one network."""

    network: str = Field(description="Name of the tower; empty where the run has one network.")
    planned: int
    columns: dict[str, list[float | None]] = Field(description="A value an epoch, by the names of the log.")


class RunOpened(RunShown):
    """A training with its curves."""

    networks: list[NetworkShown] = []
    measures: list[Measure] = Field(default=[], description="Charts for which there are figures, and what they mean.")


@router.get("/runs")
def runs(session: Asked) -> list[RunShown]:
    """All trainings in the folder that is watched: those that go on, then the latest; none where none is watched."""
    if session.runs is None:
        return []
    shown = [_opened(name, folder) for name, folder in find_runs(session.runs).items()]
    shown.sort(key=lambda run: (run.state == RUNNING, run.begun or datetime.min.replace(tzinfo=UTC)), reverse=True)
    return [RunShown(**run.model_dump(exclude={"networks", "measures"})) for run in shown]


@router.get("/runs/{name:path}")
def run(session: Asked, name: str) -> RunOpened:
    """One training with its curves, as they are now."""
    found = {} if session.runs is None else find_runs(session.runs)
    if name not in found:
        raise Missing("there is no such training in the folder that is watched")
    return _opened(name, found[name])


def _opened(name: str, folder: Path) -> RunOpened:
    begun = _begun(folder)
    try:
        opened = read_run(folder)
    except DoppelgramError as problem:
        return RunOpened(name=name, state="unreadable", problem=str(problem), begun=begun)
    curves = read_curves(opened)
    seconds = opened.facts.get("training_seconds")
    if seconds is None:
        seconds = sum(value or 0.0 for one in curves for value in one.columns.get("seconds", []))
    logged = {column for one in curves for column, values in one.columns.items() if any(v is not None for v in values)}
    return RunOpened(
        name=name,
        recipe=str(opened.recipe.name),
        state=state_of(opened, curves),
        data=opened.data.name,
        seed=opened.seed,
        epochs=sum(one.epochs for one in curves),
        planned=sum(one.planned for one in curves),
        best=[_best(one) for one in curves if one.best],
        minutes=round(seconds / 60, 1),
        begun=begun,
        warnings=[str(one) for one in opened.facts.get("warnings", [])],
        networks=[NetworkShown(network=one.network, planned=one.planned, columns=dict(one.columns)) for one in curves],
        measures=[measure for measure in MEASURES if logged & measure.lines.keys()],
    )


def _best(curves: Curves) -> BestShown:
    assert curves.best is not None
    epoch, value = curves.best
    return BestShown(network=curves.network, epoch=epoch, measure=curves.monitor, value=value)


def _begun(folder: Path) -> datetime | None:
    """When a training began: its recipe is written once, at the start."""
    for name in ("recipe.toml", RUN_FILE):
        if (folder / name).is_file():
            return datetime.fromtimestamp((folder / name).stat().st_mtime, UTC)
    return None
