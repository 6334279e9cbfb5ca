"""The role-model study's ladder on real posts, and what keeping features saves.

Every rung by `doppelgram reproduce rolemodel` on ``DIR/posts`` (closed and open protocol, persons and photos from
``truth.csv``). Beside it, for the rung of cached features: seconds of one epoch on features that are kept, and seconds
of an epoch in which the frozen backbone sees every photograph of every pair again, measured on a few of its batches.

    python benchmarks/ladder.py --data DIR --weights DIR [--out DIR] [--backbone NAME ...] [--rung KEY ...] [--no-ours]
        [--no-speed]

Rungs that an earlier call left in ``--out`` are taken from there.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from common import RESULTS, machine, write
from doppelgram.console import SilentProgress, TerminalProgress
from doppelgram.dataset.loading import load_images
from doppelgram.images.framing import Framing
from doppelgram.studies.role_model.data import Posts, read_ladder_posts
from doppelgram.studies.role_model.pair_inputs import PairInputs, mirrored_features
from doppelgram.studies.role_model.pair_plan import PairPlan
from doppelgram.studies.role_model.plan import BACKBONE, study_recipe
from doppelgram.studies.role_model.reproduce import reproduce_role_model
from doppelgram.studies.role_model.rungs import pair_network
from doppelgram.training.tasks.pairs import PairsTask
from doppelgram.training.trainer import Place, fit
from doppelgram.weights import cache_folder

SAMPLE = 64  # photographs that the backbone is timed on
BATCHES = 8  # of the epoch that runs the backbone again


def epoch_seconds(data: Path, weights: Path, epochs: int) -> dict[str, Any]:
    """Seconds of an epoch on kept features and of one that runs the frozen backbone again, and the factor."""
    recipe = study_recipe("last")
    collection, grouped = read_ladder_posts(data, None)
    collection = collection.take(collection.column("pose") != "")
    images = load_images(collection, Framing(recipe.data.size), TerminalProgress())
    posts = Posts.of(images.collection, grouped)
    rows = np.random.default_rng(0).permutation(len(collection))
    train, val = np.sort(rows[: len(rows) * 6 // 10]), np.sort(rows[len(rows) * 6 // 10 : len(rows) * 8 // 10])
    plan = PairPlan(posts.place, posts.pose, train, recipe.pairs.batch, 0)
    validation = PairPlan(posts.place, posts.pose, val, recipe.pairs.batch, 1).fixed()
    network = pair_network(recipe, weights, 0)
    # A sample through the backbone, timed; all of them from the cache that the ladder itself uses.
    some = np.arange(0, len(images.pixels), max(1, len(images.pixels) // SAMPLE))[:SAMPLE]
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        mirrored_features(
            network.tower,
            images.pixels[some],
            [images.hashes[row] for row in some],
            Path(folder),
        )
    rate = 2 * len(some) / (time.perf_counter() - started)
    with TerminalProgress().bar("features", 2 * len(images.pixels)) as advance:
        features = mirrored_features(
            network.tower,
            images.pixels,
            images.hashes,
            cache_folder() / "features",
            augmentation=recipe.augment.changes,
            copies=recipe.augment.copies,
            progress=advance,
        )

    # The study's own optimiser, to the end: what 100 epochs take, and how far they come.
    literal = {"name": "sgd", "lr": 1e-4, "momentum": 0.9, "weight_decay": 0.0, "epochs": epochs}
    long = recipe.with_values(optimiser=literal, stopping={"patience": 0})
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        task = PairsTask(network, PairInputs(features), plan, validation, long)
        history = fit(task, long.stopping, Place.of_run(Path(folder), title="pairs"), SilentProgress()).history
    kept = (time.perf_counter() - started) / epochs

    again = pair_network(recipe, weights, 0).train()
    inputs, generator = PairInputs(images.pixels), torch.Generator().manual_seed(0)
    optimiser = torch.optim.SGD([p for p in again.parameters() if p.requires_grad], lr=recipe.optimiser.lr)
    batches = plan.epoch_batches(0)
    started = time.perf_counter()
    for pairs in batches[:BATCHES]:
        logits = []
        for side in (0, 1):
            shown, _ = inputs.changed(pairs[:, side], recipe.augment.changes, generator)
            logits.append(again.describe(shown))
        loss = torch.nn.functional.binary_cross_entropy_with_logits(
            again(*logits), torch.from_numpy(pairs[:, 2]).float()
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    rerun = (time.perf_counter() - started) / min(BATCHES, len(batches)) * len(batches)
    return {
        "literal_train_loss": [round(history[epoch]["train_loss"], 4) for epoch in (0, -1)],
        "literal_best_val_loss": round(min(epoch["val_loss"] for epoch in history), 4),
        "pixels": recipe.data.size,
        "pairs_an_epoch": int(sum(map(len, batches))),
        "epochs": epochs,
        "images": len(images.pixels),
        "views": 2 * recipe.augment.copies,
        "features_images_per_second": round(rate, 1),
        "kept_epoch_seconds": round(kept, 3),
        "kept_100_epochs_seconds": round(100 * kept, 1),
        "rerun_epoch_seconds": round(rerun, 1),
        "factor": round(rerun / kept, 1),
    }


def main() -> None:
    """Measure, climb, write the results."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--data", type=Path, required=True, help="folder that holds posts/")
    options.add_argument("--weights", type=Path, required=True)
    options.add_argument("--out", type=Path, help="folder to keep the rungs in; resumed if they are there")
    options.add_argument("--protocol", default="both")
    options.add_argument("--backbone", action="append", default=[], help="to start from; repeatable")
    options.add_argument("--rung", action="append", default=[], help="only this one; repeatable")
    options.add_argument("--no-ours", action="store_true", help="leave our own models out")
    options.add_argument("--no-speed", action="store_true", help="keep what is written of keeping features")
    options.add_argument("--seed", type=int, default=0)
    given = options.parse_args()
    facts = machine()
    out = given.out or Path(tempfile.mkdtemp())
    report = reproduce_role_model(
        given.data / "posts",
        out,
        weights=given.weights,
        protocol=given.protocol,
        ours=not given.no_ours,
        only=given.rung,
        backbones=given.backbone or (BACKBONE,),
        seed=given.seed,
    )
    found = json.loads((report.parent / "ladder.json").read_text(encoding="utf-8"))
    found["settings"] = {k: v for k, v in found["settings"].items() if k not in ("data", "groups")}
    body = (report.parent / "report.md").read_text(encoding="utf-8")
    body = "\n".join(line for line in body.splitlines() if not line.startswith(("![", "*Every rung", "*Posts, and")))
    before = json.loads((RESULTS / "ladder.json").read_text(encoding="utf-8"))
    speed = before["speed"]
    if not given.no_speed:
        write("ladder", {"machine": facts, "speed": speed, **found}, body)  # there even if what follows is interrupted
        speed = {"machine": facts, **epoch_seconds(given.data / "posts", given.weights, 100)}
    write("ladder", {"machine": facts, "speed": speed, **found}, f"{body.strip()}\n\n{speed_text(speed)}")


