"""Rows in memory as a Collection, and as images to embed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from doppelgram.dataset.collection import Collection
from doppelgram.dataset.image_table import image_rows
from doppelgram.dataset.in_memory.kept import refused
from doppelgram.dataset.in_memory.tables import RowsInMemory, image_column
from doppelgram.dataset.in_memory.values import is_nothing, is_path, source_of
from doppelgram.dataset.left import left_notes
from doppelgram.dataset.tables import table_of
from doppelgram.dataset.times import Clock
from doppelgram.errors import DoppelgramError
from doppelgram.images.read import Source

# Gives the path of an image: of an image in memory, and what to call it in an error.
Keep = Callable[[Any, str], str]


def collection_of(
    rows: RowsInMemory,
    clock: Clock,
    root: Path | None = None,
    columns: Mapping[str, str] | None = None,
    *,
    keep: Keep = refused,
    progress: Callable[[int], None] | None = None,
) -> Collection:
    """Rows in memory as a Collection, its columns known, checked and left aside as those of a table in a file.

    Args:
        rows: from `rows_in_memory`. Rows are named by their position, from 0.
        clock: reads the times.
        root: folder that relative paths start from; the current one by default.
        columns: what the rows call a column that is known here by another name.
        keep: gives the path of an image that is in memory.
        progress: called with numbers of rows.

    Raises:
        DoppelgramError: there is no column of images or paths, an image is in memory and nothing keeps it, or as for
            a table in a file.
    """
    if not rows.count:
        raise DoppelgramError(f"{rows.name}: there are no rows in it")
    columns = {name: str(spelled) for name, spelled in (columns or {}).items()}
    frames: list[pd.DataFrame] = []
    at, column = 0, None
    for frame in rows.frames():
        column = _image_column(frame, rows.name, columns) if column is None else column
        frames.append(_with_paths(frame, column, rows.name, at, keep, progress or (lambda count: None)))
        at += len(frame)
    frame = pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0]
    others = {name: spelled for name, spelled in columns.items() if name != "path"}
    table = table_of(Path(rows.name), frame, np.arange(len(frame)), others)
    found = image_rows(table, clock, root or Path())
    notes = (*found.collection.notes, *left_notes(found.left))
    label = rows.label if rows.label in found.collection.table else ""
    return Collection(found.collection.root, found.collection.table, label, notes)


def images_of(rows: RowsInMemory, columns: Mapping[str, str] | None = None) -> Iterator[Source]:
    """The images of rows in memory, as `images.read` takes them: none is written anywhere.

    Raises:
        DoppelgramError: there is no column of images or paths, or one of them is no image.
    """
    at, column = 0, None
    for frame in rows.frames():
        column = _image_column(frame, rows.name, columns) if column is None else column
        for value in frame[column]:
            yield source_of(value, f"{rows.name}: row {at}")
            at += 1


def _with_paths(
    frame: pd.DataFrame, column: Any, name: str, start: int, keep: Keep, progress: Callable[[int], None]
) -> pd.DataFrame:
    """A frame with a column ``path`` in place of that of its images; another column called so is marked."""
    values, paths = frame[column], []
    # Paths alone are below the table's root.
    plain = keep is refused and all(is_nothing(value) or is_path(value) for value in values)
    for at, value in enumerate(values):
        given = str(value) if plain or is_nothing(value) else keep(value, f"{name}: row {start + at}")
        paths.append("" if is_nothing(value) else given)
        progress(1)
    position = list(frame.columns).index(column)
    renamed = [f"{each} (unused)" if str(each) == "path" else each for each in frame.columns]
    renamed[position] = "path"
    changed = frame.drop(columns=[column])
    changed.insert(position, column, paths)
    return changed.set_axis(renamed, axis=1)


def _image_column(frame: pd.DataFrame, name: str, columns: Mapping[str, str] | None) -> Any:
    column = image_column(frame, columns)
    if column == "":
        named = ", ".join(map(str, frame.columns)) or "none"
        raise DoppelgramError(
            f"{name}: no column holds images or their paths; its columns are {named}; "
            'columns={"path": "NAME"} says which one does'
        )
    if isinstance(frame[column], pd.DataFrame):
        raise DoppelgramError(f"{name}: the column '{column}' stands in it twice; give one of them another name")
    return column
