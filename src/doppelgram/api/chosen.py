"""The model that is taken where none is named."""

from __future__ import annotations

from pathlib import Path

from doppelgram.console import Progress
from doppelgram.errors import DoppelgramError
from doppelgram.models.ready_made.registry import READY_MADE
from doppelgram.training.run import Run


def chosen_model(model: Run | Path | str | None, otherwise: str, progress: Progress) -> Run | Path | str:
    """The given model, or else the ready-made one of that name, which is then said.

    Raises:
        DoppelgramError: none is given, and the program has no ready-made one for this.
    """
    if model is not None:
        return model
    if otherwise not in READY_MADE:
        raise DoppelgramError("no model is named; give --model RUN")
    about = READY_MADE[otherwise].about
    progress.note(f"Model: {otherwise} ({about}); for another give --model, see `doppelgram models`.")
    return otherwise
