"""Two processes that train together beside one, at the same joint batch: the loss of every epoch, and the time.

    python benchmarks/ddp.py [--only curves|times] [--epochs 8] [--turns 3]

Rendered signs, the small net with batch norm and dropout, augmentation, fp32. For the curves (480 signs at 32x32, a
batch of 48 in all) four losses are trained on one process with all threads, on two with half of them each, and on one
with one thread, which shows what rounding alone makes of a curve. For the times (1,120 signs at 64x64, a batch of 128)
the same three take turns. The result is written to benchmarks/results/ddp.json and .md; what --only leaves out stays.
"""

from __future__ import annotations

import argparse
import csv
import json
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

SHARED = [
    *("model.dim=64", "model.dropout=0.2", "optimiser.precision=32", "augment.brightness=0.2", "augment.contrast=0.2"),
    *("augment.shift=0.05", "augment.rotate=5"),
]
LOSSES = {
    "triplet, semi-hard": ["loss.name=triplet", "miner.name=semihard"],
    "triplet, batch-hard": ["loss.name=triplet", "miner.name=batchhard"],
    "contrastive": ["loss.name=contrastive", "loss.params={}", "miner.name="],
    "CosFace": ["loss.name=cosface", "loss.params={}", "miner.name="],
}
ONE, TWO, THREAD = WAYS = ("one process", "two processes", "one process, one thread")
COMPARED = ("train_loss", "val_loss")
TIMES = ("epoch_seconds", "start_seconds", "processor_seconds")
TARGET = 1e-4


