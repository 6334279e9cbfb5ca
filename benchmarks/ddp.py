"""Two processes that train together beside one, at the same joint batch: the loss of every epoch, and the time.

    python benchmarks/ddp.py [--only curves|times] [--losses N] [--epochs 6] [--turns 3]

Rendered signs, the small net with batch norm and dropout, augmentation.

Curves (480 signs at 32x32, a batch of 48 in all): each loss is trained with the network in double precision, on one
process and on two. In single precision training is chaotic: the first loss is also trained so on one process, on two,
and on one whose first weights differ in the last bit.

Times (1,120 signs at 64x64, a batch of 128, fp32): one process with all threads, two with half of them each, and one
with one thread take turns.

The result is written to benchmarks/results/ddp.json and .md; what --only leaves out stays.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from common import RESULTS, machine, machine_line, write
from doppelgram.api.train import train
from doppelgram.console import SilentProgress
from doppelgram.dataset.loading import load_images
from doppelgram.dataset.read import read_collection
from doppelgram.evaluation.retrieval import precision_at_1_and_map
from doppelgram.numbers import count
from doppelgram.samples.signs import render_signs
from doppelgram.training.data import Part
from doppelgram.training.embedding import make_framing
from doppelgram.training.networks import make_network
from doppelgram.training.ranks.plan import Ranks
from doppelgram.training.recipes.files import read_recipe
from doppelgram.training.recipes.schema import MetricRecipe
from doppelgram.training.tasks.metric import MetricTask
from doppelgram.training.trainer import Place, fit

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
MOVED = "one process, first weights moved in the last bit"
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
        """One training: the median seconds of an epoch, those of the start, and those of all processors."""
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
            "epoch_seconds": statistics.median(seconds[1:] or seconds),
            "start_seconds": done.facts["training_seconds"] - sum(seconds),
            "processor_seconds": done.facts["processor_seconds"],
        }


def differences(one: dict[str, list[float]], other: dict[str, list[float]]) -> list[float]:
    """The largest difference of each epoch's losses."""
    pairs = [zip(one[name], other[name], strict=True) for name in COMPARED]
    return [max(epoch) for epoch in zip(*([abs(a - b) for a, b in pair] for pair in pairs), strict=True)]


def ways_of(threads: int) -> tuple[str, ...]:
    """The ways that differ: with one thread in all, the last is the first."""
    return WAYS if threads > 1 else WAYS[:2]


class Curves:
    """Losses of short trainings on rendered signs, each from the same start.

    Args:
        folder: for signs and runs.
        epochs: of each training.
    """

    def __init__(self, folder: Path, epochs: int) -> None:
        self.folder, self.count = folder, 0
        self.changes = [*SHARED, "data.size=32", "sampler.batch=48", f"optimiser.epochs={epochs}"]
        render_signs(folder / "signs", classes=16, per_class=30, size=32, seed=0)
        collection = read_collection(folder / "signs")
        pixels = load_images(collection, make_framing(self._recipe(next(iter(LOSSES)))), SilentProgress()).pixels
        codes = np.unique(collection.labels, return_inverse=True)[1]
        held = np.arange(len(codes)) % 4 == 0
        self.parts = [Part(pixels, codes[rows], rows) for rows in (np.flatnonzero(~held), np.flatnonzero(held))]

    def _recipe(self, loss: str) -> MetricRecipe:
        recipe: MetricRecipe = read_recipe("triplet", [*LOSSES[loss], *self.changes])
        return recipe

    def run(self, loss: str, processes: int, *, double: bool = False, moved: bool = False) -> dict[str, list[float]]:
        """The losses of one training; double: of the network in double precision; moved: from weights a bit aside."""
        self.count += 1
        recipe = self._recipe(loss)
        network = make_network(recipe.model, recipe.data.size, None, 0)
        task = MetricTask(network, *self.parts, recipe, validate=precision_at_1_and_map)
        if double:
            network.double()
        if moved:
            generator = torch.Generator().manual_seed(1)
            with torch.no_grad():
                for weights in network.parameters():
                    weights.mul_(1 + torch.finfo().eps * torch.randn(weights.shape, generator=generator))
        place = Place.of_run(self.folder / f"run{self.count}")
        history = fit(task, recipe.stopping, place, SilentProgress(), ranks=Ranks(processes)).history
        return {name: [epoch[name] for epoch in history] for name in COMPARED}


