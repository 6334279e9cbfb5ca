"""Search by the index of a catalog's vectors: nothing is read but what is found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from doppelgram.catalog.folder import plain_errors
from doppelgram.catalog.rows import matrix
from doppelgram.catalog.search.gallery import Gallery
from doppelgram.catalog.search.photographs import Match, PhotographSearch, matches_of
from doppelgram.catalog.search.searcher import Searchable, Searcher
from doppelgram.catalog.search.vector_index import AUTO, EXACT, IVF, VectorIndex, candidates, check_way, index_of
from doppelgram.catalog.search.where import Where
from doppelgram.errors import DoppelgramError
from doppelgram.models.embedder import Embedder
from doppelgram.space.background import Background, background
from doppelgram.space.exact import Float32

# Recall was measured on the ten nearest; of many more it falls.
_MOST = 100
_SPARE = 8
# Rows of which pairs are drawn to say how near any two images are.
_BACKGROUND_ROWS = 2_000


class Indexed(Searchable, Protocol):
    """What a search by index needs of a catalog."""

    @property
    def table(self) -> Any:
        """The LanceDB table of its rows."""


class IndexedSearcher(PhotographSearch):
    """A catalog's index and the model that made its vectors.

    Vectors stay on disk. Answers are those of `Searcher`, distances and probabilities included, but for the few that
    the index misses (`VectorIndex.recall`). Every search sees the catalog as it is then.

    Args:
        catalog: where to search.
        model: the model that fills it, of a space without parts.
        index: of the catalog's table.

    Raises:
        DoppelgramError: the model is another.
    """

    def __init__(self, catalog: Indexed, model: Embedder, index: VectorIndex) -> None:
        catalog.require(model.fingerprint)
        self.model, self.space = model, model.space
        self._face, self._table, self._index = catalog.face, catalog.table, index
        self._where = catalog.location
        self._columns = ("path", "name", "label", *(("columns",) if model.tells_faces else ()))

    @cached_property
    def _background(self) -> Background | None:
        """How near any two images are; None where labels tell what is alike."""
        rows = self._table.count_rows()
        if rows < 2 or self._table.count_rows("label != ''"):
            return None
        some = np.random.default_rng(0).choice(rows, min(rows, _BACKGROUND_ROWS), replace=False)
        found = self._table.take_offsets(np.sort(some).tolist()).select(["vector"]).to_arrow()
        return background(self.space, matrix(found, self.space.dim))

    def answers(
        self, vectors: Float32, k: int, by: str, own: Sequence[str] | None, where: Where | None
    ) -> list[list[Match]]:
        condition = (where.engine or "") if where else ""
        with plain_errors(self._where, "read"):
            if where and not self._table.count_rows(condition):
                raise where.unfulfilled()
            return [
                self._matches(vector, k, "" if own is None else own[row], condition)
                for row, vector in enumerate(vectors)
            ]

    def _matches(self, vector: Float32, k: int, own: str, condition: str) -> list[Match]:
        wanted = k + _SPARE
        while True:
            rows = candidates(self._table, self._index, vector, wanted, self._columns, condition)
            gallery = Gallery(rows, self.space.dim)
            names = None if not own else [own]
            found = self.space.index(gallery.vectors, gallery).nearest(vector[None], k + 1, query_ids=names)
            # Of several rows at the last distance those with the smallest ids are the answer, so that all are needed.
            settled = found.positions[0, -1] >= 0 and found.distances[0, -2] < found.distances[0, -1]
            if settled or len(gallery) < wanted or wanted > 64 * (k + _SPARE):
                return matches_of(gallery, found, 0, self._background)[:k]
            wanted *= 4


@dataclass(frozen=True)
class Asked:
    """What is going to be asked of a catalog.

    Attributes:
        queries: how many photographs there are to ask with.
        k: matches wanted of each.
        by: part to rank by.
        where: condition on the rows.
        way: ``auto``, which goes by what was measured when the index was made; ``exact``; or ``ivf``.
    """

    queries: int
    k: int
    by: str = ""
    where: Where | None = None
    way: str = AUTO


def searcher_for(catalog: Indexed, model: Embedder, asked: Asked) -> PhotographSearch:
    """What answers soonest: everything in memory, or the index.

    Raises:
        DoppelgramError: there is no such way, or ``ivf`` is asked for where it cannot be used.
    """
    check_way(asked.way, model.space.parts)
    with plain_errors(catalog.location, "read"):
        index = None if asked.way == EXACT or model.space.parts else index_of(catalog.table)
    sayable = asked.where is None or asked.where.engine is not None
    possible = index is not None and asked.k <= _MOST and not asked.by and sayable
    if asked.way == IVF and not possible:
        if index is None:
            raise DoppelgramError("there is no index that is up to date; `doppelgram index --index ivf` makes one")
        raise DoppelgramError(
            f"--index ivf goes with at most {_MOST} matches, and with conditions on id, path, name, label, author and "
            "times; leave it out"
        )
    if index is not None and possible and (asked.way == IVF or index.cheaper_for(asked.queries)):
        return IndexedSearcher(catalog, model, index)
    return Searcher(catalog, model)
