"""Making a catalog's map: the work of a job."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from doppelgram.catalog.store import Catalog
from doppelgram.console import Progress
from doppelgram.errors import DoppelgramError
from doppelgram.maps.atlas import Images, make_map
from doppelgram.maps.projection import FEWEST
from doppelgram.space.space import checked_part
from doppelgram.web.mapped.kept import KeptMap


def make_and_keep(
    progress: Progress, folder: Path, place: Path, method: str, by: str, weights: Path | None, keypoints: Path | None
) -> str:
    """Map a catalog and keep the map; an earlier one stays until the new one is finished.

    Args:
        progress: what it says goes to the page.
        folder: of the catalog.
        place: folder to keep the map in, see `Maps`.
        method: ``pca`` or ``tsne``.
        by: part of the space to draw, such as ``place``; all of it if empty.
        weights: as for `Catalog.load_model`.
        keypoints: as for `Catalog.load_model`.

    Returns:
        What was done, in a sentence.

    Raises:
        DoppelgramError: there are fewer than 3 photographs, or no such part.
    """
    with progress.bar("reading the catalog", 0):
        catalog = Catalog.open(folder)
        space = catalog.load_model(weights=weights, keypoints=keypoints).space
        by = checked_part(space, by)
        rows, vectors = catalog.snapshot(["id", "label"])
    order = np.argsort(rows["id"].to_numpy(dtype=np.str_), kind="stable")
    unknown = space.unknown(vectors).get(by, np.zeros(len(vectors), dtype=bool))
    order = order[~unknown[order]]
    if len(order) < FEWEST:
        raise DoppelgramError(f"a map needs {FEWEST} photographs or more; {len(order)} can be put on it")
    rows = rows.iloc[order]
    ids, nothing = rows["id"].tolist(), np.full(len(order), "")
    images = Images(vectors[order], rows["label"].to_numpy(dtype=np.str_), nothing, ids, ids)
    with progress.bar(f"mapping {len(images):,} photographs", 0):
        found = make_map(images, method, space=space, by=by)
    with progress.bar("keeping the map", 0):
        KeptMap.of(found).save(place)
    left = f"; {int(unknown.sum()):,} are left out, since nobody was found in them" if unknown.any() else ""
    return f"{len(images):,} photographs are on the map{left}"
