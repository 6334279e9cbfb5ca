"""Time and memory of leave-one-out retrieval metrics, ours beside pytorch-metric-learning's.

Usage: python benchmarks/evaluation.py [--rows 50000 --dim 64 --classes 500]

Both compute precision at 1, R-precision and MAP@R of the same embeddings on the same cores, each in a process of its
own, so that neither's memory is counted for the other. The peer runs as leniently as it can be set up: only the
three metrics, no faiss, distances in batches, and only as many neighbours as the largest class needs (its default is
all of them).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from common import in_subprocess, machine, machine_line, write


def embeddings(rows: int, dim: int, classes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Gaussian clusters of about equal size, on the unit sphere, overlapping enough to be hard."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, rows)
    x = rng.normal(size=(classes, dim))[labels] + 1.5 * rng.normal(size=(rows, dim))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32), labels


def peak_mb() -> float | None:
    """Peak resident memory of this process; None where the system does not tell."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)


def ours(x: np.ndarray, y: np.ndarray) -> dict[str, float]:
    from doppelgram.evaluation.ranking import rank
    from doppelgram.evaluation.setting import make_setting

    ranking = rank(make_setting(x, y), knn=0)
    counted = ranking.relevant > 0
    return {
        "precision_at_1": float((ranking.first[counted] == 1).mean()),
        "r_precision": float(ranking.r_precision[counted].mean()),
        "map_at_r": float(ranking.average_precision[counted].mean()),
    }


def peer(x: np.ndarray, y: np.ndarray, batch: int = 1024) -> dict[str, float]:
    import torch
    from pytorch_metric_learning.distances import LpDistance
    from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
    from pytorch_metric_learning.utils.inference import CustomKNN

    calculator = AccuracyCalculator(
        include=("precision_at_1", "r_precision", "mean_average_precision_at_r"),
        k="max_bin_count",
        device=torch.device("cpu"),
        knn_func=CustomKNN(LpDistance(normalize_embeddings=False), batch_size=batch),
        kmeans_func=object(),  # not called for these metrics; the default would ask for faiss
    )
    found = calculator.get_accuracy(x, y)
    return {name.replace("mean_average_precision", "map"): float(value) for name, value in found.items()}


def measure(which: str, rows: int, dim: int, classes: int, repeats: int) -> dict[str, object]:
    """Run one side in this process: the shortest of several runs, after a small one that loads what it needs."""
    run = {"ours": ours, "peer": peer}[which]
    run(*embeddings(256, dim, 8))
    x, y = embeddings(rows, dim, classes)
    before = peak_mb()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        values = run(x, y)
        seconds.append(time.perf_counter() - start)
    return {"seconds": min(seconds), "all_seconds": seconds, "peak_mb": peak_mb(), "before_mb": before, **values}


def measured(which: str, rows: int, options: argparse.Namespace) -> dict[str, object] | str:
    """Measure in a fresh process; the reason, in words, if that did not work out."""
    arguments = {"measure": which, "rows": rows, "dim": options.dim, "repeats": options.repeats}
    arguments["classes"] = max(1, options.classes * rows // options.rows)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "result.json"
        return in_subprocess(__file__, arguments, out, options.limit * options.repeats)


def table(report: dict[str, object]) -> str:
    lines = [
        "| rows | who | seconds | peak memory | P@1 | R-precision | MAP@R |",
        "|---:|---|---:|---:|---:|---:|---:|",
    ]
    for entry in report["runs"]:
        if "failed" in entry:
            lines.append(f"| {entry['rows']:,} | {entry['who']} | {entry['failed']} | | | | |")
            continue
        peak = f"{entry['peak_mb']:,.0f} MB" if entry["peak_mb"] else "?"
        scores = " | ".join(f"{entry[name]:.4f}" for name in ("precision_at_1", "r_precision", "map_at_r"))
        lines.append(f"| {entry['rows']:,} | {entry['who']} | {entry['seconds']:.2f} | {peak} | {scores} |")
    ratio = report["ratio"]
    said = (
        f"Ours takes {ratio:.2f} of the peer's time at {report['compared_at']:,} rows." if ratio else "No comparison."
    )
    what = f"{report['dim']} dimensions, {report['classes']} classes, leave-one-out."
    return "\n".join(["# Retrieval metrics", "", what, "", *lines, "", said, "", machine_line(report["machine"])])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--classes", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--limit", type=float, default=600, help="seconds one run may take")
    parser.add_argument("--measure", choices=["ours", "peer"], help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        result = measure(options.measure, options.rows, options.dim, options.classes, options.repeats)
        options.out.write_text(json.dumps(result))
        return
    runs: list[dict[str, object]] = []
    report = {
        "dim": options.dim,
        "classes": options.classes,
        "machine": machine("numpy", "pytorch-metric-learning"),
        "runs": runs,
    }
    report |= {"ratio": None, "compared_at": None}
    rows = options.rows
    while True:
        found = {}
        for who in ("ours", "peer"):
            answer = measured(who, rows, options)
            found[who] = answer
            runs.append({"who": who, "rows": rows, **({"failed": answer} if isinstance(answer, str) else answer)})
            print(f"{who}, {rows:,} rows: {answer}", flush=True)
        if not any(isinstance(answer, str) for answer in found.values()):
            report |= {"ratio": found["ours"]["seconds"] / found["peer"]["seconds"], "compared_at": rows}
            break
        if rows < 2000:
            break
        rows //= 2
    write("evaluation", report, table(report))


if __name__ == "__main__":
    main()
