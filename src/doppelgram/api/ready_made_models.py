"""The ready-made models: what they are for, what they need, and whether it is here."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from doppelgram.errors import DoppelgramError
from doppelgram.models.ready_made.registry import READY_MADE
from doppelgram.weights import command_for


@dataclass(frozen=True)
class ReadyMadeModel:
    """One ready-made model, as it is on this machine.

    Attributes:
        name: wherever a run is accepted.
        about: what it is for.
        weights: what it is made of, by name.
        missing: which of these are not here.
        install: the command that brings what is missing; empty if nothing is.
        licence: of the weights.
        figures: what was measured, in sentences.
        dim: numbers an image; 0 unless one model was asked for and is here. So too what follows.
        fingerprint: of what it is made of.
        calibrated: what its probabilities were fitted on.
    """

    name: str
    about: str
    weights: tuple[str, ...]
    missing: tuple[str, ...]
    install: str
    licence: str
    figures: tuple[str, ...]
    dim: int = 0
    fingerprint: str = ""
    calibrated: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As JSON writes it."""
        return asdict(self)


def ready_made_models(name: str | None = None, *, weights: Path | str | None = None) -> list[ReadyMadeModel]:
    """The ready-made models, or the one of that name, which is then opened if all of it is here.

    Args:
        name: of one model; None for all.
        weights: folder in which their weights are looked up first.

    Raises:
        DoppelgramError: there is no ready-made model of that name, or no such folder.
    """
    folder = Path(weights).expanduser() if weights is not None else None
    if folder is not None and not folder.is_dir():
        raise DoppelgramError(f"{folder}: there is no such folder of weights")
    if name is not None and name not in READY_MADE:
        raise DoppelgramError(f"there is no ready-made model '{name}'; there are {', '.join(READY_MADE)}")
    found = []
    for model in READY_MADE.values() if name is None else [READY_MADE[name]]:
        missing = tuple(model.missing(folder))
        details: dict[str, Any] = {}
        if name is not None and not missing:
            opened = model.open(folder)
            fitted = opened.space.fitted_on
            details = {
                "dim": opened.dim,
                "fingerprint": opened.fingerprint,
                "calibrated": f"probabilities fitted on {fitted}" if fitted else "not calibrated: no probabilities",
            }
        facts = (model.name, model.about, model.weights, missing, command_for(missing), model.licence, model.figures)
        found.append(ReadyMadeModel(*facts, **details))
    return found
