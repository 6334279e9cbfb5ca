"""The rows of a catalog, piece by piece, for files that do not fit in memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from doppelgram.catalog.findings import FOUND_COLUMNS
from doppelgram.catalog.store import Catalog


@dataclass(frozen=True)
class Rows:
    """Rows of one version of a catalog.

    Attributes:
        catalog: opened at a version.
        ids: of the rows; None for all.
        advance: called with numbers of rows as they are read.
        size: rows in a piece.
    """

    catalog: Catalog
    ids: Collection[str] | None = None
    advance: Callable[[int], None] = field(default=lambda count: None)
    size: int = 2_000

    def __len__(self) -> int:
        return len(self.catalog) if self.ids is None else len(self.ids)

    def pieces(self, columns: Collection[str]) -> Iterator[Any]:
        """Arrow tables of the given columns, ``id`` among them."""
        import pyarrow as pa

        wanted = list(dict.fromkeys([*columns, "id"]))
        for piece in self.catalog.batches(wanted, self.size):
            if self.ids is not None:
                piece = piece.filter(pa.array([id_ in self.ids for id_ in piece["id"].to_pylist()], pa.bool_()))
            self.advance(piece.num_rows)
            yield piece

    def label_columns(self) -> list[str]:
        """Names of the label columns, without what was found in the photographs."""
        texts = {text for piece in self.catalog.batches(["columns"]) for text in piece["columns"].to_pylist()}
        names = dict.fromkeys(name for text in sorted(texts) for name in json.loads(text))
        return [name for name in names if name not in FOUND_COLUMNS]
