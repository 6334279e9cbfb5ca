"""Embedding a collection and measuring what came of it, with whichever kind of model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from doppelgram.dataset.collection import Collection
from doppelgram.dataset.loading import progress_bar, tell_notes, tell_outcomes
from doppelgram.evaluation.arrangements import evaluate_arrangements
from doppelgram.evaluation.evaluate import evaluate_embeddings
from doppelgram.evaluation.result import EvaluationResult
from doppelgram.models.arrangement import ArrangementModel
from doppelgram.models.embedder import Embedder
from doppelgram.models.files import embed_files
from doppelgram.models.model import Embeddings, Model

PLACE, POSE = "place", "pose"


@dataclass(frozen=True)
class Embedded:
    """The readable images of a collection and their embeddings.

    Attributes:
        collection: their rows.
        vectors: float32 (n, dim).
        hashes: content hash of each file.
        nobody: in how many of them nobody was found; None where nobody was looked for.
    """

    collection: Collection
    vectors: Embeddings
    hashes: NDArray[np.str_]
    nobody: int | None = None

    def take(self, rows: NDArray[np.int64]) -> Embedded:
        """Only the images of these rows."""
        return Embedded(self.collection.take(rows), self.vectors[rows], self.hashes[rows], self.nobody)


def embed_collection(model: Embedder, collection: Collection, console: Console, *, what: str = "images") -> Embedded:
    """Embed every readable image of a collection, and say on the console what could not be used.

    Raises:
        DoppelgramError: not one of them could be read.
    """
    tell_notes(collection, console)
    with progress_bar(console, f"reading and embedding {what}", len(collection)) as advance:
        files = embed_files(model, collection.paths, progress=advance)
    tell_outcomes(files.report, console)
    nobody = None if files.poses is None else int((files.poses == 0).sum())
    return Embedded(collection.take(files.kept), files.vectors, np.array(files.hashes), nobody)


def own_threshold(model: Model | ArrangementModel) -> float | None:
    """The distance below which the model says "same", as `judge` measures distances; None without calibration."""
    if isinstance(model, ArrangementModel):
        return 1 - model.calibration.threshold
    return model.calibration.threshold if model.calibration else None


def fitted_on(model: Model | ArrangementModel) -> str:
    """The images that the model's threshold was chosen on; empty without calibration."""
    if isinstance(model, ArrangementModel):
        return model.calibration.place.fitted_on
    return model.calibration.fitted_on if model.calibration else ""


def judge(
    model: Model | ArrangementModel,
    gallery: Embedded,
    query: Embedded | None = None,
    *,
    knn: int,
    threshold: float | None,
    seed: int,
) -> EvaluationResult:
    """Ask the queries, or each gallery image, of the gallery; see `evaluate_embeddings`."""
    asked = (None, None, None) if query is None else (query.vectors, query.collection.labels, query.hashes.tolist())
    vectors, labels, ids = asked
    settings: dict[str, Any] = {"gallery_ids": gallery.hashes.tolist(), "query_ids": ids}
    settings |= {"knn": knn, "threshold": threshold, "seed": seed}
    if isinstance(model, Model):
        return evaluate_embeddings(gallery.vectors, gallery.collection.labels, vectors, labels, **settings)
    result = evaluate_arrangements(
        model.space, gallery.vectors, gallery.collection.labels, vectors, labels,
        places=_column(PLACE, gallery, query), poses=_column(POSE, gallery, query), **settings,
    )  # fmt: skip
    found = [side.nobody for side in (gallery, query) if side is not None and side.nobody]
    if not found:
        return result
    note = f"Nobody was found in {max(found):,} of the images that were read."
    return replace(result, notes=[*result.notes, note])


def _column(name: str, gallery: Embedded, query: Embedded | None) -> tuple[Any, Any] | None:
    """Labels of places or poses of gallery and queries; None where some are not known."""
    sides = [gallery] if query is None else [gallery, query]
    if any(name not in side.collection.label_columns for side in sides):
        return None
    values = [side.collection.column(name) for side in sides]
    if any((labels == "").any() for labels in values):
        return None
    return values[0], (values[1] if query is not None else None)
