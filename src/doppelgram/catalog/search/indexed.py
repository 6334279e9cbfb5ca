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
# Questions that the engine gets at a time.
_AT_ONCE = 256
# Questions with a condition up to which it is quicker to compare the rows that fulfil it on disk than to read all rows.
_FEW = 32
# Rows of which pairs are drawn to say how near any two images are.
_BACKGROUND_ROWS = 2_000


class Indexed(Searchable, Protocol):
    """What a search by index needs of a catalog."""

    as_of: int | None

    @property
    def table(self) -> Any:
        """The LanceDB table of its rows."""


class IndexedSearcher(PhotographSearch):
    """A catalog's index and the model that made its vectors.

    Vectors stay on disk. Answers are those of `Searcher`, distances and probabilities included, but for the few that
    the index misses (`VectorIndex.recall`). With a condition, the rows that fulfil it are compared one by one, and
    nothing is missed. Every search sees the catalog as it is then.

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
        self._location, self._moves = catalog.location, catalog.as_of is None
        self._opened: Any = None
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
        found: list[list[Match]] = []
        with plain_errors(self._location, "read"):
            dataset = self._dataset()
            if where and not dataset.count_rows(filter=condition):
                raise where.unfulfilled()
            for start in range(0, len(vectors), _AT_ONCE):
                part = vectors[start : start + _AT_ONCE]
                names = [""] * len(part) if own is None else own[start : start + _AT_ONCE]
                found += self._found(dataset, part, k, names, condition)
        return found

    def _dataset(self) -> Any:
        """The rows as Lance has them, of the latest commit unless the catalog is open as it was once.

        LanceDB's own way to a query takes twice the time of the search itself.
        """
        if self._opened is None:
            self._opened = self._table.to_lance()
        elif self._moves and (latest := self._opened.latest_version) != self._opened.version:
            self._opened = self._opened.checkout_version(latest)
        return self._opened

    def _found(self, dataset: Any, vectors: Float32, k: int, own: Sequence[str], condition: str) -> list[list[Match]]:
        matches: list[list[Match]] = [[]] * len(vectors)
        left, wanted = list(range(len(vectors))), k + _SPARE
        while left:
            some = candidates(dataset, self._index, vectors[left], wanted, self._columns, condition)
            open_ones = []
            for row, rows in zip(left, some, strict=True):
                gallery = Gallery(rows, self.space.dim)
                names = None if not own[row] else [own[row]]
                found = self.space.index(gallery.vectors, gallery).nearest(vectors[row][None], k + 1, query_ids=names)
                # Of several rows at the last distance those with the smallest ids are the answer, so all are needed.
                settled = found.positions[0, -1] >= 0 and found.distances[0, -2] < found.distances[0, -1]
                if settled or len(gallery) < wanted or wanted > 64 * (k + _SPARE):
                    matches[row] = matches_of(gallery, found, 0, self._background)[:k]
                else:
                    open_ones.append(row)
            left, wanted = open_ones, 4 * wanted
        return matches


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
    if index is not None and possible:
        cheaper = index.cheaper_for(asked.queries) if asked.where is None else asked.queries <= _FEW
        if asked.way == IVF or cheaper:
            return IndexedSearcher(catalog, model, index)
    return Searcher(catalog, model)
