"""A folder or a table on disk becomes a Collection."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

from doppelgram.dataset.collection import Collection
from doppelgram.dataset.folders import level_of, read_folder
from doppelgram.dataset.image_table import read_image_table
from doppelgram.dataset.in_memory.collection import Keep, collection_of
from doppelgram.dataset.in_memory.kept import refused
from doppelgram.dataset.in_memory.tables import rows_in_memory
from doppelgram.dataset.tables import TABLE_ENDINGS
from doppelgram.dataset.times import Clock
from doppelgram.errors import DoppelgramError


def read_collection(
    data: Any,
    *,
    label: str = "",
    name_pattern: str = "",
    root: Path | None = None,
    timezone: str = "UTC",
    columns: Mapping[str, str] | None = None,
) -> Collection:
    r"""Read a folder or a table of images, or rows that another library holds in memory.

    A **folder** is recognised by its depth. Images right inside it carry no label. ``<class>/<image>`` gives the
    column ``label``; where every image is called ``<class>_<number>`` as in LFW the column is ``identity``.
    ``<place>/<pose>/<image>`` gives ``place`` and ``pose`` and compares both; below ``_zz`` lie pictures of the
    bare place, whose pose is left empty. Where one of two levels is ``train``, ``val``, ``test`` (or ``training``,
    ``valid``, ...) the folder is a split: ``train/<class>/<image>`` gives ``identity``, the class, and ``part``.
    Folders of dates, or deeper ones, are a photo library, without labels: ``level:2`` as ``label`` makes the name of
    the second folder one. A ``posts.csv`` beside the images adds ``author`` and ``timestamp``.
    A **table** (CSV, TSV, Excel, Parquet) has a column ``path`` relative to the table's folder (or to ``root``), and
    any others; ``author``, ``timestamp``, ``group`` and ``part`` have their own meaning; ``place`` with ``pose``, or
    else the first other column, is the label unless ``label`` names one. Other usual names of these columns are known
    (`doppelgram.dataset.columns`).

    **In memory** a table may be a pandas DataFrame, an Arrow table (or whatever has ``__arrow_c_stream__``), a Hugging
    Face ``Dataset``, or a map-style ``Dataset`` of torch with items ``(image, label)``. Its images are files; such as
    are in memory are written first by `doppelgram.save_images`. A ``DatasetDict`` gives the column ``part``. What is a
    collection already comes back.

    No image is opened here: whether a file is missing or broken is found out, and reported, when it is loaded.

    Args:
        data: the folder or the table, by its path or in memory.
        label: column to compare by, or several joined by ``+``.
        name_pattern: regular expression with named groups, searched in each file's name without its ending;
            each group becomes a column (``(?P<panorama>\d+)_`` makes a column ``panorama``).
        root: where a table's relative paths start, when not in the table's own folder; of one in memory, when not in
            the current folder.
        timezone: of times that name none, by its IANA name.
        columns: what a table calls a column: ``{"path": "File"}``.

    Raises:
        DoppelgramError: nothing there, no images, or a row or column that cannot be used, named.
    """
    if isinstance(data, Collection):
        return as_collection(data, label=label, name_pattern=name_pattern)
    clock = Clock(timezone)
    if not isinstance(data, (str, PathLike)):
        collection = read_in_memory(data, clock, root, columns)
        return as_collection(collection, label=label, name_pattern=name_pattern)
    data = Path(data).expanduser()
    if not data.exists():
        raise DoppelgramError(f"{data}: there is no such folder or table")
    if data.is_dir():
        collection = read_folder(data, clock, level_of(label))
    elif data.suffix.lower() in TABLE_ENDINGS:
        collection = _with_default_label(read_image_table(data, clock, root=root, columns=columns))
    else:
        raise DoppelgramError(f"{data}: expected a folder of images or a table ending in {', '.join(TABLE_ENDINGS)}")
    collection = replace(collection, notes=(*collection.notes, *clock.notes()))
    return as_collection(collection, label=label, name_pattern=name_pattern)


def read_in_memory(
    data: Any,
    clock: Clock,
    root: Path | None = None,
    columns: Mapping[str, str] | None = None,
    *,
    keep: Keep = refused,
    progress: Callable[[int], None] | None = None,
) -> Collection:
    """What another library holds in memory as a collection, see `read_collection`; its images are given to ``keep``.

    Raises:
        DoppelgramError: it is nothing that holds images, or as for `collection_of`.
    """
    rows = rows_in_memory(data)
    if rows is None:
        raise DoppelgramError(
            f"a {type(data).__name__} is no collection of images; give a folder, a table, a DataFrame, an Arrow table, "
            "or a dataset of Hugging Face or torch"
        )
    collection = _with_default_label(collection_of(rows, clock, root, columns, keep=keep, progress=progress))
    return replace(collection, notes=(*collection.notes, *clock.notes()))


def as_collection(data: Any, *, label: str = "", name_pattern: str = "") -> Collection:
    """A collection as it is, or read by `read_collection`, compared by ``label`` where that is given."""
    if not isinstance(data, Collection):
        return read_collection(data, label=label, name_pattern=name_pattern)
    collection = _with_name_columns(data, name_pattern) if name_pattern else data
    return collection.with_label(label) if label else collection


def _with_default_label(collection: Collection) -> Collection:
    if collection.label:
        return collection
    columns = collection.label_columns
    return collection.with_label("place+pose" if {"place", "pose"} <= set(columns) else columns[0] if columns else "")


def _with_name_columns(collection: Collection, pattern: str) -> Collection:
    try:
        expression = re.compile(pattern)
    except re.error as problem:
        raise DoppelgramError(f"name pattern {pattern!r} is not a regular expression: {problem}") from None
    names = list(expression.groupindex)
    if "path" in names:
        raise DoppelgramError(
            f"name pattern {pattern!r} would replace the column 'path'; call the group something else"
        )
    if not names:
        raise DoppelgramError(f"name pattern {pattern!r} has no named group; write (?P<column>...) around what to keep")
    found = [expression.search(Path(path).stem) for path in collection.names]
    missing = next((path for path, match in zip(collection.names, found, strict=True) if match is None), None)
    if missing is not None:
        raise DoppelgramError(f"name pattern {pattern!r} does not occur in the file name {missing!r}")
    table = collection.table.copy()
    for name in names:
        table[name] = [match.group(name) or "" for match in found if match is not None]
    return replace(collection, table=table)
