"""How fast a catalog is filled: one process, processes of this machine, and workers of Ray.

Usage: python benchmarks/cluster.py --data DIR [--images 1200] [--model things] [--weights DIR]

Each way runs in a process of its own on the same photographs, the first ``--images`` of the folder, with a new catalog.
A rate is photographs a second once all workers are at work: the first quarter of the photographs is left out, and so is
loading the model. One worker has one processor, to which it is bound. What a cluster adds to the plain command is the
rate of one Ray worker beside that of the plain command on one processor. The costs that grow with the files in the one
process that plans and commits are measured with made-up files.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from common import in_subprocess, machine, machine_line, write

WAYS = (("plain", 1), ("plain", 0), ("local", 2), ("ray", 1), ("ray", 2))
PARTS = 64  # files in a part, so that there are enough of them
MADE_UP = 100_000


def fill(options: argparse.Namespace) -> dict[str, Any]:
    """Fill a catalog one way."""
    if options.way == "plain" and options.workers and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.workers])
    import torch

    from doppelgram.catalog.index import index_collection
    from doppelgram.catalog.store import Catalog
    from doppelgram.dataset.read import read_collection
    from doppelgram.models.bundle import load_model
    from doppelgram.scale import plan
    from doppelgram.scale.choose import chosen_means
    from doppelgram.scale.index import index_in_parts

    plan.SMALLEST = PARTS
    weights = options.weights or None
    collection = read_collection(Path(options.data))
    collection = collection.take(range(min(options.images, len(collection))))
    for path in collection.paths:
        path.read_bytes()  # disks are not what is measured
    moments: list[tuple[float, int]] = []

    def advance(files: int) -> None:
        moments.append((time.perf_counter(), files))

    with tempfile.TemporaryDirectory(prefix="cluster-") as name:
        folder = Path(name) / "catalog"
        model = load_model(options.model, weights=weights)
        catalog = Catalog.open_or_create(folder, model, options.model)
        start = time.perf_counter()
        if options.way == "plain":
            torch.set_num_threads(options.workers or len(os.sched_getaffinity(0)))
            index_collection(collection, model, catalog, progress=advance)
        else:
            means = chosen_means(len(collection), options.way, workers=options.workers, weights=weights)
            assert means is not None
            index_in_parts(collection, catalog, means, progress=advance)
        seconds = time.perf_counter() - start
        size = sum(file.stat().st_size for file in (folder / "vectors").rglob("*") if file.is_file())
        rows = len(catalog)
    first = max(len(collection) // 4, PARTS * options.workers)  # files until all workers are at work
    files = begun = 0
    since = moments[0][0]
    for moment, count in moments:
        files += count
        if files <= first:
            begun, since = files, moment
    return {
        "way": options.way,
        "workers": options.workers,
        "images": len(collection),
        "rate": (files - begun) / (moments[-1][0] - since),
        "seconds": seconds,
        "bytes_a_row": size / rows,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
        "worker_megabytes": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e3,
    }


def plan_costs() -> dict[str, Any]:
    """Seconds and bytes of memory for each file in the process that plans."""
    from doppelgram.catalog.rows import Entry
    from doppelgram.images.report import FileOutcome
    from doppelgram.scale.digests import Digests
    from doppelgram.scale.plan import Plans, Request
    from doppelgram.scale.write_once import WriteOnceStore

    with tempfile.TemporaryDirectory(prefix="cluster-") as name:
        before, start = memory(), time.perf_counter()
        entries = [
            Entry("", f"{name}/folder {number // 500}/{number:08}.jpg", str(number)) for number in range(MADE_UP)
        ]
        request = Request(entries, {"model": "none"})
        plan = Plans(WriteOnceStore(name)).make(request, Digests())
        kept = [(FileOutcome(entry.path, "ok"), f"{number:064x}") for number, entry in enumerate(entries)]
        seconds = time.perf_counter() - start
        used = memory() - before
    facts = {"files": len(kept), "parts": len(request.parts), "request": plan.request == request.key}
    return facts | {"seconds": seconds, "bytes_a_file": used / MADE_UP}


def memory() -> int:
    """Bytes of memory that this process has now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def table(report: dict[str, Any]) -> str:
    lines = [
        "| way | workers | photographs a second | seconds with start and end | memory of the driver | of a worker |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for one in report["ways"]:
        workers = one["workers"] or "all processors"
        worker = f"{one['worker_megabytes']:.0f} MB" if one["way"] == "local" else ""
        lines.append(
            f"| {one['way']} | {workers} | {one['rate']:.1f} | {one['seconds']:.1f} | {one['megabytes']:.0f} MB | "
            f"{worker} |"
        )
    plan, row = report["plan"], report["ways"][0]["bytes_a_row"]
    said = (
        f"Two workers of Ray against one: {report['two_to_one']:.2f} times the rate. One worker of Ray has "
        f"{report['to_plain']:.2f} times the rate of the plain command on one processor. A row takes {row:.0f} bytes. "
        f"Planning takes {1e6 * plan['seconds'] / plan['files']:.0f} s and {plan['bytes_a_file'] / 1e3:.1f} GB for a "
        "million files."
    )
    return "\n".join(
        ["# Filling a catalog by several workers", "", *lines, "", said, "", machine_line(report["machine"])]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder of photographs")
    parser.add_argument("--images", type=int, default=1200)
    parser.add_argument("--model", default="things")
    parser.add_argument("--weights", default=os.environ.get("DOPPELGRAM_WEIGHTS", ""))
    for hidden in ("--way", "--out"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    parser.add_argument("--workers", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        found = plan_costs() if options.way == "plan" else fill(options)
        Path(options.out).write_text(json.dumps(found), encoding="utf-8")
        return
    facts = machine("ray", "pylance")
    given = {name: getattr(options, name) for name in ("data", "images", "model", "weights")}
    report: dict[str, Any] = {"ways": [], "machine": facts, "model": options.model}
    with tempfile.TemporaryDirectory() as folder:
        for way, workers in (*WAYS, ("plan", 0)):
            out = Path(folder) / f"{way}-{workers}.json"
            found = in_subprocess(__file__, given | {"way": way, "workers": workers}, out, 300)
            if isinstance(found, str):
                raise SystemExit(f"{way}, {workers} workers: {found}")
            print(found, file=sys.stderr)
            if way == "plan":
                report["plan"] = found
            else:
                report["ways"].append(found)
    rate = {(one["way"], one["workers"]): one["rate"] for one in report["ways"]}
    report["two_to_one"] = rate["ray", 2] / rate["ray", 1]
    report["to_plain"] = rate["ray", 1] / rate["plain", 1]
    write("cluster", report, table(report))


if __name__ == "__main__":
    main()
