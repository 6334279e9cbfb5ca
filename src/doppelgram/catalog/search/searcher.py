"""Search in memory: the images of a catalog that look most like a photograph, exactly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from doppelgram.catalog.search.gallery import Gallery
from doppelgram.catalog.search.photographs import Match, Neighbours, PhotographSearch, matches_of
from doppelgram.catalog.search.where import Stored, Where
from doppelgram.errors import DoppelgramError
from doppelgram.models.embedder import Embedder
from doppelgram.space.background import Background, background
from doppelgram.space.exact import Float32

__all__ = ["Match", "Neighbours", "Searchable", "Searcher"]

_COLUMNS = ("id", "path", "name", "label")


class Searchable(Stored, Protocol):
    """What a `Searcher` needs of a catalog."""

    face: str

    @property
    def location(self) -> object:
        """Where it lies, for messages."""

    def require(self, fingerprint: str) -> None:
        """Refuse another model's vectors."""

    def arrow(self, columns: Sequence[str]) -> Any:
        """The given columns of all rows as an Arrow table."""


class Searcher(PhotographSearch):
    """A catalog's vectors in memory and the model that made them: opened once, asked many times.

    All embeddings are read once (n x dim float32) and searched exactly. Equal distances are ordered by id, so that the
    answer does not depend on the order of indexing. What is indexed later is not found. Distances are those of the
    model's space as `Space.adapted` to the catalog.

    Args:
        catalog: where to search. Neither the photographs in it nor the run of its model need to exist any more.
        model: the model that fills the catalog.

    Raises:
        DoppelgramError: the catalog is empty, or the model is another.
    """

    def __init__(self, catalog: Searchable, model: Embedder) -> None:
        catalog.require(model.fingerprint)
        columns = (*_COLUMNS, "columns") if model.tells_faces else _COLUMNS
        table = catalog.arrow([*columns, "vector"])
        if not table.num_rows:
            raise DoppelgramError(f"{catalog.location}: this catalog is empty; index images into it first")
        self._catalog = catalog
        self._gallery = Gallery(table, model.dim)
        self.model = model
        self._face = catalog.face
        self.space = model.space.adapted(self._gallery.vectors)
        self._index = self.space.index(self._gallery.vectors, self._gallery)

    def __len__(self) -> int:
        """How many images, or faces, there are to be found."""
        return len(self._gallery)

    @property
    def ids(self) -> list[str]:
        """The rows' ids in the order of `positions`."""
        return self._gallery.ids

    def rows_of(self, ids: Iterable[str]) -> NDArray[np.bool_]:
        """Which rows (n,) have one of these ids, in the order of `ids`."""
        return self._gallery.among(ids)

    @cached_property
    def _background(self) -> Background | None:
        """How near any two images are; None where labels tell what is alike."""
        if self._gallery.labelled or len(self) < 2:
            return None
        return background(self.space, self._gallery.vectors)

    def vector(self, position: int) -> Float32:
        """The embedding (1, dim) of the row at a position."""
        return self._index.gallery[position : position + 1]

    def nearest(
        self,
        vectors: Float32,
        k: int,
        *,
        by: str = "",
        mix: float | None = None,
        own: Sequence[str] | None = None,
        allowed: NDArray[np.bool_] | None = None,
    ) -> list[list[Match]]:
        """The k nearest rows of each vector, nearest first.

        Args:
            vectors: (q, dim), by the model that fills the catalog.
            k: 1 or more.
            by: one part of the model's space to rank by; by default everything together.
            mix: what ranks instead, from 0, the pose alone, to 1, the place alone; 0.5 weighs both as the model does.
            own: digest of each vector's file, which is not to be found.
            allowed: rows (n,) that may be found, in the order of `ids`; all by default.

        Raises:
            DoppelgramError: k is below 1, or the space has no such part.
        """
        left_out = () if allowed is None else np.flatnonzero(~allowed)
        few = min(k, len(self))
        found = self._index.nearest(vectors, few, query_ids=own, by=by, mix=mix, left_out=left_out)
        return [matches_of(self._gallery, found, row, self._background) for row in range(len(vectors))]

    def answers(
        self, vectors: Float32, k: int, by: str, own: Sequence[str] | None, where: Where | None
    ) -> list[list[Match]]:
        allowed = None if where is None else self.rows_of(where.ids(self._catalog))
        return self.nearest(vectors, k, by=by, own=own, allowed=allowed)