class Trainings:
    """Trainings on rendered signs, one after another.

    Args:
        folder: for signs and runs.
        classes, per_class, size: of the signs.
        batch: images in a batch, of all processes together.
        epochs: of each training.
        threads: of all processes together.
    """

    def __init__(
        self, folder: Path, classes: int, per_class: int, size: int, batch: int, epochs: int, threads: int
    ) -> None:
        self.folder, self.threads, self.count = folder, threads, 0
        self.changes = [f"data.size={size}", f"sampler.batch={batch}", f"optimiser.epochs={epochs}"]
        render_signs(folder / "signs", classes=classes, per_class=per_class, size=size, seed=0)

    def run(self, loss: str, way: str) -> dict[str, Any]:
        """One training: its curves, the median seconds of an epoch, those of the start, and those of all processors."""
        self.count += 1
        out = self.folder / f"run{self.count}"
        overrides = [*SHARED, *LOSSES[loss], *self.changes]
        torch.set_num_threads(1 if way == THREAD else self.threads)
        devices = 2 if way == TWO else 1
        done = train(
            self.folder / "signs", "triplet", out, overrides=overrides, devices=devices, progress=SilentProgress()
        )
        torch.set_num_threads(self.threads)
        with (out / "log/metrics.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        seconds = [float(row["seconds"]) for row in rows]
        return {
            "curves": {name: [float(row[name]) for row in rows] for name in COMPARED},
            "epoch_seconds": statistics.median(seconds[1:] or seconds),
            "start_seconds": done.facts["training_seconds"] - sum(seconds),
            "processor_seconds": done.facts["processor_seconds"],
        }


def differences(one: dict[str, Any], other: dict[str, Any]) -> list[float]:
    """The largest difference of each epoch's losses."""
    pairs = [zip(one["curves"][name], other["curves"][name], strict=True) for name in COMPARED]
    return [max(epoch) for epoch in zip(*([abs(a - b) for a, b in pair] for pair in pairs), strict=True)]


def ways_of(threads: int) -> tuple[str, ...]:
    """The ways that differ: with one thread in all, the last is the first."""
    return WAYS if threads > 1 else WAYS[:2]


def measure_curves(folder: Path, epochs: int, threads: int) -> dict[str, Any]:
    """Every loss on every way, and how far the ways differ."""
    trainings, found = Trainings(folder, 16, 30, 32, 48, epochs, threads), {}
    for loss in LOSSES:
        runs = {way: trainings.run(loss, way) for way in ways_of(threads)}
        found[loss] = {
            "curves": {way: run["curves"] for way, run in runs.items()},
            "differences": {way: differences(runs[ONE], run) for way, run in runs.items() if way != ONE},
        }
    return {"epochs": epochs, "target": TARGET, "losses": found, "machine": machine("lightning")}


def measure_times(folder: Path, turns: int, threads: int) -> dict[str, Any]:
    """Medians of the times of every way, which take turns."""
    facts = machine("lightning")
    trainings, ways = Trainings(folder, 28, 40, 64, 128, 4, threads), ways_of(threads)
    taken: dict[str, list[dict[str, Any]]] = {way: [] for way in ways}
    for turn in range(turns):
        for way in ways if turn % 2 else ways[::-1]:
            taken[way].append(trainings.run("triplet, semi-hard", way))
    times = {way: {key: statistics.median(one[key] for one in runs) for key in TIMES} for way, runs in taken.items()}
    return {"turns": turns, "ways": times, "machine": facts}


def curves_report(found: dict[str, Any]) -> list[str]:
    """The curves in Markdown."""
    ways = list(next(iter(found["losses"].values()))["differences"])
    lines = [
        f"480 rendered signs of 16 classes at 32x32, batches of 48 in all, {count(found['epochs'], 'epoch')}. Largest "
        "difference of training and validation loss from those of one process"
        + (" (one thread: what rounding alone makes):" if THREAD in ways else ":"),
        "",
        "| loss | " + " | ".join(ways) + " | target for two processes |",
        "|---|" + "---:|" * len(ways) + "---|",
    ]
    for name, loss in found["losses"].items():
        far = {way: max(differing) for way, differing in loss["differences"].items()}
        verdict = f"{TARGET:g}: {'met' if far[TWO] <= TARGET else 'missed'}"
        lines.append(f"| {name} | " + " | ".join(f"{value:.1e}" for value in far.values()) + f" | {verdict} |")
    for name, loss in found["losses"].items():
        one, two = (loss["curves"][way]["train_loss"] for way in (ONE, TWO))
        lines += [
            "",
            f"**{name}**: training loss, and the largest difference of both losses",
            "",
            "| epoch | one process | two processes | difference |",
            "|---:|---:|---:|---:|",
        ]
        rows = zip(one, two, loss["differences"][TWO], strict=True)
        lines += [f"| {epoch} | {a:.6f} | {b:.6f} | {far:.1e} |" for epoch, (a, b, far) in enumerate(rows, 1)]
    return [*lines, "", machine_line(found["machine"]), ""]


def times_report(found: dict[str, Any]) -> list[str]:
    """The times in Markdown."""
    lines = [
        f"Seconds, medians of {count(found['turns'], 'turn')} in alternation: triplet, semi-hard, 1,120 signs of 28 "
        "classes at 64x64, batches of 128 in all, 4 epochs. The start of two processes is that of two Python "
        "programs, once a training.",
        "",
        "| | an epoch | start | processor seconds in all |",
        "|---|---:|---:|---:|",
    ]
    for way, times in found["ways"].items():
        lines.append(f"| {way} | " + " | ".join(f"{times[key]:.2f}" for key in TIMES) + " |")
    return [*lines, "", machine_line(found["machine"]), ""]


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("curves", "times"))
    parser.add_argument("--epochs", type=int, default=8, help="of the curves")
    parser.add_argument("--turns", type=int, default=3, help="of the times")
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    kept, threads = arguments.out / "ddp.json", torch.get_num_threads()
    result: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8")) if kept.is_file() else {}
    with TemporaryDirectory() as folder:
        if arguments.only != "times":
            (Path(folder) / "curves").mkdir()
            result["curves"] = measure_curves(Path(folder) / "curves", arguments.epochs, threads)
        if arguments.only != "curves":
            (Path(folder) / "times").mkdir()
            result["times"] = measure_times(Path(folder) / "times", arguments.turns, threads)
    lines = [
        "# Two processes beside one, at the same joint batch",
        "",
        "The small net with batch norm and dropout of 0.2, augmentation, fp32. Two processes have half of the "
        "threads each.",
        "",
    ]
    lines += curves_report(result["curves"]) if "curves" in result else []
    lines += times_report(result["times"]) if "times" in result else []
    write("ddp", result, "\n".join([*lines, "Made by `python benchmarks/ddp.py`."]), arguments.out)


if __name__ == "__main__":
    main()
