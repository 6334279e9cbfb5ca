"""The rows of a catalog in memory, in the order of their ids: Arrow columns, looked into only where that is asked."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doppelgram.catalog.rows import file_of
from doppelgram.space.exact import Float32, Int64
from doppelgram.space.parallel import in_blocks


class Gallery:
    """What a catalog holds, in the order of ids, so that it does not depend on the order of indexing.

    Args:
        table: an Arrow table with the columns ``id``, ``label`` and ``vector``, and whatever `row` is to give.
        dim: size of a vector.

    Attributes:
        vectors: float32 (n, dim).
    """

    def __init__(self, table: Any, dim: int) -> None:
        self._order = order_of(table["id"])
        self.vectors = _ordered(table["vector"], self._order, dim)
        self._table = table.drop_columns(["vector"])
        self._ids = self._table["id"]

    def __len__(self) -> int:
        return len(self._order)

    @cached_property
    def ids(self) -> list[str]:
        """The ids of all rows."""
        stored = self._ids.to_pylist()
        return [stored[position] for position in self._order.tolist()]

    @property
    def labelled(self) -> bool:
        """Whether any row has a label."""
        import pyarrow.compute as pc

        return bool(pc.any(pc.not_equal(self._table["label"], "")).as_py())

    def row(self, position: int) -> dict[str, Any]:
        """The columns of one row."""
        stored = int(self._order[position])
        return {name: self._table[name][stored].as_py() for name in self._table.column_names}

    def rows_named(self, digest: str) -> list[int]:
        """Positions of the rows of one file: ids with the same digest stand beside each other."""

        def id_at(position: int) -> str:
            return str(self._ids[int(self._order[position])].as_py())

        first = bisect_left(range(len(self)), digest, key=id_at)
        last = first
        while last < len(self) and file_of(id_at(last)) == digest:
            last += 1
        return list(range(first, last))

    def among(self, ids: Iterable[str]) -> NDArray[np.bool_]:
        """Which rows (n,) have one of these ids."""
        import pyarrow as pa
        import pyarrow.compute as pc

        found = pc.is_in(self._ids, value_set=pa.array(list(ids), type=pa.string()))
        return np.asarray(found.to_numpy(), dtype=bool)[self._order]


def order_of(ids: Any) -> Int64:
    """The order (n,) in which ids, an Arrow column of text, rise.

    Ids are hexadecimal digests. Their first eight characters, read as a number, decide nearly always, and sort ten
    times as fast as text does.
    """
    keys = np.concatenate([_first_characters(chunk) for chunk in ids.chunks] or [np.empty(0, dtype=np.uint64)])
    order = np.argsort(keys)
    sorted_keys = keys[order]
    alike = np.concatenate([[False], sorted_keys[1:] == sorted_keys[:-1]])
    starts = np.flatnonzero(~alike & np.concatenate([alike[1:], [False]]))
    for start in starts.tolist():
        end = start + 1
        while end < len(alike) and alike[end]:
            end += 1
        order[start:end] = sorted(order[start:end].tolist(), key=lambda row: ids[row].as_py())
    return order


def _first_characters(texts: Any) -> NDArray[np.uint64]:
    """The first eight characters of each text, each eight bytes or longer, as a number that sorts like them."""
    _, offsets, data = texts.buffers()
    starts = np.frombuffer(offsets, dtype=np.int32)[texts.offset : texts.offset + len(texts)]
    if not len(starts):
        return np.empty(0, dtype=np.uint64)
    characters = np.frombuffer(data, dtype=np.uint8)[starts[:, None] + np.arange(8)]
    return np.asarray(characters.view(">u8")[:, 0], dtype=np.uint64)


def _ordered(column: Any, order: Int64, dim: int) -> Float32:
    """An Arrow column of vectors as float32 (n, dim) in an order, copied once."""
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    vectors, chunks = np.empty((len(order), dim), dtype=np.float32), column.chunks
    ends = np.cumsum([0, *map(len, chunks)])

    def copy(number: int) -> None:
        vectors[place[ends[number] : ends[number + 1]]] = chunks[number].flatten().to_numpy().reshape(-1, dim)

    in_blocks(copy, range(len(chunks)))
    return vectors
