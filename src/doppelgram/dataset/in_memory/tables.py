"""Whatever holds rows in memory, read as data frames piece by piece, with the classes' names in place of numbers."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from doppelgram.dataset.columns import find_column
from doppelgram.dataset.folders import PART_FOLDERS
from doppelgram.dataset.in_memory.values import is_image, is_nothing, is_path
from doppelgram.dataset.tables import with_index_columns
from doppelgram.errors import DoppelgramError

IMAGE, LABEL = "image", "label"
# Rows in memory at a time, each perhaps with the bytes of a photograph.
_AT_ONCE = 256


@dataclass(frozen=True)
class RowsInMemory:
    """Rows that another library holds.

    Attributes:
        name: what to call them in an error.
        count: how many there are.
        pieces: the rows as data frames, in order, one at least.
        classes: of a column that holds numbers of classes, their names.
        label: column of classes to compare by, unless somebody names another; empty if there is none.
    """

    name: str
    count: int
    pieces: Callable[[], Iterator[pd.DataFrame]]
    classes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    label: str = ""

    def frames(self) -> Iterator[pd.DataFrame]:
        """The pieces, with names in place of numbers of classes; empty where there is no class of that number."""
        for piece in self.pieces():
            for column, names in self.classes.items():
                known = dict(enumerate(names))
                piece[column] = [known.get(value, "") for value in piece[column].tolist()]
            yield piece


def rows_in_memory(data: Any) -> RowsInMemory | None:
    """The rows of a data frame, an Arrow table, a Hugging Face or a torch dataset; None for anything else.

    Whatever has Arrow's C stream (``__arrow_c_stream__``), such as a frame of polars, counts as an Arrow table.

    Raises:
        DoppelgramError: a dataset that only streams.
    """
    if isinstance(data, pd.DataFrame):
        return RowsInMemory("the DataFrame", len(data), lambda: iter([with_index_columns(data)]))
    if _is(data, "datasets", "DatasetDict"):
        return _of_parts({str(part): _of_hugging_face(each) for part, each in data.items()})
    if _is(data, "datasets", "Dataset"):
        return _of_hugging_face(data)
    if _is(data, "datasets", "IterableDataset", "IterableDatasetDict"):
        raise DoppelgramError("a dataset that streams has no length; load it without streaming=True")
    if _is(data, "torch.utils.data", "Dataset"):
        if _is(data, "torch.utils.data", "IterableDataset") or not hasattr(data, "__len__"):
            raise DoppelgramError("a dataset that streams has no length; give a map-style dataset of torch")
        return _of_torch(data)
    if hasattr(data, "__arrow_c_stream__"):
        import pyarrow as pa

        try:
            return _of_arrow(pa.table(data))
        except pa.ArrowInvalid:  # one column alone
            return None
    return None


def image_column(frame: pd.DataFrame, columns: Mapping[str, str] | None = None) -> Any:
    """Name of the column of a frame that holds the images or their paths; empty if there is none.

    The one that is given as ``path`` in ``columns``; else one of images; else one whose name says that it holds paths;
    else one of bytes.
    """
    given = str((columns or {}).get("path", ""))
    spelled = {str(name): name for name in reversed(frame.columns)}
    if given:
        return spelled.get(find_column(given, list(spelled)), "")
    first = {name: _first(frame[name]) for name in frame.columns}
    for name, value in first.items():
        if is_image(value):
            return name
    named = find_column("path", [str(name) for name, value in first.items() if value is None or is_path(value)])
    return named or next((name for name, value in first.items() if isinstance(value, (bytes, bytearray))), "")


def _first(values: Any) -> Any:
    """The first value of a column that is one; None where the name stands twice."""
    return None if isinstance(values, pd.DataFrame) else next((one for one in values if not is_nothing(one)), None)


def _is(data: Any, module: str, *names: str) -> bool:
    """Whether something is of a library's class; where nobody has imported the library, nothing is."""
    kinds = [getattr(sys.modules.get(module), name, None) for name in names]
    return isinstance(data, tuple(kind for kind in kinds if isinstance(kind, type)))


