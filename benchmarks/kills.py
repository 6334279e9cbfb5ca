"""Kills `index` at random moments, starts it again, and counts the rows.

Usage: python benchmarks/kills.py [--moments 20] [--images 600] [--seed 0]

Three ways: the plain one, processes of this machine, and Ray. A job is killed (SIGKILL) at a random moment between the
one at which an undisturbed run has its catalog and that run's end, and started again, over and over until it comes to
its end; then the next job begins, until there were so many kills. Where there are workers, every other kill is of one,
which is replaced within the run. After each kill no row may be in the catalog twice that is not a copy in
another part; a job that came to its end has exactly the rows of the undisturbed run. Pictures are drawn, and the model
has random weights; parts of 32 files and a commit every half second, so that there are many moments of each kind.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from common import machine, machine_line, write

WAYS: dict[str, list[str]] = {
    "plain": [],
    "local": ["--engine", "local", "--workers", "2"],
    "ray": ["--engine", "ray", "--workers", "2"],
}
PATIENCE = 300.0


def prepare(folder: Path, images: int) -> None:
    """Pictures, a tenth of them copies of others and one that is none, and a model."""
    from doppelgram.images.framing import Framing
    from doppelgram.models.backbones.registry import SmallNet
    from doppelgram.models.model import Model
    from doppelgram.models.networks.embedding import EmbeddingHead, EmbeddingNetwork
    from doppelgram.models.towers import ImageTower

    (folder / "data").mkdir()
    for number in range(images):
        content = number - images // 2 if number % 10 == 9 and number > images // 2 else number
        pixels = np.random.default_rng(content).integers(0, 255, (300, 300, 3), np.uint8)
        Image.fromarray(pixels).save(folder / "data" / f"{number:06}.jpg", quality=90)
    (folder / "data" / "broken.jpg").write_bytes(b"no image")
    torch.manual_seed(0)
    backbone = SmallNet(width=4)
    network = EmbeddingNetwork(backbone, EmbeddingHead(backbone.dim, 8))
    Model(ImageTower(network, Framing(64)), None).save(folder / "model")


def command(folder: Path, catalog: str, way: str) -> list[str]:
    program = [sys.executable, __file__, "--drive", "index", str(folder / "data")]
    return [*program, "--model", str(folder / "model"), "--catalog", str(folder / catalog), *WAYS[way]]


def drive(arguments: list[str]) -> None:
    """The program, with small parts that are committed often."""
    from doppelgram.cli import main
    from doppelgram.scale import index, plan

    plan.SMALLEST, index.COMMIT_SECONDS = 32, 0.5
    main(arguments)


def rows(catalog: Path) -> list[tuple[str, str]]:
    """Id and name of every row."""
    from doppelgram.catalog.store import Catalog

    found = Catalog.open(catalog).rows(["id", "name"])
    return sorted(zip(found["id"], found["name"], strict=True))


def workers_of(driver: int) -> list[int]:
    """Processes below the driver that embed."""
    children: dict[int, list[int]] = {}
    commands: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                commands[int(entry.name)] = (
                    (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                )
            except (OSError, ValueError):
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found, below = [], [driver]
    while below:
        process = below.pop()
        below += children.get(process, [])
        if "doppelgram.scale.child" in commands.get(process, "") or commands.get(process, "").startswith("ray::Worker"):
            found.append(process)
    return found


def run(arguments: list[str], moments: list[tuple[float, str]], pick: int = 0) -> tuple[int, list[str]]:
    """Run a command; kill the driver or one of its workers so many seconds after the start.

    Returns:
        Its exit status, and who was killed.
    """
    start, killed = time.perf_counter(), []
    with subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as child:
        for after, victim in moments:
            try:
                child.wait(max(0.0, start + after - time.perf_counter()))
                break
            except subprocess.TimeoutExpired:
                victims = [child.pid] if victim == "driver" else workers_of(child.pid)
                if victims:
                    os.kill(victims[pick % len(victims)], signal.SIGKILL)
                    killed.append(victim)
        _, said = child.communicate(timeout=PATIENCE)
        if child.returncode not in (0, -signal.SIGKILL):
            print(said, file=sys.stderr)
    return child.returncode, killed


def undisturbed(arguments: list[str], catalog: Path) -> tuple[float, float]:
    """Seconds from the start to the catalog and to the end."""
    start, made = time.perf_counter(), 0.0
    with subprocess.Popen(arguments, stdout=subprocess.DEVNULL) as child:
        while child.poll() is None:
            if not made and (catalog / "catalog.json").is_file():
                made = time.perf_counter() - start
            time.sleep(0.01)
    if child.returncode:
        raise SystemExit(f"the undisturbed run ended with {child.returncode}")
    return made, time.perf_counter() - start


def measure(way: str, moments: int, images: int, seed: int) -> dict[str, Any]:
    """Kill one way so many times."""
    random_ = random.Random(f"{seed} {way}")
    kills, jobs, wrong, number = {"driver": 0, "worker": 0}, 0, 0, 0
    with tempfile.TemporaryDirectory(prefix="kills-") as name:
        folder = Path(name)
        prepare(folder, images)
        first, last = undisturbed(command(folder, "undisturbed", way), folder / "undisturbed")
        expected, files = rows(folder / "undisturbed"), named(folder)
        while sum(kills.values()) < moments or number:
            enough = sum(kills.values()) >= moments
            times = sorted(random_.uniform(first, last) for _ in range(1 if way == "plain" else 2))
            victims = ["driver"] if way == "plain" else ["worker", "driver"]
            arguments = command(folder, f"job {jobs}", way)
            status, killed = run(arguments, [] if enough else list(zip(times, victims, strict=True)), number)
            for victim in killed:
                kills[victim] += 1
            number += 1
            if status == 0:
                wrong += rows(folder / f"job {jobs}") != expected
                jobs, number = jobs + 1, 0
            elif "driver" not in killed:
                raise SystemExit(f"job {jobs} ended with {status} though nobody killed it")
            elif (folder / f"job {jobs}" / "catalog.json").is_file():
                now = rows(folder / f"job {jobs}")
                wrong += len(now) != len(set(now)) or not set(now) <= files
    return {
        "way": way,
        "drivers_killed": kills["driver"],
        "workers_killed": kills["worker"],
        "jobs": jobs,
        "rows": len(expected),
        "wrong": wrong,
        "seconds_undisturbed": last,
    }


def named(folder: Path) -> set[tuple[str, str]]:
    """Id and name of each file, copies included: those in other parts have a row until the job's end."""
    return {(hashlib.sha256(file.read_bytes()).hexdigest(), file.name) for file in (folder / "data").iterdir()}


def table(report: dict[str, Any]) -> str:
    lines = [
        "| way | drivers killed | workers killed | jobs brought to their end | rows of each | wrong |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for one in report["ways"]:
        lines.append(
            f"| {one['way']} | {one['drivers_killed']} | {one['workers_killed']} | {one['jobs']} | {one['rows']} | "
            f"{one['wrong']} |"
        )
    said = (
        "Wrong is a job with other rows than an undisturbed one, or after a kill a row that is there twice or is of no "
        "file. A lost answer to a commit, and compaction between crash and restart, are tests of the suite "
        "(`tests/scale/test_index.py`)."
    )
    return "\n".join(["# Kills of `index`", "", *lines, "", said, "", machine_line(report["machine"])])


def main() -> None:
    if sys.argv[1:2] == ["--drive"]:
        drive(sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--moments", type=int, default=20)
    parser.add_argument("--images", type=int, default=600)
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=list(WAYS))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    facts = machine("ray", "pylance")
    ways = []
    for way in options.ways:
        ways.append(measure(way, options.moments, options.images, options.seed))
        print(ways[-1], file=sys.stderr)
    report = {"ways": ways, "machine": facts}
    write("kills", report, table(report))


if __name__ == "__main__":
    main()