def measure_curves(folder: Path, epochs: int, losses: int) -> dict[str, Any]:
    """Losses of one process and of two in double precision; of the first loss also in single precision."""
    facts, curves, found = machine("lightning"), Curves(folder, epochs), {}
    for loss in list(LOSSES)[:losses]:
        one, two = (curves.run(loss, processes, double=True) for processes in (1, 2))
        found[loss] = {ONE: one, TWO: two, "difference": differences(one, two)}
    first = next(iter(LOSSES))
    one, two, moved = curves.run(first, 1), curves.run(first, 2), curves.run(first, 1, moved=True)
    single = {"loss": first, TWO: differences(one, two), MOVED: differences(one, moved)}
    return {"epochs": epochs, "target": TARGET, "losses": found, "single": single, "machine": facts}


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
    lines = [
        f"Curves: 480 rendered signs of 16 classes at 32x32, batches of 48 in all, {count(found['epochs'], 'epoch')}. "
        "Largest difference of training and validation loss between one process and two, the network in double "
        "precision; the log keeps seven digits of a loss, and 0 means that these are the same:",
        "",
        f"| loss | largest difference | target: {TARGET:g} |",
        "|---|---:|---|",
    ]
    for name, loss in found["losses"].items():
        far = max(loss["difference"])
        lines.append(f"| {name} | {far:.1e} | {'met' if far <= TARGET else 'missed'} |")
    for name, loss in found["losses"].items():
        lines += [
            "",
            f"**{name}**: training loss, and the largest difference of both losses",
            "",
            "| epoch | one process | two processes | difference |",
            "|---:|---:|---:|---:|",
        ]
        rows = zip(loss[ONE]["train_loss"], loss[TWO]["train_loss"], loss["difference"], strict=True)
        lines += [f"| {epoch} | {a:.6f} | {b:.6f} | {far:.1e} |" for epoch, (a, b, far) in enumerate(rows, 1)]
    single = found["single"]
    lines += [
        "",
        f"In single precision ({single['loss']}) rounding grows by itself. Largest difference of the losses from those "
        "of one process:",
        "",
        f"| epoch | {TWO} | {MOVED} |",
        "|---:|---:|---:|",
    ]
    rows = zip(single[TWO], single[MOVED], strict=True)
    lines += [f"| {epoch} | {two:.1e} | {moved:.1e} |" for epoch, (two, moved) in enumerate(rows, 1)]
    return [*lines, "", machine_line(found["machine"]), ""]


def times_report(found: dict[str, Any]) -> list[str]:
    """The times in Markdown."""
    lines = [
        "Seconds in single precision, two processes with half of the threads each, medians of "
        f"{count(found['turns'], 'turn')} in alternation: triplet, semi-hard, 1,120 signs of 28 "
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
    parser.add_argument("--losses", type=int, default=len(LOSSES), help="how many of the losses have curves")
    parser.add_argument("--epochs", type=int, default=6, help="of the curves")
    parser.add_argument("--turns", type=int, default=3, help="of the times")
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    kept, threads = arguments.out / "ddp.json", torch.get_num_threads()
    result: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8")) if kept.is_file() else {}
    with TemporaryDirectory() as folder:
        if arguments.only != "times":
            (Path(folder) / "curves").mkdir()
            result["curves"] = measure_curves(Path(folder) / "curves", arguments.epochs, arguments.losses)
        if arguments.only != "curves":
            (Path(folder) / "times").mkdir()
            result["times"] = measure_times(Path(folder) / "times", arguments.turns, threads)
    lines = [
        "# Two processes beside one, at the same joint batch",
        "",
        "The small net with batch norm and dropout of 0.2, augmentation.",
        "",
    ]
    lines += curves_report(result["curves"]) if "curves" in result else []
    lines += times_report(result["times"]) if "times" in result else []
    write("ddp", result, "\n".join([*lines, "Made by `python benchmarks/ddp.py`."]), arguments.out)


if __name__ == "__main__":
    main()
