"""The rows of a catalog: what is kept of an image, and how it is laid out on disk."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from doppelgram.errors import DoppelgramError

Float32: TypeAlias = NDArray[np.float32]

FACTS = ("id", "path", "name", "label", "columns", "author", "timestamp")
COLUMNS = (*FACTS, "vector", "thumbnail", "added", "part")

EMPTY = {"part": ""}
"""Columns that catalogs of earlier versions do not have, and what stands in them where nothing is known."""

_ID = re.compile(r"[0-9a-f]{64}(#[1-9][0-9]*)?")


@dataclass(frozen=True)
class Entry:
    """What a catalog knows of an image besides what the image shows.

    Attributes:
        id: SHA-256 of the file's bytes in hexadecimal; of a photograph's second face on with ``#`` and its
            number.
        path: absolute path.
        name: path as the collection spells it.
        label: value of the collection's label column, empty where it is not known.
        columns: every label column of the collection and its value, the one in ``label`` included.
        author: empty where it is not known.
        timestamp: time of the post in UTC, None where it is not known.
    """

    id: str
    path: str
    name: str = ""
    label: str = ""
    columns: Mapping[str, str] | None = None
    author: str = ""
    timestamp: datetime | None = None


@dataclass(frozen=True)
class EmbeddedImage:
    """An image on its way into a catalog.

    Attributes:
        entry: what is known of it.
        vector: its embedding (dim,).
        thumbnail: a small JPEG of it.
        part: of a plan that several machines work on, the part it came from; empty where there is no plan.
    """

    entry: Entry
    vector: Float32
    thumbnail: bytes
    part: str = ""


def is_id(text: str) -> bool:
    """Whether this is an id as a catalog spells it."""
    return _ID.fullmatch(text) is not None


def row_id(digest: str, face: int = 1) -> str:
    """The id of a face of the file with this digest; the largest face, number 1, has the file's own."""
    return digest if face == 1 else f"{digest}#{face}"


def file_of(id_: str) -> str:
    """The digest of the file that a row is of."""
    return id_.partition("#")[0]


def one_of(ids: Sequence[str]) -> str:
    """Condition for the rows with these ids; what is no id is left out, so that no text gets into the condition."""
    listed = ", ".join(f"'{text}'" for text in ids if is_id(text))
    return f"id IN ({listed})" if listed else "false"


def connect(database: Path | str, options: Mapping[str, str] | None = None) -> Any:
    """Open a LanceDB database whose every read sees the latest commit; with settings of the store it lies in."""
    # The engine's own log lines mean nothing to the person at the terminal.
    os.environ.setdefault("LANCE_LOG", "error")
    os.environ.setdefault("LANCEDB_LOG", "error")
    import lancedb

    return lancedb.connect(
        database, read_consistency_interval=timedelta(0), storage_options=dict(options) if options else None
    )


def create_table(opened: Any, name: str, dim: int) -> None:
    """Make an empty table in a database, unless there is one for embeddings of ``dim`` numbers."""
    expected = schema(dim)
    try:
        if opened.open_table(name).schema.equals(expected):
            return
    except ValueError:
        pass  # There is none.
    try:
        opened.create_table(name, schema=expected)
    except ValueError:
        # There is one by now: another process's, which is the same, or one that is left of another model.
        if not opened.open_table(name).schema.equals(expected):
            opened.create_table(name, schema=expected, mode="overwrite")


def schema(dim: int) -> Any:
    """Arrow schema of the table, for embeddings of ``dim`` numbers."""
    import pyarrow as pa

    # LanceDB takes the key only as a hint for merging: with it, of two processes that insert the same id at the same
    # time the second notices.
    key = {"lance-schema:unenforced-primary-key": "true", "lance-schema:unenforced-primary-key:position": "1"}
    time = pa.timestamp("us", tz="UTC")
    texts = [pa.field(name, pa.string()) for name in ("path", "name", "label", "columns", "author")]
    return pa.schema(
        [
            pa.field("id", pa.string(), nullable=False, metadata=key),
            *texts,
            pa.field("timestamp", time),
            pa.field("vector", pa.list_(pa.float32(), dim)),
            pa.field("thumbnail", pa.binary()),
            pa.field("added", time),
            pa.field("part", pa.string()),
        ]
    )


def with_missing(rows: Any, columns: Sequence[str]) -> Any:
    """The given columns of an Arrow table, in this order; those of ``EMPTY`` that it lacks are empty."""
    import pyarrow as pa

    for name in columns:
        if name not in rows.column_names:
            rows = rows.append_column(name, pa.repeat(EMPTY[name], rows.num_rows))
    return rows.select(list(columns))


def with_facts(rows: Any, entries: Mapping[str, Entry], dim: int) -> Any:
    """The rows, an Arrow table of all columns, with the facts in ``entries``, by id, in place of their own."""
    import pyarrow as pa

    columns = _facts([entries[key] for key in rows["id"].to_pylist()])
    return pa.table(columns | {name: rows[name] for name in COLUMNS if name not in FACTS}, schema=schema(dim))


def entries_of(table: Any) -> list[Entry]:
    """The entries of an Arrow table of the columns ``FACTS``."""
    return [Entry(**row | {"columns": json.loads(row["columns"])}) for row in table.to_pylist()]


def images_table(images: Sequence[EmbeddedImage], dim: int) -> Any:
    """Arrow table of all columns; of images with the same id only the first is in it.

    Raises:
        DoppelgramError: an embedding holds a NaN or an infinity.
        ValueError: an embedding does not have ``dim`` numbers, or an id is none.
    """
    import pyarrow as pa

    first: dict[str, EmbeddedImage] = {}
    for image in images:
        first.setdefault(image.entry.id, image)
    for image in first.values():
        if image.vector.shape != (dim,) or not is_id(image.entry.id):
            raise ValueError(f"{image.entry.path}: needs a vector of {dim} numbers, and its file's SHA-256 as id")
        if not np.isfinite(image.vector).all():
            raise DoppelgramError(
                f"{image.entry.path}: the model's embedding of it is no number; train the model again"
            )
    numbers = np.concatenate([image.vector for image in first.values()]).astype(np.float32, copy=False)
    columns = _facts([image.entry for image in first.values()]) | {
        "vector": pa.FixedSizeListArray.from_arrays(pa.array(numbers), dim),
        "thumbnail": [image.thumbnail for image in first.values()],
        "added": [datetime.now(UTC)] * len(first),
        "part": [image.part for image in first.values()],
    }
    return pa.table(columns, schema=schema(dim))


def matrix(found: Any, dim: int) -> Float32:
    """Column ``vector`` of an Arrow table of n rows as float32 (n, dim)."""
    vectors = np.empty((found.num_rows, dim), dtype=np.float32)
    start = 0
    for chunk in found["vector"].chunks:
        vectors[start : start + len(chunk)] = chunk.flatten().to_numpy().reshape(-1, dim)
        start += len(chunk)
    return vectors


def _facts(entries: Sequence[Entry]) -> dict[str, Any]:
    columns: dict[str, Any] = {name: [getattr(entry, name) for entry in entries] for name in FACTS}
    columns["columns"] = [json.dumps(dict(entry.columns or {}), ensure_ascii=False) for entry in entries]
    return columns
