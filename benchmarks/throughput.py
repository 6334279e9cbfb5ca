"""Training throughput: the whole pipeline against the bare step, in one run.

The bare step is forward, loss, backward and optimiser on one batch that lies ready in memory. The pipeline is the
same network, loss and optimiser driven by `fit`: images read from files and decoded (timed separately, since it
happens once), batches gathered by the sampler, augmented, mined, figures logged, checkpoints written. Both are
measured in turns, epoch by epoch, because a shared machine's speed drifts; the ratio is of the medians.

    python benchmarks/throughput.py [--images 2048] [--rounds 5]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from common import machine, write
from doppelgram.console import SilentProgress
from doppelgram.dataset.collection import codes
from doppelgram.dataset.loading import load_images
from doppelgram.dataset.read import read_collection
from doppelgram.images.framing import Framing
from doppelgram.learning.registry import make_loss
from doppelgram.samples.signs import render_signs
from doppelgram.training.data import Part
from doppelgram.training.networks import make_network
from doppelgram.training.recipes.files import read_recipe
from doppelgram.training.tasks.metric import MetricTask
from doppelgram.training.trainer import Place, fit

QUIET = SilentProgress()


def bare_epoch(recipe_name: str, images: int) -> float:
    """Seconds for as many bare steps as an epoch has."""
    recipe = read_recipe(recipe_name)
    batch = recipe.sampler.batch
    network = make_network(recipe.model, recipe.data.size, None, 0).to(memory_format=torch.channels_last).train()
    loss = make_loss(recipe.loss.name, embedding_dim=recipe.model.dim, classes=16, params=recipe.loss.params)
    optimiser = torch.optim.AdamW([*network.parameters(), *loss.parameters()], lr=1e-3)
    inputs = torch.rand(batch, 3, 64, 64).contiguous(memory_format=torch.channels_last)
    labels = torch.arange(batch) % 16
    started = time.perf_counter()
    for _ in range(images // batch):
        optimiser.zero_grad()
        loss(network(inputs), labels, None).backward()
        optimiser.step()
    return time.perf_counter() - started


def pipeline_epochs(recipe_name: str, part: Part, epochs: int) -> list[float]:
    """Seconds of each epoch of the real thing, checkpoints and logs included."""
    recipe = read_recipe(recipe_name, [f"optimiser.epochs={epochs}"])
    with tempfile.TemporaryDirectory() as folder:
        task = MetricTask(make_network(recipe.model, recipe.data.size, None, 0), part, None, recipe)
        fitted = fit(task, recipe.stopping, Place.of_run(Path(folder)), progress=QUIET)
    return [epoch["seconds"] for epoch in fitted.history]


def main() -> None:
    """Measure and write the results."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--images", type=int, default=2048)
    options.add_argument("--rounds", type=int, default=5)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        render_signs(Path(folder), classes=16, per_class=-(-given.images // 16), seed=0)
        collection = read_collection(Path(folder))
        started = time.perf_counter()
        loaded = load_images(collection, Framing(64), QUIET)
        reading = time.perf_counter() - started
    _, numbers = codes(loaded.collection.labels)
    part = Part.whole(np.ascontiguousarray(loaded.pixels[: given.images]), numbers[: given.images])

    result: dict[str, object] = {
        "machine": machine(),
        "images": given.images,
        "reading_images_per_second": round(len(numbers) / reading),
    }
    lines = ["| recipe | bare step, images/s | pipeline, images/s | pipeline / bare time |", "|---|---:|---:|---:|"]
    for name in ("signs", "triplet"):
        bare_epoch(name, given.images // 4)
        bare, piped = [], []
        for _ in range(given.rounds):
            bare.append(bare_epoch(name, given.images))
            piped += pipeline_epochs(name, part, 2)[1:]  # the first epoch of a run pays for warming up
            bare.append(bare_epoch(name, given.images))
        batch = read_recipe(name).sampler.batch
        rates = (given.images // batch * batch / statistics.median(bare), given.images / statistics.median(piped))
        ratio = rates[0] / rates[1]
        result[name] = {
            "bare_images_per_second": round(rates[0], 1),
            "pipeline_images_per_second": round(rates[1], 1),
            "time_ratio": round(ratio, 3),
            "bare_seconds": [round(s, 2) for s in bare],
            "pipeline_seconds": [round(s, 2) for s in piped],
        }
        lines.append(f"| {name} | {rates[0]:.0f} | {rates[1]:.0f} | {ratio:.2f} |")
    facts = machine()
    text = (
        "# Training throughput: pipeline against bare step\n\n"
        f"`python benchmarks/throughput.py`: {given.images} images at 64x64, {facts['threads']} threads "
        f"({facts['processor']}); files are read and decoded once, at "
        f"{result['reading_images_per_second']} images/s.\n\n" + "\n".join(lines)
    )
    write("throughput", result, text)


if __name__ == "__main__":
    main()
