"""Collections and catalogs for pandas, Arrow, Hugging Face and torch."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from doppelgram.catalog.export.frames import VECTOR, arrow_table, column_vectors, data_frame
from doppelgram.catalog.export.rows import Rows
from doppelgram.catalog.store import Catalog
from doppelgram.catalog.upkeep.selection import chosen_ids
from doppelgram.dataset.collection import Collection
from doppelgram.dataset.read import as_collection
from doppelgram.errors import DoppelgramError

Kept = Collection | Catalog | Path | str
"""A collection, or a catalog or its folder or address."""


def to_pandas(data: Kept, *, where: str = "", vectors: bool = True, thumbnails: bool = False) -> pd.DataFrame:
    """A collection or a catalog as a DataFrame, one row an image, with absolute paths.

    Args:
        data: collection, catalog, or a catalog's folder or address.
        where: of a catalog: condition of the images; all by default.
        vectors: of a catalog: whether there is a column ``vector``; each is a float32 array (dim,).
        thumbnails: of a catalog: whether there is a column ``thumbnail`` with a JPEG's bytes.

    Raises:
        DoppelgramError: there is no such catalog, or the condition cannot be used or is given for a collection.
    """
    if isinstance(data, Collection):
        if where:
            raise DoppelgramError("where= chooses rows of a catalog; of a collection choose them with take(rows)")
        return data.table.assign(path=[os.path.abspath(path) for path in data.paths])
    return data_frame(_rows(data, where), vectors=vectors, thumbnails=thumbnails)


def to_arrow(data: Kept, *, where: str = "", vectors: bool = True, thumbnails: bool = False) -> Any:
    """A collection or a catalog as a ``pyarrow.Table``; arguments as for `to_pandas`. Vectors are not copied."""
    import pyarrow as pa

    if isinstance(data, Collection):
        return pa.Table.from_pandas(to_pandas(data, where=where), preserve_index=False)
    return arrow_table(_rows(data, where), vectors=vectors, thumbnails=thumbnails)


def to_hugging_face(data: Kept, *, where: str = "", vectors: bool = True, thumbnails: bool = False) -> Any:
    """A collection or a catalog as a ``datasets.Dataset``; needs the extra ``datasets``.

    Its column ``image`` shows the photographs; they stay where they are, and are read when they are asked for.
    Arguments are those of `to_pandas`.

    Raises:
        DoppelgramError: the library is not installed.
    """
    try:
        import datasets
    except ImportError:
        raise DoppelgramError(
            "a dataset of Hugging Face needs their library; install it with: pip install 'doppelgram[datasets]'"
        ) from None
    table = to_arrow(data, where=where, vectors=vectors, thumbnails=thumbnails).replace_schema_metadata(None)
    name = next(name for name in ("image", "image (file)") if name not in table.column_names)
    found = datasets.Dataset(table.append_column(name, table["path"]))
    return found.cast_column(name, datasets.Image())


def to_torch(data: Collection | Path | str, transform: Callable[[Any], Any] | None = None) -> Any:
    """A collection as a map-style ``Dataset`` of torch, see `doppelgram.dataset.in_memory.torch_dataset.ImagesDataset`.

    Args:
        data: a collection, a folder or a table; items are ``(image, number of its class)``.
        transform: called with each image, an upright Pillow image in RGB.

    Raises:
        DoppelgramError: the folder or table cannot be read.
    """
    from doppelgram.dataset.in_memory.torch_dataset import ImagesDataset

    return ImagesDataset(as_collection(data), transform)


def vectors_of(table: Any, column: str = VECTOR) -> NDArray[np.float32]:
    """The vectors of a DataFrame, an Arrow table or a Hugging Face dataset as float32 (n, dim).

    Of an Arrow table whose column is one piece it is that piece's own memory, which cannot be written.

    Raises:
        DoppelgramError: there is no such column, or it holds no vectors of one length.
    """
    if isinstance(table, pd.DataFrame):
        names, cells = list(table.columns), table
    else:
        cells = table.with_format("arrow")[:] if hasattr(table, "with_format") else table
        if not hasattr(cells, "column_names"):
            raise DoppelgramError(f"a {type(table).__name__} is no table; to_arrow gives the one of a catalog")
        names = cells.column_names
    if column not in names:
        raise DoppelgramError(f"there is no column '{column}' in this table; it has {', '.join(map(str, names))}")
    try:
        found = np.stack(cells[column].tolist()) if isinstance(cells, pd.DataFrame) else column_vectors(cells[column])
        return np.asarray(found, dtype=np.float32)
    except (ValueError, TypeError, AttributeError) as problem:
        raise DoppelgramError(f"the column '{column}' holds no vectors of one length: {problem}") from None


def _rows(catalog: Catalog | Path | str, where: str) -> Rows:
    """The rows of a catalog as they are at one moment."""
    store = catalog if isinstance(catalog, Catalog) else Catalog.open(catalog)
    store = store if store.as_of is not None else Catalog.open(store.location, as_of=str(store.versions()[-1].number))
    return Rows(store, set(chosen_ids(store, where=where)) if where else None)
