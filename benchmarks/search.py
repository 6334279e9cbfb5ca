"""Search among a million embeddings: exact and by index, beside a bare matrix product and other libraries.

Usage: python benchmarks/search.py --photographs lfw landmarks [--rows 1000000] [--graph-rows 100000] [--cache DIR]

Vectors are real ones, repeated with noise (see real_vectors.py); queries are made the same way and are in no index.
Faiss, usearch and hnswlib get the same vectors in memory. Graphs take minutes to build for a million rows, so that
usearch and hnswlib get fewer (--graph-rows), and so does our index beside them. A time of one query is the median of
100; opening is in a process of its own, after imports.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from common import machine, machine_line, write
from real_vectors import DIM, more_rows, real_vectors

K = 10


def seconds_each(ask: Callable[[np.ndarray], Any], queries: np.ndarray) -> float:
    """Median seconds of one query."""
    times = []
    for row in range(100):
        started = time.perf_counter()
        ask(queries[row : row + 1])
        times.append(time.perf_counter() - started)
    return float(np.median(times))


def seconds_in_batch(ask: Callable[[np.ndarray], Any], queries: np.ndarray) -> float:
    """Seconds a query of all of them at once, the better of two tries."""
    best = np.inf
    for _ in range(2):
        started = time.perf_counter()
        ask(queries)
        best = min(best, (time.perf_counter() - started) / len(queries))
    return float(best)


def recall(found: np.ndarray, truth: np.ndarray) -> float:
    return float(np.mean([len(set(a) & set(b)) for a, b in zip(found.tolist(), truth.tolist(), strict=True)]) / K)


def measured(name: str, ask: Callable[[np.ndarray], np.ndarray], queries: np.ndarray, truth: np.ndarray, **more: Any):
    row = {
        "search": name,
        "one_ms": 1000 * seconds_each(ask, queries),
        "batch_ms": 1000 * seconds_in_batch(ask, queries),
        "recall": recall(ask(queries), truth),
        **more,
    }
    print({key: value if isinstance(value, str) else round(value, 3) for key, value in row.items()}, file=sys.stderr)
    return row


def exact_rows(gallery: np.ndarray, queries: np.ndarray) -> tuple[list[dict[str, Any]], np.ndarray]:
    """Ours, the bare product of the same bytes, and faiss."""
    import faiss

    from doppelgram.space.euclidean import EuclideanSpace
    from doppelgram.space.exact import block_rows

    started = time.perf_counter()
    index = EuclideanSpace(DIM).index(gallery)
    built = time.perf_counter() - started
    truth = index.nearest(queries, K).positions
    buffer = np.empty((block_rows(len(gallery)), len(gallery)), dtype=np.float32)

    def product(some: np.ndarray) -> np.ndarray:
        for start in range(0, len(some), len(buffer)):
            part = some[start : start + len(buffer)]
            np.matmul(part, gallery.T, out=buffer[: len(part)])
        return truth[: len(some)]

    flat = faiss.IndexFlatL2(DIM)
    flat.add(gallery)
    rows = [
        measured("bare matrix product", product, queries, truth, build_s=0.0),
        measured("exact", lambda some: index.nearest(some, K).positions, queries, truth, build_s=built),
        measured("faiss Flat", lambda some: flat.search(some, K)[1], queries, truth, build_s=0.0),
    ]
    return rows, truth


def faiss_ivf(gallery: np.ndarray, queries: np.ndarray, truth: np.ndarray) -> dict[str, Any]:
    import faiss

    started = time.perf_counter()
    lists = round(len(gallery) ** 0.5)
    index = faiss.IndexIVFFlat(faiss.IndexFlatL2(DIM), DIM, lists)
    index.train(gallery[: 64 * lists])
    index.add(gallery)
    index.nprobe = min(50, lists)
    built = time.perf_counter() - started
    return measured("faiss IVF, 50 lists", lambda some: index.search(some, K)[1], queries, truth, build_s=built)


def graphs(gallery: np.ndarray, queries: np.ndarray, truth: np.ndarray) -> list[dict[str, Any]]:
    import hnswlib
    from usearch.index import Index

    threads = len(os.sched_getaffinity(0))
    started = time.perf_counter()
    first = hnswlib.Index(space="l2", dim=DIM)
    first.init_index(max_elements=len(gallery), ef_construction=100, M=16)
    first.add_items(gallery, num_threads=threads)
    first.set_ef(100)
    built = time.perf_counter() - started
    rows = [measured("hnswlib", lambda some: first.knn_query(some, k=K)[0], queries, truth, build_s=built)]
    started = time.perf_counter()
    second = Index(ndim=DIM, metric="l2sq", connectivity=16, expansion_add=100, expansion_search=100)
    second.add(np.arange(len(gallery)), gallery, threads=threads)
    built = time.perf_counter() - started

    def ask(some: np.ndarray) -> np.ndarray:
        return second.search(some, K, threads=threads).keys.reshape(len(some), K)

    return [*rows, measured("usearch", ask, queries, truth, build_s=built)]


def catalog_of(gallery: np.ndarray, folder: Path) -> list[str]:
    """A catalog with these vectors and made-up names; returns the ids."""
    import pyarrow as pa
    import torch

    from doppelgram.catalog.store import Catalog
    from doppelgram.images.framing import Framing
    from doppelgram.models.backbones.registry import SmallNet
    from doppelgram.models.model import Model
    from doppelgram.models.networks.embedding import EmbeddingHead, EmbeddingNetwork
    from doppelgram.models.towers import ImageTower

    torch.manual_seed(0)
    backbone = SmallNet(width=4)
    network = EmbeddingNetwork(backbone, EmbeddingHead(backbone.dim, DIM))
    model = Model(ImageTower(network, Framing(32)), None).save(folder / "model")
    catalog = Catalog.create(folder / "catalog", model)
    rng = np.random.default_rng(5)
    ids: list[str] = []
    schema = catalog.table.schema
    for start in range(0, len(gallery), 100_000):
        part = gallery[start : start + 100_000]
        names = [rng.bytes(32).hex() for _ in part]
        numbers = range(start, start + len(part))
        columns = {field.name: pa.nulls(len(part), field.type) for field in schema} | {
            "id": pa.array(names),
            "path": pa.array([f"/home/somebody/photographs/2019/{n:07}.jpg" for n in numbers]),
            "name": pa.array([f"2019/{n:07}.jpg" for n in numbers]),
            "label": pa.array([f"place {n % 100}" for n in numbers]),
            "columns": pa.array(["{}"] * len(part)),
            "author": pa.array([""] * len(part)),
            "vector": pa.FixedSizeListArray.from_arrays(pa.array(part.ravel()), DIM),
        }
        catalog.table.add(pa.table(columns, schema=schema))
        ids += names
    return ids


def by_index(folder: Path, ids: list[str], queries: np.ndarray, truth: np.ndarray) -> dict[str, Any]:
    """Our index on disk."""
    from doppelgram.catalog.search.indexed import IndexedSearcher
    from doppelgram.catalog.search.vector_index import keep_index
    from doppelgram.catalog.store import Catalog
    from doppelgram.console import SilentProgress

    catalog = Catalog.open(folder / "catalog")
    started = time.perf_counter()
    index = keep_index(catalog.table, DIM, "ivf", SilentProgress())
    built = time.perf_counter() - started
    searcher = IndexedSearcher(catalog, catalog.load_model(), index)
    position = {one: row for row, one in enumerate(ids)}

    def ask(some: np.ndarray) -> np.ndarray:
        answers = searcher.answers(some, K, "", None, None)
        return np.array([[position[match.id] for match in answer] for answer in answers])

    name = f"index on disk ({index.kind}, {index.probes} lists)"
    return measured(name, ask, queries, truth, build_s=built, said_recall=index.recall)


def opening(folder: str, way: str) -> None:
    """In a process of its own: open a catalog and answer one query, after imports."""
    from doppelgram.catalog.search.indexed import Asked, IndexedSearcher, searcher_for
    from doppelgram.catalog.store import Catalog

    # Imports that happen at the first use of an engine are imports as well.
    with tempfile.TemporaryDirectory() as small:
        catalog_of(np.zeros((3, DIM), dtype=np.float32), Path(small))
        first = Catalog.open(Path(small) / "catalog")
        searcher_for(first, first.load_model(), Asked(1, K, way="exact")).answers(
            np.zeros((1, DIM), np.float32), 3, "", None, None
        )
    model = Catalog.open(folder).load_model()
    started = time.perf_counter()
    catalog = Catalog.open(folder)
    searcher = searcher_for(catalog, model, Asked(1, K, way=way))
    searcher.answers(np.zeros((1, DIM), dtype=np.float32), K, "", None, None)
    print(json.dumps([time.perf_counter() - started, "ivf" if isinstance(searcher, IndexedSearcher) else "exact"]))


def table(report: dict[str, Any]) -> str:
    lines = ["# Search among a million embeddings", ""]
    for title, rows in report["searches"].items():
        lines += [
            f"{title}, {K} nearest:",
            "",
            "| search | one query | a query of 200 at once | recall@10 | build |",
            "|---|---:|---:|---:|---:|",
        ]
        lines += [
            f"| {row['search']} | {row['one_ms']:.2f} ms | {row['batch_ms']:.2f} ms | {row['recall']:.4f} | "
            f"{row['build_s']:.1f} s |"
            for row in rows
        ]
        lines.append("")
    lines.append(
        f"Opening a catalog of {report['rows']:,} and answering one query, after imports: "
        f"{report['opening']['exact']:.2f} s with all vectors in memory, {report['opening']['ivf']:.2f} s by the index."
        f" By default (`--index auto`) one photograph is searched "
        f"{'by the index' if report['by_default'] == 'ivf' else 'with all vectors in memory'}: what was measured when "
        "the index was made says which is sooner."
    )
    one = {row["search"]: row for row in report["searches"][f"{report['rows']:,} rows"]}
    bare, ours = one["bare matrix product"], one["exact"]
    lines += [
        "",
        f"Exact search takes {ours['one_ms'] / bare['one_ms']:.2f} times the bare product for one query and "
        f"{ours['batch_ms'] / bare['batch_ms']:.2f} times at once; what limits is reading the vectors.",
        "",
        f"{report['real']:,} real photographs, repeated with noise.",
        "",
        machine_line(report["machine"]),
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photographs", type=Path, nargs="+", default=[])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--graph-rows", type=int, default=100_000)
    parser.add_argument("--cache", type=Path, default=Path("search_cache"))
    parser.add_argument("--opening", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.opening:
        opening(*options.opening)
        return
    facts = machine("faiss-cpu", "usearch", "hnswlib", "lancedb", "numpy")
    real = real_vectors(options.photographs, options.cache)
    gallery = more_rows(real, options.rows, 0)
    queries = more_rows(real, 200, 1)
    searches: dict[str, list[dict[str, Any]]] = {}
    rows, truth = exact_rows(gallery, queries)
    rows.append(faiss_ivf(gallery, queries, truth))
    times = {}
    with tempfile.TemporaryDirectory(dir=options.cache) as folder:
        ids = catalog_of(gallery, Path(folder))
        rows.append(by_index(Path(folder), ids, queries, truth))
        for way in ("exact", "ivf", "auto"):
            command = [sys.executable, __file__, "--opening", str(Path(folder) / "catalog"), way]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            times[way], taken = json.loads(done.stdout.splitlines()[-1])
    searches[f"{options.rows:,} rows"] = rows
    few = gallery[: options.graph_rows]
    rows, truth = exact_rows(few, queries)
    rows += [faiss_ivf(few, queries, truth), *graphs(few, queries, truth)]
    with tempfile.TemporaryDirectory(dir=options.cache) as folder:
        rows.append(by_index(Path(folder), catalog_of(few, Path(folder)), queries, truth))
    if options.graph_rows != options.rows:
        searches[f"{options.graph_rows:,} rows"] = rows
    report = {
        "rows": options.rows,
        "real": len(real),
        "searches": searches,
        "opening": times,
        "by_default": taken,
        "machine": facts,
    }
    write("search", report, table(report))


if __name__ == "__main__":
    main()
