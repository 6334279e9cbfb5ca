"""An index of a catalog's vectors, for catalogs that take long to be read into memory, and what was measured of it.

The index is Lance's inverted file: vectors in lists by their nearest centre, of which the nearest lists are looked
through. Vectors are kept whole (IVF_FLAT), or in one byte a number (IVF_SQ) where all of them do not fit into memory;
distances are by squared difference. What is found is measured again exactly, and rows that are new since the index was
made are searched one by one. Product quantisation and graphs were left aside for their recall: see docs/decisions.md.

After each making, the ten nearest of a hundred of the catalog's own rows are looked up exactly, and the index is kept
only if it finds 98 in a hundred of them.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from doppelgram.catalog.rows import matrix
from doppelgram.console import Progress
from doppelgram.errors import DoppelgramError
from doppelgram.space.euclidean import EuclideanSpace
from doppelgram.space.exact import Float32, Float64

AUTO, EXACT, IVF = WAYS = ("auto", "exact", "ivf")
# Numbers (rows times dimensions) from which on an index is made without being asked for: reading them takes seconds.
AUTO_FROM = 60_000_000
LEAST_RECALL = 0.98
# Recall of a sample from which on no more lists are tried: that of all rows may be a hundredth less.
_SURELY = 0.99
# Fewer rows than this are one list or two.
FEWEST = 5_000
# Share of rows that are not in the index, and so are searched one by one, from which on it is made anew.
_MOST_UNINDEXED = 0.1
_NAME, _FACTS = "vector_idx", "doppelgram.index"
_PROBES = (50, 100, 200, 400)
_MEASURED, _NEIGHBOURS = 100, 10
_ROWS_AT_ONCE = 250_000


@dataclass(frozen=True)
class VectorIndex:
    """An index and what was measured when it was made, on this machine.

    Attributes:
        kind: ``IVF_FLAT`` or ``IVF_SQ``.
        rows: in it.
        probes: lists that are looked through.
        recall: share of the ten nearest of a hundred rows that it finds.
        opening: seconds to read all vectors and prepare them for exact searches.
        exact: seconds of an exact search thereafter, of many at once.
        indexed: seconds of a search by the index, of many at once.
    """

    kind: str
    rows: int
    probes: int
    recall: float
    opening: float
    exact: float
    indexed: float

    def cheaper_for(self, queries: int) -> bool:
        """Whether so many queries take less time by the index than by opening everything and searching exactly."""
        return queries * self.indexed < self.opening + queries * self.exact

    def probes_for(self, count: int) -> int:
        """Lists to look through for so many rows: twice as many where more are wanted than recall was measured for."""
        return self.probes * (1 if count <= 2 * _NEIGHBOURS else 2)

    @property
    def spare(self) -> int:
        """How many times as many rows as wanted are measured again: bytes order less well than numbers."""
        return 4 if self.kind == "IVF_SQ" else 1


def index_of(table: Any) -> VectorIndex | None:
    """The index of a LanceDB table, if it has one that was measured and is not out of date."""
    found = _measured(table)
    if found is None or found.recall < LEAST_RECALL or not any(one.name == _NAME for one in table.list_indices()):
        return None
    return found if unindexed(table) <= _MOST_UNINDEXED * table.count_rows() else None


def _measured(table: Any) -> VectorIndex | None:
    """What was measured last, of an index that may have been refused since."""
    facts = (table.schema.field("vector").metadata or {}).get(_FACTS.encode())
    try:
        return VectorIndex(**json.loads(facts)) if facts else None
    except (ValueError, TypeError):
        return None


def unindexed(table: Any) -> int:
    """Rows that came after the index."""
    stats = table.index_stats(_NAME)
    return 0 if stats is None else int(stats.num_unindexed_rows)


def check_way(way: str, parts: Sequence[str]) -> None:
    """Refuse a way to search that there is not, or that a space with these parts does not have.

    Raises:
        DoppelgramError: see above.
    """
    if way not in WAYS:
        raise DoppelgramError(f"--index is '{way}'; it is {', '.join(WAYS)}")
    if way == IVF and parts:
        raise DoppelgramError("a model of places and poses searches all images; leave --index out")


def keep_index(table: Any, dim: int, way: str, progress: Progress) -> VectorIndex | None:
    """Make the index of a table where it is asked for, or where it is worth it; leave alone one that is up to date.

    Args:
        table: LanceDB table of a catalog.
        dim: size of its vectors.
        way: ``ivf``, ``exact`` for none, or ``auto``: one for catalogs that take seconds to be read.
        progress: where it is told.

    Raises:
        DoppelgramError: an index was asked for that cannot be made or misses too much.
    """
    there = any(one.name == _NAME for one in table.list_indices())
    rows = int(table.count_rows())
    if way == IVF and rows < FEWEST:
        raise DoppelgramError(f"--index ivf needs {FEWEST:,} rows or more, and there are {rows:,}; leave it out")
    if way == EXACT or rows < FEWEST:
        if there:
            table.drop_index(_NAME)
        return None
    found = index_of(table)
    if found is not None and (way == AUTO or not unindexed(table)):
        return found
    last = _measured(table)
    refused = last is not None and last.recall < LEAST_RECALL and rows <= (1 + _MOST_UNINDEXED) * last.rows
    if way == AUTO and not there and (rows * dim < AUTO_FROM or refused):
        return None
    with progress.bar(f"making an index of {rows:,} vectors", 0):
        found = make_index(table, dim)
    if found.recall < LEAST_RECALL:
        table.drop_index(_NAME)
        said = f"the index finds {found.recall:.1%} of the nearest images, so it is not used and all are searched"
        if way == IVF:
            raise DoppelgramError(f"{said}; leave --index out")
        progress.warning(said)
        return None
    progress.note(
        f"Index of {rows:,} vectors ({found.kind}, {found.probes} lists looked through): finds {found.recall:.1%} of "
        f"the ten nearest of {_MEASURED} images, in {1000 * found.indexed:.1f} ms each; all vectors take "
        f"{found.opening:.1f} s to be read, then {1000 * found.exact:.1f} ms."
    )
    return found


def make_index(table: Any, dim: int) -> VectorIndex:
    """Make the index of a table anew and measure it; whoever calls decides whether it is good enough.

    Memory holds one part of the vectors at a time.
    """
    from lancedb.index import IvfFlat, IvfSq

    rows = int(table.count_rows())
    kind, config = ("IVF_FLAT", IvfFlat) if rows * dim * 4 < _memory() / 2 else ("IVF_SQ", IvfSq)
    lists = max(1, round(rows**0.5))
    # What was measured of the last one is not said of this one, should this end before it is measured.
    table.replace_field_metadata("vector", {})
    table.create_index("vector", config=config(distance_type="l2", num_partitions=lists), name=_NAME, replace=True)
    offsets = np.unique(np.linspace(0, rows - 1, _MEASURED).astype(np.int64))
    some = table.take_offsets(offsets.tolist()).select(["id", "vector"]).to_arrow()
    queries, names = matrix(some, dim), some["id"].to_pylist()
    reach, opening, exact = _exact_reach(table, queries, dim)
    space = EuclideanSpace(dim)
    dataset = table.to_lance()
    for probes in _PROBES:
        trial = VectorIndex(kind, rows, probes, 0.0, opening, exact, 0.0)
        candidates(dataset, trial, queries, _NEIGHBOURS + 1)  # what is read for the first time takes longer
        started = time.perf_counter()
        near = candidates(dataset, trial, queries, _NEIGHBOURS + 1)
        seconds = (time.perf_counter() - started) / len(queries)
        hits = [
            np.count_nonzero(
                space.index(matrix(part, dim), part["id"].to_pylist())
                .nearest(queries[row : row + 1], _NEIGHBOURS, query_ids=names[row : row + 1])
                .distances
                <= reach[row]
            )
            for row, part in enumerate(near)
        ]
        recall = float(np.mean(hits) / _NEIGHBOURS)
        found = VectorIndex(kind, rows, probes, recall, opening, exact, seconds)
        if recall >= _SURELY or probes >= lists:
            break
    table.replace_field_metadata("vector", {_FACTS: json.dumps(asdict(found))})
    return found


def candidates(
    dataset: Any, index: VectorIndex, queries: Float32, count: int, columns: Sequence[str] = (), where: str = ""
) -> list[Any]:
    """About the nearest rows of each query, to be measured exactly.

    Args:
        dataset: a catalog's rows as Lance has them.
        index: of these.
        queries: (q, dim).
        count: rows wanted; more are given where the index knows distances only roughly, fewer where there are fewer.
        columns: to be read, besides id and vector.
        where: condition for the engine; the rows that fulfil it are compared one by one, without the index.

    Returns:
        An Arrow table for each query.
    """
    if not len(queries):
        return []
    nearest = {"column": "vector", "metric": "l2", "k": count * index.spare, "q": queries}
    # The lists nearest to a query may hold few of the rows that are allowed, or none.
    nearest |= {"use_index": False} if where else {"nprobes": index.probes_for(count)}
    read = [*dict.fromkeys(["id", *columns, "vector"]), "_distance"]
    found = dataset.scanner(nearest=nearest, columns=read, filter=where or None, prefilter=True).to_table()
    of = found["query_index"].to_numpy()
    order = np.argsort(of, kind="stable")
    ends = np.searchsorted(of[order], np.arange(1, len(queries)))
    found = found.drop_columns(["query_index", "_distance"])
    return [found.take(rows) for rows in np.split(order, ends)]


def _exact_reach(table: Any, queries: Float32, dim: int) -> tuple[Float64, float, float]:
    """The distance of the tenth nearest other row of each query, and the seconds of reading and of searching.

    All rows are read, a part at a time.
    """
    best = np.full((len(queries), _NEIGHBOURS + 1), np.inf)
    opening = exact = 0.0
    space, started = EuclideanSpace(dim), time.perf_counter()
    for part in _parts(table, dim):
        prepared = space.index(part)
        opening, started = opening + time.perf_counter() - started, time.perf_counter()
        found = prepared.nearest(queries, _NEIGHBOURS + 1).distances
        best = np.sort(np.hstack([best, found]), axis=1)[:, : _NEIGHBOURS + 1]
        exact, started = exact + time.perf_counter() - started, time.perf_counter()
    return best[:, -1], opening, exact / len(queries)


def _parts(table: Any, dim: int) -> Iterator[Float32]:
    held: list[Any] = []
    for batch in table.search().select(["vector"]).to_batches():
        held.append(batch.column("vector").flatten().to_numpy().reshape(-1, dim))
        if sum(map(len, held)) >= _ROWS_AT_ONCE:
            yield np.concatenate(held)
            held = []
    if held:
        yield np.concatenate(held)


def _memory() -> int:
    """Bytes of memory of this machine."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 8 << 30
