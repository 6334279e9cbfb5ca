"""What a collection says of its images, and how that gets into rows that a catalog has already."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from doppelgram.catalog.findings import FOUND_COLUMNS
from doppelgram.catalog.rows import Entry
from doppelgram.dataset.collection import Collection


def entries_of(collection: Collection) -> list[Entry]:
    """What the collection says of each of its images, without an id as yet."""
    table = collection.table
    rows = len(collection)
    labels = [table[column].astype(str).tolist() for column in collection.label_columns]
    columns = {
        "path": [os.path.abspath(path) for path in collection.paths],
        "name": collection.names,
        "label": collection.labels.tolist(),
        "columns": [dict(zip(collection.label_columns, values, strict=True)) for values in zip(*labels, strict=True)]
        or [{}] * rows,
        "author": table["author"].astype(str).tolist() if "author" in table else [""] * rows,
        "timestamp": [None] * rows,
    }
    if "timestamp" in table:
        moments = table["timestamp"]
        columns["timestamp"] = [None if pd.isna(at) else at.to_pydatetime(warn=False) for at in moments]
    return [Entry("", *values) for values in zip(*columns.values(), strict=True)]


def changed_entries(
    known: Mapping[str, Sequence[Entry]], files: Mapping[str, Sequence[Entry]], collection: Collection
) -> list[Entry]:
    """Rows of a catalog whose file moved or of which a collection says something new, as they have to be.

    Args:
        known: the catalog's rows by the digest of their file; several where each is of one face.
        files: the collection's files of each of these digests, which the catalog has already.
        collection: what they come from.
    """
    changed: list[Entry] = []
    for old, copies in ((old, copies) for digest, copies in files.items() for old in known[digest]):
        entry = next((file for file in copies if file.path == old.path), None)
        if entry is None and not os.path.exists(old.path):
            entry = copies[0]
        if entry is None:
            continue
        found = {name: value for name, value in (old.columns or {}).items() if name in FOUND_COLUMNS}
        entry = replace(entry, id=old.id, columns={**(entry.columns or {}), **found})
        # A collection without labels, authors or times says nothing of them, which is no reason to forget them.
        if not collection.label:
            entry = replace(entry, label=old.label, columns={**(old.columns or {}), **(entry.columns or {})})
        if "author" not in collection.table:
            entry = replace(entry, author=old.author)
        if "timestamp" not in collection.table:
            entry = replace(entry, timestamp=old.timestamp)
        if entry != old:
            changed.append(entry)
    return changed
