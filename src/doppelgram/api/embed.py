"""Vectors of images, wherever they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doppelgram.api.chosen import chosen_model
from doppelgram.console import Progress, TerminalProgress
from doppelgram.dataset.collection import Collection
from doppelgram.dataset.in_memory.collection import images_of
from doppelgram.dataset.in_memory.tables import rows_in_memory
from doppelgram.dataset.in_memory.values import in_a_row, source_of
from doppelgram.dataset.read import read_collection
from doppelgram.images.read import Source
from doppelgram.models.bundle import load_model
from doppelgram.models.embedder import Embedder
from doppelgram.training.run import Run


def embed(
    data: Any,
    model: Embedder | Run | Path | str | None = None,
    *,
    columns: Mapping[str, str] | None = None,
    weights: Path | str | None = None,
    progress: Progress | None = None,
) -> NDArray[np.float32]:
    """Vectors, float32 (n, dim), of all images of some data, in its order; nothing is written.

    Args:
        data: a folder or a table, a collection, a dataset of Hugging Face or torch, a DataFrame, an Arrow table, or a
            list of paths, Pillow images, bytes and arrays.
        model: model, run, or its folder, or the name of a ready-made model; ``things`` by default.
        columns: what a table calls a column: ``{"path": "photo"}`` names that of the images.
        weights: folder in which pretrained weights are looked up first.
        progress: where progress is shown; the terminal by default.

    Raises:
        DoppelgramError: an image is missing or cannot be read, or there is no such model.
    """
    progress = progress or TerminalProgress()
    count, images = _images(data, columns)
    if not isinstance(model, Embedder):
        with progress.bar("loading the model", 0):
            model = load_model(chosen_model(model, "things", progress), weights=weights)
    vectors = np.empty((count, model.dim), dtype=np.float32)
    remaining, done = iter(images), 0
    with progress.bar("embedding", count) as advance:
        while piece := list(islice(remaining, model.at_once)):
            vectors[done : done + len(piece)] = model.embed_images(piece, first=done)
            done += len(piece)
            advance(len(piece))
    return vectors


def _images(data: Any, columns: Mapping[str, str] | None) -> tuple[int, Iterable[Source]]:
    """How many images there are, and the images."""
    rows = rows_in_memory(data)
    if rows is not None:
        return rows.count, images_of(rows, columns)
    if isinstance(data, (str, PathLike)):
        data = read_collection(data, columns=columns)
    if isinstance(data, Collection):
        return len(data), data.paths
    return len(in_a_row(data)), (source_of(image, f"image {at}") for at, image in enumerate(data))
