"""What a command is about: the model, its images and their labels, the catalog and its vectors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from doppelgram.catalog.beside import vectors_beside
from doppelgram.catalog.store import Catalog
from doppelgram.console import Progress
from doppelgram.dataset.collection import Collection
from doppelgram.dataset.folders import level_of
from doppelgram.dataset.read import as_collection
from doppelgram.errors import DoppelgramError
from doppelgram.models.embedder import Embedder
from doppelgram.models.ready_made.registry import READY_MADE
from doppelgram.teaching.versions import in_effect, left_out
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


def labelled_images(data: Any, model: Embedder, label: str = "") -> Collection:
    """The images with the given label, or else with the one that the model was trained on, where they have it.

    Raises:
        DoppelgramError: the images cannot be read, or there is no such label.
    """
    own = str(model.recipe.get("data", {}).get("label", ""))
    collection = as_collection(data, label=label or (own if level_of(own) else ""))
    if not label and own and all(part.strip() in collection.table.columns for part in own.split("+")):
        collection = collection.with_label(own)
    return collection


def looked_at(catalog: Path | str, progress: Progress, *, as_of: str = "", vectors: str = "") -> Catalog:
    """The catalog that is looked at: by the version in effect, an earlier state, or the vectors of another model.

    Args:
        catalog: folder, or ``s3://bucket/prefix``.
        progress: where it is told how many images the version in effect lacks.
        as_of: version to read, as for `Catalog.open`.
        vectors: name of another model's vectors beside the catalog's own.

    Raises:
        DoppelgramError: there is no such catalog, version or vectors.
    """
    given = Catalog.open(vectors_beside(catalog, vectors) if vectors else catalog, as_of=as_of)
    found = in_effect(given)
    if missing := left_out(given, found):
        progress.warning(f"{catalog}: {missing}")
    return found
