"""The index of a catalog's vectors: that it finds what is there, when it is refused, and what makes it out of date."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from doppelgram.catalog.rows import EmbeddedImage, Entry
from doppelgram.catalog.search import vector_index
from doppelgram.catalog.search.indexed import Asked, IndexedSearcher, searcher_for
from doppelgram.catalog.search.searcher import Searcher
from doppelgram.catalog.search.vector_index import VectorIndex, index_of, keep_index, unindexed
from doppelgram.catalog.search.where import parse_where
from doppelgram.catalog.store import Catalog
from doppelgram.console import SilentProgress
from doppelgram.errors import DoppelgramError
from doppelgram.models.model import Model

N, DIM = 6_000, 8


def _rows(numbers: range, seed: int = 0) -> list[EmbeddedImage]:
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(99).standard_normal((40, DIM))
    vectors = centres[rng.integers(0, 40, len(numbers))] + 0.3 * rng.standard_normal((len(numbers), DIM))
    vectors[::50] = vectors[0]  # copies: equal distances
    return [
        EmbeddedImage(Entry(f"{n * 7919:064x}", f"/p/{n}.jpg", f"{n}.jpg", f"kind {n % 3}"), vector, b"")
        for n, vector in zip(numbers, vectors.astype(np.float32), strict=True)
    ]


@pytest.fixture
def filled(catalog: Catalog) -> Catalog:
    catalog.add(_rows(range(N)))
    return catalog


def _same(filled: Catalog, model: Model, index: VectorIndex) -> None:
    """What the index finds is what an exact search does, rank by rank."""
    exact, indexed = Searcher(filled, model), IndexedSearcher(filled, model, index)
    queries = filled.vectors()[:: len(filled) // 40]
    own = filled.rows(["id"])["id"][:: len(filled) // 40].tolist()
    assert indexed.answers(queries, 10, "", own, None) == exact.nearest(queries, 10, own=own)
    where = parse_where("label = 'kind 1' and name like '%' or id is null")
    assert where.engine is None
    where = parse_where("label = 'kind 1'")
    assert indexed.answers(queries, 10, "", None, where) == exact.answers(queries, 10, "", None, where)


@pytest.mark.slow
def test_answers_are_those_of_an_exact_search(filled: Catalog, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vector_index, "_PROBES", (77,))
    index = keep_index(filled.table, DIM, "ivf", SilentProgress())
    assert index is not None
    assert (index.kind, index.rows, index.recall) == ("IVF_FLAT", N, 1.0)
    assert index_of(Catalog.open(filled.folder).table) == index
    _same(filled, model, index)

    # Rows that came later are found, too, and those that went are not.
    filled.add(_rows(range(N, N + 200), seed=1))
    filled.remove([f"{n * 7919:064x}" for n in range(0, 400, 2)])
    assert index_of(filled.table) == index
    assert unindexed(filled.table) == 200
    _same(filled, model, index)

    # Joining pieces moves rows: the index has to know.
    filled.table.optimize()
    _same(filled, model, index)
    assert keep_index(filled.table, DIM, "exact", SilentProgress()) is None
    assert index_of(filled.table) is None


@pytest.mark.slow
def test_numbers_of_one_byte_are_measured_again(filled: Catalog, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vector_index, "_memory", lambda: N * DIM * 4)
    monkeypatch.setattr(vector_index, "_ROWS_AT_ONCE", 1000)
    index = keep_index(filled.table, DIM, "ivf", SilentProgress())
    assert index is not None
    assert index.kind == "IVF_SQ"
    assert index.recall >= 0.98
    query = filled.vectors()[1:2]
    found = IndexedSearcher(filled, model, index).answers(query, 5, "", None, None)
    assert found == Searcher(filled, model).nearest(query, 5)


@pytest.mark.slow
def test_an_index_that_misses_too_much_is_not_kept(filled: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vector_index, "_PROBES", (1,))
    with pytest.raises(DoppelgramError, match=r"finds \d\d\.\d% of the nearest"):
        keep_index(filled.table, DIM, "ivf", SilentProgress())
    assert index_of(filled.table) is None
    assert not filled.table.list_indices()
    monkeypatch.setattr(vector_index, "AUTO_FROM", 1)
    assert keep_index(filled.table, DIM, "auto", SilentProgress()) is None
    assert not filled.table.list_indices()


@pytest.mark.slow
def test_when_it_is_made_and_when_it_is_used(filled: Catalog, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    progress = SilentProgress()
    assert keep_index(filled.table, DIM, "auto", progress) is None
    assert not isinstance(searcher_for(filled, model, Asked(1, 5)), IndexedSearcher)
    with pytest.raises(DoppelgramError, match="no index"):
        searcher_for(filled, model, Asked(1, 5, way="ivf"))
    monkeypatch.setattr(vector_index, "AUTO_FROM", N * DIM)
    index = keep_index(filled.table, DIM, "auto", progress)
    assert index is not None
    assert isinstance(searcher_for(filled, model, Asked(1, 5, way="ivf")), IndexedSearcher)
    assert isinstance(searcher_for(filled, model, Asked(1, 5, way="exact")), Searcher)
    assert isinstance(searcher_for(filled, model, Asked(1, 500)), Searcher)
    with pytest.raises(DoppelgramError, match="at most 100 matches"):
        searcher_for(filled, model, Asked(1, 500, way="ivf"))
    with pytest.raises(DoppelgramError, match="conditions on"):
        searcher_for(filled, model, Asked(1, 5, where=parse_where("place = 'x'"), way="ivf"))
    with pytest.raises(DoppelgramError, match="auto, exact, ivf"):
        searcher_for(filled, model, Asked(1, 5, way="hnsw"))
    measured = VectorIndex("IVF_FLAT", N, 50, 1.0, opening=1.0, exact=0.001, indexed=0.003)
    assert measured.cheaper_for(1)
    assert not measured.cheaper_for(1000)
    # Too many rows since: it is not used, and made anew.
    filled.add(_rows(range(N, N + 900), seed=2))
    assert index_of(filled.table) is None
    again = keep_index(filled.table, DIM, "auto", progress)
    assert again is not None
    assert again.rows == N + 900
    assert unindexed(filled.table) == 0


@pytest.mark.slow
def test_a_condition_that_only_rows_far_away_fulfil(filled: Catalog, model: Model) -> None:
    index = keep_index(filled.table, DIM, "ivf", SilentProgress())
    assert index is not None
    assert index.probes < N**0.5
    rows, vectors = filled.snapshot(["id", "path"])
    far = np.argsort(((vectors - vectors[1]) ** 2).sum(1))[-30:]
    where = parse_where(f"path in ({', '.join(repr(path) for path in rows['path'][far])})")
    exact, indexed = Searcher(filled, model), IndexedSearcher(filled, model, index)
    found = indexed.answers(vectors[1:2], 10, "", None, where)
    assert len(found[0]) == 10
    assert found == exact.answers(vectors[1:2], 10, "", None, where)


@pytest.mark.slow
def test_more_lists_are_looked_through_for_more_answers(filled: Catalog, model: Model) -> None:
    index = keep_index(filled.table, DIM, "ivf", SilentProgress())
    assert index is not None
    few = replace(index, probes=6)
    queries = filled.vectors()[::60]
    exact, indexed = Searcher(filled, model).nearest(queries, 100), IndexedSearcher(filled, model, few)
    found = indexed.answers(queries, 100, "", None, None)
    hits = [len({one.id for one in a} & {one.id for one in b}) for a, b in zip(exact, found, strict=True)]
    assert (few.probes_for(10 + 8), few.probes_for(100 + 8)) == (6, 12)
    assert np.mean(hits) / 100 > 0.97


@pytest.mark.slow
def test_what_the_engine_complains_of_is_one_sentence(filled: Catalog, model: Model) -> None:
    index = keep_index(filled.table, DIM, "ivf", SilentProgress())
    assert index is not None
    searcher = IndexedSearcher(filled, model, index)
    for file in (filled.folder / "vectors").rglob("*.lance"):
        if file.is_file():
            file.unlink()
    with pytest.raises(DoppelgramError, match="catalog: the catalog cannot be read"):
        searcher.answers(np.zeros((1, DIM), np.float32), 5, "", None, None)


@pytest.mark.slow
def test_an_earlier_version_is_searched_by_its_own_index(filled: Catalog, model: Model) -> None:
    index = keep_index(filled.table, DIM, "ivf", SilentProgress())
    assert index is not None
    query, kept = filled.vectors()[7:8], filled.commit
    before = Searcher(filled, model).nearest(query, 5)
    filled.remove([before[0][0].id])
    old = Catalog.open(filled.folder, as_of=str(kept))
    searcher = searcher_for(old, model, Asked(1, 5, way="ivf"))
    for _ in range(2):
        assert searcher.answers(query, 5, "", None, None) == before
    assert searcher_for(filled, model, Asked(1, 5, way="ivf")).answers(query, 4, "", None, None) != before


def test_small_catalogs_need_none(catalog: Catalog, tmp_path: Path) -> None:
    catalog.add(_rows(range(20)))
    with pytest.raises(DoppelgramError, match="5,000 rows or more"):
        keep_index(catalog.table, DIM, "ivf", SilentProgress())
