"""The images of a collection, embedded by whichever model, and ready to be evaluated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doppelgram.console import Progress
from doppelgram.dataset.collection import Collection
from doppelgram.dataset.loading import tell_notes
from doppelgram.evaluation.evaluate import evaluate_embeddings
from doppelgram.evaluation.result import EvaluationResult
from doppelgram.evaluation.task import EmbeddedSet
from doppelgram.images.read import Photograph
from doppelgram.models.embed_files import embed_files
from doppelgram.models.embedder import Embedder
from doppelgram.space.exact import Float32, Int64
from doppelgram.space.space import Space


@dataclass(frozen=True)
class EmbeddedCollection:
    """The readable images of a collection and their embeddings.

    Attributes:
        collection: their rows.
        space: of the model.
        vectors: float32 (n, dim).
        hashes: content hash of each file.
        notes: what was noted of each photograph while its pixels were in memory; empty where nothing was.
    """

    collection: Collection
    space: Space
    vectors: Float32
    hashes: NDArray[np.str_]
    notes: list[Any]

    def take(self, rows: Int64) -> EmbeddedCollection:
        """Only the images of these rows."""
        notes = [self.notes[row] for row in rows.tolist()] if self.notes else []
        return EmbeddedCollection(self.collection.take(rows), self.space, self.vectors[rows], self.hashes[rows], notes)

    def labelled(self) -> EmbeddedSet:
        """Vectors, labels, ids, and the labels of the space's parts where every image has one."""
        columns = [name for name in self.space.parts if name in self.collection.label_columns]
        parts = {name: self.collection.column(name) for name in columns}
        parts = {name: labels for name, labels in parts.items() if not (labels == "").any()}
        return EmbeddedSet(self.vectors, self.collection.labels, self.hashes.tolist(), parts)


def embed_collection(
    model: Embedder,
    collection: Collection,
    progress: Progress,
    *,
    what: str = "images",
    keep_duplicates: bool = False,
    note: Callable[[Photograph], Any] | None = None,
) -> EmbeddedCollection:
    """Embed every readable image of a collection, and say what could not be used.

    Args:
        model: of any kind.
        collection: the images.
        progress: where progress is shown.
        what: the images are called.
        keep_duplicates: whether files with the same bytes as an earlier one are kept.
        note: called with each photograph while its pixels are in memory; what it returns is kept.

    Raises:
        DoppelgramError: not one of them could be read.
    """
    tell_notes(collection, progress)
    with progress.bar(f"embedding {what}", len(collection)) as advance:
        files = embed_files(model, collection.paths, keep_duplicates=keep_duplicates, note=note, progress=advance)
    files.report.raise_if_nothing_readable()
    if len(files.kept) < len(collection):
        progress.warning(files.report.summary())
    for remark in files.report.face_notes():
        progress.warning(remark)
    taken = collection.take(files.kept)
    return EmbeddedCollection(taken, model.space, files.vectors, np.array(files.hashes, dtype=np.str_), files.notes)


def evaluate_collections(
    gallery: EmbeddedCollection, query: EmbeddedCollection | None = None, **settings: Any
) -> EvaluationResult:
    """Look for the queries, or for each gallery image, in the gallery; settings as for `evaluate_embeddings`."""
    sides = [side for side in (gallery, query) if side is not None]
    result = evaluate_embeddings(gallery.space, *(side.labelled() for side in sides), **settings)
    notes = list(result.notes)
    for part in gallery.space.parts:
        missing = [gallery.space.unknown(side.vectors).get(part, np.zeros(1, dtype=bool)) for side in sides]
        count = max(int(rows.sum()) for rows in missing)
        if count:
            notes.append(f"Nobody was found in {count:,} of the images that were read, so their {part} is unknown.")
    return replace(result, notes=notes)