def speed_text(speed: dict[str, Any]) -> str:
    """What keeping features saves, as Markdown."""
    facts = speed["machine"]
    lines = [
        "## What keeping features saves",
        "",
        f"`python benchmarks/ladder.py --data DIR --weights DIR`, {facts['cores']} cores ({facts['processor']}), "
        f"{facts['threads']} thread{'s' * (facts['threads'] > 1)}. {speed['pairs_an_epoch']:,} pairs an epoch at "
        f"{speed['pixels']} pixels.",
        "",
        "| | seconds |",
        "|---|---:|",
        f"| features of {speed['images']:,} posts in {speed['views']} views each, once, at "
        f"{speed['features_images_per_second']} images a second | "
        f"{speed['images'] * speed['views'] / speed['features_images_per_second']:.0f} |",
        f"| an epoch on kept features | {speed['kept_epoch_seconds']} |",
        f"| 100 epochs on kept features | {speed['kept_100_epochs_seconds']} |",
        f"| an epoch with the frozen backbone run again on both photographs of every pair | "
        f"{speed['rerun_epoch_seconds']} |",
        f"| factor | {speed['factor']} |",
        "",
        "These 100 epochs were stepped as the study stepped, by SGD at 1e-4 (momentum 0.9): the training loss went "
        f"from {speed['literal_train_loss'][0]:.4f} to {speed['literal_train_loss'][1]:.4f} and "
        f"the validation loss came down to "
        f"{speed['literal_best_val_loss']:.4f}, where guessing is 0.6931. The rungs above use AdamW.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
