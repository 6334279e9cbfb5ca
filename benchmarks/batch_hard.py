"""Batch-hard mining and the triplet margin loss, forward and backward: ours beside pytorch-metric-learning's.

    python benchmarks/batch_hard.py [--threads 1] [--repeats 60]

Both sides get the same unit vectors (64 numbers each, four images a class) and take turns, so that whatever else
the machine does falls on both. The medians, the ratio and the machine are printed and written to
benchmarks/results/batch_hard.json and .md. A difference between the two losses, or between their gradients,
ends the run with an error.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from pytorch_metric_learning.losses import TripletMarginLoss as LibraryLoss
from pytorch_metric_learning.miners import BatchHardMiner as LibraryMiner
from torch import Tensor

from common import RESULTS, machine, write
from doppelgram.learning.losses import TripletMarginLoss
from doppelgram.learning.miners import BatchHardMiner

SIZES = (128, 256, 512, 1024)
DIMENSIONS = 64
PER_CLASS = 4
MARGIN = 0.1
TARGET = 0.6

Step = Callable[[Tensor, Tensor], Tensor]


def step(miner: Callable[[Tensor, Tensor], object], loss: Callable[..., Tensor]) -> Step:
    """One training step's worth of work on the embeddings, which are leaves and receive the gradient."""

    def run(embeddings: Tensor, labels: Tensor) -> Tensor:
        embeddings.grad = None
        value = loss(embeddings, labels, miner(embeddings, labels))
        value.backward()
        return value

    return run


def check(ours: Step, theirs: Step, embeddings: Tensor, labels: Tensor) -> None:
    """Raise unless both give the same loss and the same gradient along the sphere (theirs normalises again)."""
    values, gradients = [], []
    for run in (ours, theirs):
        values.append(run(embeddings, labels).item())
        gradient = embeddings.grad
        if gradient is None:
            raise RuntimeError("the loss left no gradient")
        along = (gradient * embeddings).sum(dim=1, keepdim=True) * embeddings
        gradients.append((gradient - along).detach().clone())
    if abs(values[0] - values[1]) > 1e-5:
        raise RuntimeError(f"the losses differ: {values[0]} and {values[1]}")
    if not torch.allclose(gradients[0], gradients[1], atol=1e-6):
        raise RuntimeError("the gradients differ")


def measure(size: int, repeats: int) -> dict[str, float]:
    """Median seconds of both sides at one batch size, taking turns."""
    generator = torch.Generator().manual_seed(size)
    embeddings = torch.nn.functional.normalize(torch.randn(size, DIMENSIONS, generator=generator), dim=1)
    embeddings.requires_grad_()
    labels = torch.arange(size) // PER_CLASS
    ours = step(BatchHardMiner(), TripletMarginLoss(MARGIN))
    theirs = step(LibraryMiner(), LibraryLoss(MARGIN))
    for _ in range(5):
        check(ours, theirs, embeddings, labels)
    times: dict[str, list[float]] = {"ours": [], "theirs": []}
    for turn in range(repeats):
        order = (("ours", ours), ("theirs", theirs))
        for name, run in order if turn % 2 else order[::-1]:
            start = time.perf_counter()
            run(embeddings, labels)
            times[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(values) for name, values in times.items()}
    return {
        "batch": size,
        "ours_ms": round(medians["ours"] * 1e3, 3),
        "theirs_ms": round(medians["theirs"] * 1e3, 3),
        "ratio": round(medians["ours"] / medians["theirs"], 3),
    }


def table(rows: list[dict[str, float]]) -> str:
    """The figures as a Markdown table."""
    lines = ["| batch | ours, ms | pytorch-metric-learning, ms | ratio |", "|---:|---:|---:|---:|"]
    form = "| {batch} | {ours_ms:.2f} | {theirs_ms:.2f} | {ratio:.2f} |"
    lines += [form.format(**row) for row in rows]
    return "\n".join(lines)


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description="Batch-hard triplet step, ours beside pytorch-metric-learning's.")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch (default 1)")
    parser.add_argument("--repeats", type=int, default=60, help="timed turns of each side (default 60)")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder for the results")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    facts = machine("pytorch-metric-learning")
    rows = [measure(size, options.repeats) for size in SIZES]
    met = all(row["ratio"] <= TARGET for row in rows)
    verdict = f"Target: at most {TARGET} of its time at every size: {'met' if met else 'missed'}."
    result = {"machine": facts, "target_ratio": TARGET, "target_met": met, "repeats": options.repeats, "rows": rows}
    text = (
        "# Batch-hard mining and triplet margin loss, forward and backward\n\n"
        f"Median of {options.repeats} turns, taken in alternation; unit vectors of {DIMENSIONS} numbers, {PER_CLASS} "
        f"images a class, margin {MARGIN}. Losses and gradients agree.\n\n{table(rows)}\n\n{verdict}\n\n"
        + "\n".join(f"- {key}: {value}" for key, value in facts.items())
        + "\n\nMade by `python benchmarks/batch_hard.py`.\n"
    )
    write("batch_hard", result, text, options.out)


if __name__ == "__main__":
    main()
