"""The labelled images whose errors are looked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from doppelgram.dataset.collection import Collection
from doppelgram.dataset.read import as_collection
from doppelgram.dataset.splits import PARTS
from doppelgram.errors import DoppelgramError
from doppelgram.images.read import Photograph
from doppelgram.label_errors.duplicates import appearance
from doppelgram.space.exact import Float32
from doppelgram.training.run import RUN_FILE, open_run


def images_and_parts(
    run: Path, data: Collection | Path | str | None, part: str, label: str
) -> tuple[Collection, np.ndarray[Any, Any]]:
    """The labelled images and the part of each, empty where there is no split."""
    if data is not None:
        if part != "all":
            raise DoppelgramError("--part is of the run's own images; it does not go with DATA")
        collection = as_collection(data, label=label).labelled()
        return collection, np.full(len(collection), "", dtype="<U5")
    if not (run / RUN_FILE).is_file():
        raise DoppelgramError(f"{run}: is a model without its run, so it has no images; give DATA")
    own = open_run(run)
    collection = own.collection()
    rows = own.split().rows(collection)
    parts = np.full(len(collection), "", dtype="<U5")
    for name in PARTS:
        parts[rows[name]] = name
    if part != "all" and not len(rows[part]):
        raise DoppelgramError(f"{run}: its split has no {part} part among the images that are there")
    return collection, parts


def appearance_of(photograph: Photograph) -> Float32:
    """What a photograph looks like from afar, (768,)."""
    pixels: Any = photograph.pixels
    found: Float32 = appearance(pixels[None])[0]
    return found
