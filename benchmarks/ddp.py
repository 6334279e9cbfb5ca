"""Two processes that train together beside one, at the same joint batch: the loss of every epoch, and the time.

    python benchmarks/ddp.py [--epochs 10] [--turns 3]

Rendered signs (40 classes of 30 images, 64x64), the small net with batch norm and dropout, augmentation, a batch of 64
in all, fp32. Each loss is trained on one process with all threads, and on two with half of them each; further turns, in
alternation, give the median of the times. A third way, one process with one thread, shows what rounding alone makes of
a curve. The result is written to benchmarks/results/ddp.json and .md.
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from common import RESULTS, machine, machine_line, write
from doppelgram.api.train import train
from doppelgram.console import SilentProgress
from doppelgram.numbers import count
from doppelgram.samples.signs import render_signs

CLASSES, PER_CLASS, SIZE, BATCH = 40, 30, 64, 64
SHARED = [
    *(f"data.size={SIZE}", f"sampler.batch={BATCH}", "model.dim=64", "model.dropout=0.2", "optimiser.precision=32"),
    *("augment.brightness=0.2", "augment.contrast=0.2", "augment.shift=0.05", "augment.rotate=5"),
]
LOSSES = {
    "triplet, semi-hard": ["loss.name=triplet", "miner.name=semihard"],
    "triplet, batch-hard": ["loss.name=triplet", "miner.name=batchhard"],
    "contrastive": ["loss.name=contrastive", "loss.params={}", "miner.name="],
    "CosFace": ["loss.name=cosface", "loss.params={}", "miner.name="],
}
WAYS = ("one process", "two processes", "one process, one thread")
COMPARED = ("train_loss", "val_loss")
TARGET = 1e-4


def run(photos: Path, out: Path, changes: list[str], epochs: int, way: str, threads: int) -> dict[str, Any]:
    """One training: its curves, seconds of an epoch, of the start, and of all processors."""
    torch.set_num_threads(1 if way == WAYS[2] else threads)
    overrides = [*SHARED, *changes, f"optimiser.epochs={epochs}"]
    done = train(
        photos, "triplet", out, overrides=overrides, devices=2 if way == WAYS[1] else 1, progress=SilentProgress()
    )
    torch.set_num_threads(threads)
    rows = (out / "log/metrics.csv").read_text(encoding="utf-8").splitlines()
    names = rows[0].split(",")
    table = [dict(zip(names, map(float, row.split(",")), strict=True)) for row in rows[1:]]
    seconds = [row["seconds"] for row in table]
    return {
        "curves": {name: [row[name] for row in table] for name in COMPARED if name in names},
        "epoch_seconds": statistics.median(seconds[1:] or seconds),
        "start_seconds": done.facts["training_seconds"] - sum(seconds),
        "processor_seconds": done.facts["processor_seconds"],
    }


def difference(one: dict[str, Any], other: dict[str, Any]) -> list[float]:
    """The largest difference of each epoch's losses."""
    curves = one["curves"], other["curves"]
    return [
        max(abs(curves[0][name][epoch] - curves[1][name][epoch]) for name in curves[0])
        for epoch in range(len(curves[0][COMPARED[0]]))
    ]


def report(result: dict[str, Any], facts: dict[str, Any]) -> str:
    """The result in Markdown."""
    lines = [
        "# Two processes beside one, at the same joint batch",
        "",
        f"{count(CLASSES * PER_CLASS, 'rendered sign')} of {CLASSES} classes at {SIZE}x{SIZE}, small net with batch "
        f"norm and dropout of 0.2, augmentation, batches of {BATCH} in all, fp32, {count(result['epochs'], 'epoch')}. "
        f"{facts['threads']} threads in all; two processes have half of them each.",
        "",
        "Largest difference of training and validation loss between one process and two, and between one process with "
        "all threads and with one, which is rounding alone:",
        "",
        "| loss | two processes | one thread | target |",
        "|---|---:|---:|---|",
    ]
    for name, found in result["losses"].items():
        two, alone = max(found["difference"]), max(found["difference_one_thread"])
        lines.append(f"| {name} | {two:.1e} | {alone:.1e} | {TARGET:g}: {'met' if two <= TARGET else 'missed'} |")
    lines += ["", "Training loss of each epoch, and how far validation and training loss differ at most:", ""]
    for name, found in result["losses"].items():
        one, two = (found[way]["curves"]["train_loss"] for way in WAYS[:2])
        lines += [f"**{name}**", "", "| epoch | one process | two processes | difference |", "|---:|---:|---:|---:|"]
        lines += [
            f"| {epoch + 1} | {one[epoch]:.6f} | {two[epoch]:.6f} | {found['difference'][epoch]:.1e} |"
            for epoch in range(len(one))
        ]
        lines.append("")
    lines += [
        f"Seconds, medians of {count(result['turns'], 'turn')} in alternation (triplet, semi-hard). The start of two "
        "processes is that of two Python programs, once a training:",
        "",
        "| | an epoch | start | processor seconds in all |",
        "|---|---:|---:|---:|",
    ]
    for way in WAYS:
        times = result["times"][way]
        cells = (times[key] for key in ("epoch_seconds", "start_seconds", "processor_seconds"))
        lines.append(f"| {way} | " + " | ".join(f"{value:.2f}" for value in cells) + " |")
    return "\n".join([*lines, "", machine_line(facts), "", "Made by `python benchmarks/ddp.py`."])


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--turns", type=int, default=3, help="trainings of each way whose times are taken")
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    facts, threads = machine("lightning"), torch.get_num_threads()
    result: dict[str, Any] = {"epochs": arguments.epochs, "turns": arguments.turns, "target": TARGET, "losses": {}}
    with TemporaryDirectory() as folder:
        photos, number = Path(folder) / "signs", 0
        render_signs(photos, classes=CLASSES, per_class=PER_CLASS, size=SIZE, seed=0)

        def once(changes: list[str], way: str) -> dict[str, Any]:
            nonlocal number
            number += 1
            return run(photos, Path(folder) / f"run{number}", changes, arguments.epochs, way, threads)

        for name, changes in LOSSES.items():
            found: dict[str, Any] = {way: once(changes, way) for way in WAYS}
            found["difference"] = difference(found[WAYS[0]], found[WAYS[1]])
            found["difference_one_thread"] = difference(found[WAYS[0]], found[WAYS[2]])
            result["losses"][name] = found
        first = next(iter(LOSSES))
        turns = {way: [result["losses"][first][way]] for way in WAYS}
        for turn in range(1, arguments.turns):
            for way in WAYS if turn % 2 else WAYS[::-1]:
                turns[way].append(once(LOSSES[first], way))
    keys = ("epoch_seconds", "start_seconds", "processor_seconds")
    result["times"] = {
        way: {key: statistics.median(one[key] for one in taken) for key in keys} for way, taken in turns.items()
    }
    write("ddp", {"machine": facts, **result}, report(result, facts), arguments.out)


if __name__ == "__main__":
    main()
