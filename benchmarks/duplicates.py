"""All near copies among a million embeddings, beside faiss' range search.

Usage: python benchmarks/duplicates.py --photographs lfw landmarks [--rows 1000000] [--reach 0.25] [--cache DIR]

Vectors are real ones, repeated with noise (see real_vectors.py); one in twenty gets a copy that is 0.02 to 0.3 of the
usual distance away. All pairs within ``reach`` of it are looked for. The truth, and faiss' time, are of a sample of
rows: all of them would take it hours. Perceptual hashes are no part of this: for imagehash and imagededup beside
ours on a folder of photographs see peers/copies.py.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from common import machine, machine_line, write
from real_vectors import DIM, more_rows, real_vectors

SAMPLE = 1_000


def rows_with_copies(real: np.ndarray, rows: int) -> tuple[np.ndarray, float]:
    """The vectors, and the usual (median) distance of two of them."""
    from doppelgram.space.background import background
    from doppelgram.space.euclidean import EuclideanSpace

    vectors = more_rows(real, rows, 0)
    usual = float(np.median(background(EuclideanSpace(DIM), vectors).distances))
    rng = np.random.default_rng(2)
    count = rows // 20
    chosen = rng.permutation(rows)[: 2 * count]
    noise = rng.standard_normal((count, DIM))
    noise *= usual * rng.uniform(0.02, 0.3, (count, 1)) / np.linalg.norm(noise, axis=1, keepdims=True)
    vectors[chosen[:count]] = vectors[chosen[count:]] + noise
    return vectors, usual


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """In a process of its own, so that memory is of this alone."""
    from doppelgram.catalog.duplicates import Groups
    from doppelgram.space.close_pairs import close_pairs

    real = real_vectors(options.photographs, options.cache)
    vectors, usual = rows_with_copies(real, options.rows)
    reach = options.reach * usual
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started, used = time.perf_counter(), time.process_time()
    groups, pairs = Groups(len(vectors)), set()
    sample = np.unique(np.linspace(0, len(vectors) - 1, SAMPLE).astype(np.int64))
    sampled = np.zeros(len(vectors), dtype=bool)
    sampled[sample] = True
    found = 0
    for left, right, _ in close_pairs(vectors, reach):
        groups.add(left, right)
        found += len(left)
        here = sampled[left] | sampled[right]
        pairs |= {(min(a, b), max(a, b)) for a, b in zip(left[here].tolist(), right[here].tolist(), strict=True)}
    joined = groups.rows()
    seconds, processor = time.perf_counter() - started, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    import faiss

    flat = faiss.IndexFlatL2(DIM)
    flat.add(vectors)
    started = time.perf_counter()
    limits, _, there = flat.range_search(vectors[sample], reach * reach)
    faiss_seconds = (time.perf_counter() - started) / len(sample) * len(vectors)
    rows = np.repeat(sample, np.diff(limits).astype(np.int64))
    wide = np.linalg.norm(vectors[rows].astype(np.float64) - vectors[there], axis=1) <= reach
    truth = {(min(a, b), max(a, b)) for a, b in zip(rows[wide].tolist(), there[wide].tolist(), strict=True) if a != b}
    return {
        "rows": len(vectors),
        "real": len(real),
        "reach": options.reach,
        "seconds": seconds,
        "processor_seconds": processor,
        "gigabytes": peak / 1e6,
        "gigabytes_before": before / 1e6,
        "pairs": found,
        "groups": len(joined),
        "true_pairs_of_sample": len(truth),
        "recall": len(truth & pairs) / max(1, len(truth)),
        "faiss_seconds": faiss_seconds,
    }


def table(report: dict[str, Any]) -> str:
    run = report["run"]
    return "\n".join(
        [
            "# Near copies among many embeddings",
            "",
            "| search | time | peak memory | pairs of a sample found |",
            "|---|---:|---:|---:|",
            f"| close pairs, exact | {run['seconds']:.0f} s | {run['gigabytes']:.2f} GB | {run['recall']:.4f} |",
            f"| faiss Flat range search, from {SAMPLE:,} rows | {run['faiss_seconds']:.0f} s | | 1 |",
            "",
            f"{run['rows']:,} rows of {DIM} numbers from {run['real']:,} real photographs; all pairs up to "
            f"{run['reach']:g} of the usual distance: {run['pairs']:,} pairs in {run['groups']:,} groups, "
            f"{run['true_pairs_of_sample']:,} of them of the sample. Memory includes the vectors and what made them "
            f"({run['gigabytes_before']:.2f} GB before the search). What limits are the products of each row with the "
            "rows of the centres that it is near to.",
            "",
            machine_line(report["machine"]),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photographs", type=Path, nargs="+", default=[])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--reach", type=float, default=0.25)
    parser.add_argument("--cache", type=Path, default=Path("search_cache"))
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options)))
        return
    facts = machine("faiss-cpu", "numpy")
    real_vectors(options.photographs, options.cache)
    done = subprocess.run([sys.executable, *sys.argv, "--measure"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    report = {"run": json.loads(done.stdout.splitlines()[-1]), "machine": facts}
    write("duplicates", report, table(report))


if __name__ == "__main__":
    main()
