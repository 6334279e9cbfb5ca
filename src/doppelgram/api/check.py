"""Say what would be read, from where, and what would be left aside; nothing is computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from doppelgram.dataset.check import Checked, checked
from doppelgram.dataset.collection import Collection
from doppelgram.dataset.posts.registry import read_posts
from doppelgram.dataset.read import read_collection
from doppelgram.dataset.splits import DEFAULT_FRACTIONS, make_split, own_split, small_classes


def check(
    source: Path | str,
    *,
    images: bool = False,
    label: str = "",
    timezone: str = "UTC",
    columns: Mapping[str, str] | None = None,
    reader: str = "",
) -> Checked:
    """What `trace` would read of a source, or, if ``images``, what `train` and `index` would.

    Args:
        source: folder, table, JSON or ZIP file.
        images: whether it is asked about as labelled images, not as posts.
        label: column to compare by, for labelled images.
        timezone: of times that name none, by its IANA name.
        columns: what a table calls a column: ``{"path": "File"}``.
        reader: the reader of posts to use, by name.

    Raises:
        DoppelgramError: nothing of it can be read; the same sentence that the work itself would end with.
    """
    if images:
        return checked(
            str(source), _as_trained(read_collection(source, label=label, timezone=timezone, columns=columns))
        )
    return checked(str(source), read_posts(source, timezone=timezone, columns=columns, reader=reader))


def _as_trained(collection: Collection) -> Collection:
    """The images that training would use, with notes on classes that are too small for it or to be divided."""
    if not (collection.labels != "").any():
        return collection
    _, counts = np.unique(collection.labels[collection.labels != ""], return_counts=True)
    used = collection.labelled(min_images=2) if (counts > 1).any() else collection
    small = ""
    if own_split(collection) is None:
        grouped = "group" in used.table.columns and bool((used.column("group") != "").any())
        small = small_classes(used, make_split(used, "group" if grouped else "image"), DEFAULT_FRACTIONS)
    return replace(used, notes=tuple(filter(None, (*used.notes, small))))
