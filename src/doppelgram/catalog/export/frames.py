"""A catalog as an Arrow table or a data frame in memory, its label columns beside the vectors."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd

from doppelgram.catalog.export.rows import Rows
from doppelgram.catalog.rows import Float32, matrix

VECTOR = "vector"
_BEFORE = ("id", "path", "name", "label")
_AFTER = ("author", "timestamp")


def arrow_table(rows: Rows, *, vectors: bool = True, thumbnails: bool = False) -> Any:
    """The rows as an Arrow table; vectors and small pictures lie where the catalog's engine has put them.

    Columns are ``id``, ``path``, ``name``, ``label``, each label column under its own name (one that is called like
    another column of the table gets ``(label)`` behind it), ``author``, ``timestamp``, and on request ``vector``
    (``fixed_size_list<float32>``) and ``thumbnail`` (a JPEG's bytes).
    """
    import pyarrow as pa

    heavy = [*([VECTOR] if vectors else []), *(["thumbnail"] if thumbnails else [])]
    wanted = (*_BEFORE, *_AFTER, *heavy)
    found = pa.concat_tables(list(rows.pieces((*wanted, "columns"))))
    said = [json.loads(text) for text in found["columns"].to_pylist()]
    columns = {name: found[name] for name in _BEFORE}
    for name in rows.label_columns():
        values = pa.array([str(of_row.get(name, "")) for of_row in said], pa.string())
        if name == "label" and values.equals(found["label"].combine_chunks()):
            continue
        columns[f"{name} (label)" if name in wanted else name] = values
    return pa.table(columns | {name: found[name] for name in (*_AFTER, *heavy)})


def data_frame(rows: Rows, *, vectors: bool = True, thumbnails: bool = False) -> pd.DataFrame:
    """The rows as a data frame, with the columns of `arrow_table`; each vector is a row of one float32 array."""
    found = arrow_table(rows, vectors=vectors, thumbnails=thumbnails)
    frame: pd.DataFrame = found.drop_columns([VECTOR] if vectors else []).to_pandas()
    if vectors:
        column = np.empty(len(frame), dtype=object)
        for row, vector in enumerate(matrix(found, rows.catalog.dim)):
            column[row] = vector
        frame[VECTOR] = column
    return frame


def column_vectors(column: Any) -> Float32:
    """The vectors of an Arrow column as float32 (n, dim): its own memory where it is one piece of float32.

    Args:
        column: an Arrow array, or chunked array, of lists of numbers that are of one length.

    Raises:
        ValueError: a list is missing, or they differ in length.
    """
    import pyarrow as pa

    pieces = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    parts = [_of_piece(piece) for piece in pieces if len(piece)]
    if len({part.shape[1] for part in parts}) > 1:
        raise ValueError("the vectors differ in length")
    return parts[0] if len(parts) == 1 else np.concatenate(parts or [np.empty((0, 0), np.float32)])


def _of_piece(piece: Any) -> Float32:
    if piece.null_count:
        raise ValueError("a vector is missing")
    numbers = piece.flatten()  # of a slice its own numbers only
    if numbers.null_count or len(numbers) % len(piece):
        raise ValueError("the vectors differ in length")
    dim = len(numbers) // len(piece)
    if not hasattr(piece.type, "list_size") and set(piece.value_lengths().to_pylist()) != {dim}:
        raise ValueError("the vectors differ in length")
    return np.asarray(numbers.to_numpy(zero_copy_only=False), dtype=np.float32).reshape(-1, dim)