def _of_arrow(table: Any) -> RowsInMemory:
    def pieces() -> Iterator[pd.DataFrame]:
        for start in range(0, max(1, table.num_rows), _AT_ONCE):
            # An index that pandas had is a column, and whole numbers with gaps stay whole.
            yield table.slice(start, _AT_ONCE).to_pandas(ignore_metadata=True, integer_object_nulls=True)

    classes = _class_names(table.schema)
    return RowsInMemory("the Arrow table", table.num_rows, pieces, classes, next(iter(classes), ""))


def _of_hugging_face(dataset: Any) -> RowsInMemory:
    # In Arrow nothing is decoded: an image is the bytes or the path of its file.
    rows = dataset.with_format("arrow")

    def pieces() -> Iterator[pd.DataFrame]:
        for start in range(0, max(1, len(dataset)), _AT_ONCE):
            yield rows[start : start + _AT_ONCE].to_pandas(integer_object_nulls=True)

    classes = _class_names(dataset.features.arrow_schema)
    return RowsInMemory("the dataset", len(dataset), pieces, classes, next(iter(classes), ""))


def _class_names(schema: Any) -> dict[str, list[str]]:
    """Names of classes by column, which Hugging Face's library keeps in the schema, also in its Parquet files."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        return {name: kind["names"] for name, kind in features.items() if kind.get("_type") == "ClassLabel"}
    except (KeyError, TypeError, ValueError, AttributeError):
        return {}


def _of_parts(parts: Mapping[str, RowsInMemory]) -> RowsInMemory:
    """Several datasets as one, with a column ``part``."""
    for name in parts:
        if name.casefold() not in PART_FOLDERS:
            raise DoppelgramError(
                f"the dataset has a split '{name}'; known are {', '.join(PART_FOLDERS)}; give one alone"
            )

    def pieces() -> Iterator[pd.DataFrame]:
        for name, rows in parts.items():
            for piece in rows.frames():
                yield piece.assign(part=PART_FOLDERS[name.casefold()])

    label = next((rows.label for rows in parts.values()), "")
    return RowsInMemory("the dataset", sum(rows.count for rows in parts.values()), pieces, label=label)


def _of_torch(dataset: Any) -> RowsInMemory:
    """Items of a map-style dataset: ``(image, label, ...)``, a record with ``image`` and others, or an image alone."""
    names = getattr(dataset, "classes", None)
    files = _files_of(dataset)
    first = files[0][1] if files else _record(dataset[0]).get(LABEL) if len(dataset) else None
    classes = {LABEL: [str(name) for name in names]} if names is not None and isinstance(first, int) else {}
    if files:
        frame = pd.DataFrame(files, columns=["path", LABEL])
        return RowsInMemory("the dataset", len(files), lambda: iter([frame.copy()]), classes, LABEL)

    def pieces() -> Iterator[pd.DataFrame]:
        for start in range(0, max(1, len(dataset)), _AT_ONCE):
            items = [_record(dataset[row]) for row in range(start, min(start + _AT_ONCE, len(dataset)))]
            names = dict.fromkeys(name for item in items for name in item)
            yield pd.DataFrame({name: _objects([item.get(name) for item in items]) for name in names})

    return RowsInMemory("the dataset", len(dataset), pieces, classes, LABEL)


def _files_of(dataset: Any) -> list[tuple[str, Any]]:
    """Path and class of each image of a dataset of files, as torchvision's ``ImageFolder``; none for others.

    A class is a number, or what stands there in place of one.
    """
    samples = getattr(dataset, "samples", None)
    if not isinstance(samples, list) or len(samples) != len(dataset):
        return []
    pairs = [pair for pair in samples if isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], str)]
    return [(path, _plain(code)) for path, code in pairs] if len(pairs) == len(samples) else []


def _record(item: Any) -> dict[str, Any]:
    if isinstance(item, Mapping):
        return {str(name): _plain(value) for name, value in item.items()}
    if not isinstance(item, (tuple, list)):
        return {IMAGE: item}
    return {(IMAGE, LABEL)[at] if at < 2 else f"value {at}": _plain(value) for at, value in enumerate(item)}


def _plain(value: Any) -> Any:
    """A number in a tensor or array as a plain one."""
    return value.item() if getattr(value, "ndim", None) == 0 and hasattr(value, "item") else value


def _objects(values: list[Any]) -> np.ndarray[Any, Any]:
    """Values as they are: a frame would look into images."""
    column = np.empty(len(values), dtype=object)
    for row, value in enumerate(values):
        column[row] = value
    return column
