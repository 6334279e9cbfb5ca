"""Time and memory of tracing simulated posts with embeddings, from a thousand to a hundred thousand, or a million.

Usage: python benchmarks/rolemodels_scale.py [--sizes 1000 3000 10000 30000 100000] [--add 1000000]

`--add` measures further sizes and puts them among those that this kind of machine has measured already. A million posts
may take half an hour and 16 GB of memory.

Worlds grow as data sets do: places with the number of posts, 75 posts a place on average, popularity falling as
1 / rank^0.7, embeddings of 64 numbers each for place and pose. Each size runs in a process of its own, with default
settings (up to 10,000 shuffles of each arrangement, 200 of the whole clock, 200 bootstrap samples); making the world
and imports are not timed. Processor seconds are those of all threads together; on a machine that does much else at a
time they grow too, by half or more. The exponent is the slope of log processor seconds over log posts from 3,000 posts
on.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time

import numpy as np

from common import RESULTS, machine, machine_line, write

NAME = "rolemodels_scale"


def measure(size: int) -> dict[str, float]:
    from doppelgram.rolemodels.settings import TraceSettings
    from doppelgram.rolemodels.trace import trace_posts
    from doppelgram.rolemodels.validation.scores import adjusted_rand
    from doppelgram.rolemodels.validation.simulate import WorldSettings, simulate

    # Imports and the first call of each library do not count.
    small = simulate(WorldSettings(posts=200), seed=1)
    trace_posts(small.posts, small.vectors, small.space, TraceSettings(draws=19, bootstraps=5))
    # A tenth of the posts go missing.
    world = simulate(WorldSettings(posts=round(size / 0.9), places=max(8, size // 75)), seed=0, dim=64)
    start, used = time.perf_counter(), time.process_time()
    found = trace_posts(world.posts, world.vectors, world.space)
    seconds, processor = time.perf_counter() - start, time.process_time() - used
    named = found.role_models.set_index("path").loc[world.posts.path, "arrangement"].to_numpy(dtype=str)
    _, groups = np.unique(named, return_inverse=True)
    groups[named == ""] = -1
    return {
        "posts": len(world.posts),
        "seconds": seconds,
        "processor_seconds": processor,
        "gigabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e9 if sys.platform == "darwin" else 1e6),
        "matches": found.counts["matches"],
        "arrangements": found.counts["arrangements"],
        "rand": adjusted_rand(groups, world.arrangement),
    }


def exponent(runs: list[dict[str, float]], column: str) -> float | None:
    some = [run for run in runs if run["posts"] > 2500]
    if len(some) < 2:
        return None
    return float(np.polyfit(np.log([run["posts"] for run in some]), np.log([run[column] for run in some]), 1)[0])


def table(report: dict[str, object]) -> str:
    lines = [
        "| posts | seconds | processor seconds | peak memory | matches | arrangements | adjusted Rand index |",
        "|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for run in report["runs"]:
        lines.append(
            f"| {run['posts']:,} | {run['seconds']:.1f} | {run['processor_seconds']:.1f} | {run['gigabytes']:.2f} GB | "
            f"{run['matches']:,} | {run['arrangements']:,} | {run['rand']:.3f} |"
        )
    slope = report["exponent"]
    said = f"Processor seconds grow as posts to the power {slope:.2f}." if slope else ""
    return "\n".join(["# Tracing many posts", "", *lines, "", said, "", machine_line(report["machine"])])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 3_000, 10_000, 30_000, 100_000])
    parser.add_argument("--add", type=int, nargs="+", help="further sizes; what was measured of others stays")
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure)))
        return
    facts = machine()
    runs = []
    if options.add:
        earlier = json.loads((RESULTS / f"{NAME}.json").read_text(encoding="utf-8"))
        if earlier["machine"]["processor"] != facts["processor"]:
            raise SystemExit(
                f"the other sizes were measured on {earlier['machine']['processor']}, not on {facts['processor']}; "
                "measure all of them here, with --sizes"
            )
        runs = earlier["runs"]
    for size in options.add or options.sizes:
        runs = [run for run in runs if not 0.95 < run["posts"] / size < 1.05]
        command = [sys.executable, __file__, "--measure", str(size)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        runs.append(json.loads(done.stdout.splitlines()[-1]))
        print(runs[-1], file=sys.stderr)
    runs.sort(key=lambda run: run["posts"])
    report = {
        "runs": runs,
        "exponent": exponent(runs, "processor_seconds"),
        "machine": facts,
    }
    write(NAME, report, table(report))


if __name__ == "__main__":
    main()
