"""A catalog as a table (CSV, Parquet) or as a matrix of its vectors (NumPy)."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from doppelgram.catalog.cells import harmless
from doppelgram.catalog.export.rows import Rows
from doppelgram.catalog.rows import COLUMNS, matrix
from doppelgram.files import written_whole

_TEXTS = ("name", "author", "timestamp", "id")


def write_csv(rows: Rows, file: Path) -> None:
    """What is known of each image, as `doppelgram.dataset.read` reads it: path, label columns, author, time.

    An apostrophe stands before what a spreadsheet would take for a formula.
    """
    columns = rows.label_columns()
    label = [] if "label" in columns else ["label"]
    with written_whole(file) as aside, aside.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.writer(opened)
        writer.writerow(["path", *label, *columns, *_TEXTS])
        for piece in rows.pieces(("path", "label", "columns", *_TEXTS)):
            for row in piece.to_pylist():
                values = json.loads(row["columns"])
                row["timestamp"] = row["timestamp"].isoformat() if row["timestamp"] else ""
                cells = [row["path"], *(row[name] for name in label), *(values.get(name, "") for name in columns)]
                writer.writerow([harmless(str(cell)) for cell in (*cells, *(row[name] for name in _TEXTS))])


def write_parquet(rows: Rows, file: Path) -> None:
    """Every column as the catalog keeps it; ``columns`` is JSON text, ``thumbnail`` a JPEG's bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with written_whole(file) as aside:
        writer = None
        try:
            for piece in rows.pieces(COLUMNS):
                piece = piece.select(list(COLUMNS))
                # What the engine notes of a column, such as that it is the key, means nothing elsewhere.
                plain = pa.schema([field.remove_metadata() for field in piece.schema])
                writer = writer or pq.ParquetWriter(aside, plain, compression="zstd")
                writer.write_table(piece.cast(plain))
        finally:
            if writer is not None:
                writer.close()


def write_npy(rows: Rows, file: Path) -> None:
    """The vectors, float32 (n, dim), and what is known of their images in a CSV of the same name, in the same order."""
    with written_whole(file) as aside:
        shape = len(rows), rows.catalog.dim
        if len(rows):
            vectors, start = np.lib.format.open_memmap(aside, mode="w+", dtype=np.float32, shape=shape), 0
            for piece in rows.pieces(("vector",)):
                vectors[start : start + piece.num_rows] = matrix(piece, rows.catalog.dim)
                start += piece.num_rows
            vectors.flush()
            del vectors
        else:  # no file of nothing can be mapped into memory
            np.save(aside, np.empty(shape, np.float32))
        # Last, so that a failure leaves both files of an earlier export, not one of each.
        write_csv(replace(rows, advance=lambda count: None), file.with_suffix(".csv"))
