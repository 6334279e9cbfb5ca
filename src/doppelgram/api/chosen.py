"""What is taken where somebody does not say: the model, and what its images are labelled by."""

from __future__ import annotations

from pathlib import Path

from doppelgram.console import Progress
from doppelgram.dataset.collection import Collection
from doppelgram.dataset.folders import level_of
from doppelgram.dataset.read import as_collection
from doppelgram.errors import DoppelgramError
from doppelgram.models.embedder import Embedder
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


def labelled_images(data: Collection | Path | str, model: Embedder, label: str = "") -> Collection:
    """The images with the given label, or else with the one that the model was trained on, where they have it.

    Raises:
        DoppelgramError: the images cannot be read, or there is no such label.
    """
    own = str(model.recipe.get("data", {}).get("label", ""))
    collection = as_collection(data, label=label or (own if level_of(own) else ""))
    if not label and own and all(part.strip() in collection.table.columns for part in own.split("+")):
        collection = collection.with_label(own)
    return collection
