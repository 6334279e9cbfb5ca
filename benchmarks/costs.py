"""What 10^4 to 10^8 photographs cost in time, memory, disk and money, computed from what other benchmarks measured.

Usage: python benchmarks/costs.py [--core-hour 0.04] [--gigabyte-month 0.023] [--cores 8] [--cluster 128] [--dim 64]

Constants are read from results/cluster.json (photographs a second of a worker, what further workers bring, bytes of a
row, seconds and memory of planning) and results/rolemodels_scale.json (tracing). Prices are options, in any currency.
Nothing is measured here, and beyond what was measured everything is extrapolated: in proportion, tracing by its
exponent.
"""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import dataclass
from typing import Any

from common import RESULTS, machine_line, write
from doppelgram.numbers import duration

SIZES = (10**4, 10**6, 10**8)
MACHINES = (("machine", "photographs"), ("machine_of_traces", "traces"))


@dataclass(frozen=True)
class Constants:
    """Figures of other benchmarks.

    Attributes:
        rate: photographs a second of one worker with one processor; cluster.json, Ray with one worker.
        scaling: rate of two workers divided by twice that of one; taken for any number.
        row: bytes of a row on disk, picture included; cluster.json.
        worker: bytes of memory of a worker; cluster.json, local.
        plan_seconds: for each file in the process that plans; cluster.json.
        plan_bytes: memory for each file in that process; cluster.json.
        traces: what each trace took; rolemodels_scale.json.
        exponent: of posts, by which a trace's time grows; rolemodels_scale.json.
        machine: where traces were measured; rolemodels_scale.json.
    """

    rate: float
    scaling: float
    row: float
    worker: float
    plan_seconds: float
    plan_bytes: float
    traces: list[dict[str, float]]
    exponent: float
    machine: dict[str, Any]

    @classmethod
    def read(cls) -> Constants:
        """From the committed results."""
        filled = json.loads((RESULTS / "cluster.json").read_text(encoding="utf-8"))
        traced = json.loads((RESULTS / "rolemodels_scale.json").read_text(encoding="utf-8"))
        ways = {(one["way"], one["workers"]): one for one in filled["ways"]}
        plan = filled["plan"]
        return cls(
            ways["ray", 1]["rate"],
            filled["two_to_one"] / 2,
            ways["plain", 1]["bytes_a_row"],
            1e6 * ways["local", 2]["worker_megabytes"],
            plan["seconds"] / plan["files"],
            plan["bytes_a_file"],
            traced["runs"],
            traced["exponent"],
            traced["machine"],
        )


def index_cost(known: Constants, images: int, cores: int, options: argparse.Namespace) -> dict[str, Any]:
    """What indexing costs with so many processors, a worker on each."""
    scaling = known.scaling if cores > 1 else 1.0
    seconds = images * known.plan_seconds + images / (known.rate * cores * scaling)
    disk = images * known.row
    return {
        "images": images,
        "cores": cores,
        "seconds": seconds,
        "core_hours": seconds * cores / 3600,
        "money": seconds * cores / 3600 * options.core_hour,
        "disk": disk,
        "disk_money_a_month": disk / 1e9 * options.gigabyte_month,
        "workers_memory": cores * known.worker,
        "driver_memory": images * known.plan_bytes,
        "vectors": images * options.dim * 4,
    }


def trace_cost(known: Constants, posts: int) -> dict[str, Any]:
    """What a trace costs, on one machine: as the measured one nearest in size; its memory in proportion to posts."""
    near = min(known.traces, key=lambda run: abs(math.log(run["posts"] / posts)))
    times = posts / near["posts"]
    return {
        "posts": posts,
        "seconds": near["seconds"] * times**known.exponent,
        "memory": 1e9 * near["gigabytes"] * max(1.0, times),
        "extrapolated": times > 1.1,
    }


def size(count: float) -> str:
    """Bytes in words: 1.2 GB."""
    power = min(4, max(2, int(math.log10(max(count, 1)) // 3)))
    return f"{count / 1000**power:.3g} {('', 'kB', 'MB', 'GB', 'TB')[power]}"


def table(report: dict[str, Any]) -> str:
    lines = [
        "| photographs | processors | time | core-hours | price | disk | its price a month | memory of the workers | "
        "of the process that plans | vectors in memory, to search exactly |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for one in report["index"]:
        lines.append(
            f"| {one['images']:,} | {one['cores']} | {duration(one['seconds'])} | {one['core_hours']:,.1f} | "
            f"{one['money']:,.2f} | {size(one['disk'])} | {one['disk_money_a_month']:,.2f} | "
            f"{size(one['workers_memory'])} | {size(one['driver_memory'])} | {size(one['vectors'])} |"
        )
    lines += ["", "| posts traced | time | memory | |", "|---:|---:|---:|---|"]
    for one in report["trace"]:
        said = "extrapolated" if one["extrapolated"] else ""
        lines.append(f"| {one['posts']:,} | {duration(one['seconds'])} | {size(one['memory'])} | {said} |")
    prices, known = report["prices"], report["constants"]
    said = (
        f"Computed, not measured: {known['rate']:.1f} photographs a second of a worker with one processor (model "
        f"{report['model']}), {known['scaling']:.0%} of that for each of several, {known['row']:.0f} bytes a row "
        f"(results/cluster.json); a trace grows with posts to the power {known['exponent']:.2f} "
        f"(results/rolemodels_scale.json). Price of a core-hour {prices['core_hour']}, of a gigabyte and month "
        f"{prices['gigabyte_month']}: options of the script."
    )
    machines = [machine_line(report[key]).replace("Machine", f"Machine of {what}", 1) for key, what in MACHINES]
    return "\n".join(["# What many photographs cost", "", *lines, "", said, "", "  \n".join(machines)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--core-hour", type=float, default=0.04)
    parser.add_argument("--gigabyte-month", type=float, default=0.023)
    parser.add_argument("--cores", type=int, default=8, help="of one machine")
    parser.add_argument("--cluster", type=int, default=128, help="processors of a cluster")
    parser.add_argument("--dim", type=int, default=64, help="numbers of an embedding")
    options = parser.parse_args()
    known = Constants.read()
    measured = json.loads((RESULTS / "cluster.json").read_text(encoding="utf-8"))
    report = {
        "index": [index_cost(known, n, cores, options) for n in SIZES for cores in (options.cores, options.cluster)],
        "trace": [trace_cost(known, posts) for posts in (10**4, 10**5, 10**6)],
        "constants": {key: value for key, value in vars(known).items() if key != "machine"},
        "prices": {"core_hour": options.core_hour, "gigabyte_month": options.gigabyte_month},
        "model": measured["model"],
        "machine": measured["machine"],
        "machine_of_traces": known.machine,
    }
    write("costs", report, table(report))


if __name__ == "__main__":
    main()
