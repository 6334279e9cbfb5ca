"""Faces: the way from a small net to the recipe ``faces``, and verification of people never trained on.

Protocol: the 62 identities listed in ``lfw62.txt`` are split 60/20/20 by image, stratified. The photographs of other
identities are trained on too (part ``extra``) but are neither queries nor in the gallery. 1-NN and nearest class
mean of the validation and of the test part among the training part of the 62; which of the two counts is chosen on the
validation part.

The last step's network is also looked at in three ways: embedding the photograph and its mirror image alone, averaging
over the recipe's views, and with the validation photographs in the gallery too, once they have chosen everything.

For the recipe ``faces``, 100 of the other identities are kept out of training altogether. 50 of them choose the
threshold of verification, the other 50 are tested: people that neither the network nor the threshold has seen.

    python benchmarks/faces.py --data DIR --weights DIR     # DIR/lfw/<Name>/<Name>_0001.jpg, DIR/lfw62.txt
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from common import RESULTS, SHOWN, by_views, embedded_parts, machine, metric_table, way_table, with_interval, write
from doppelgram.api.evaluate import evaluate
from doppelgram.api.split import split_data
from doppelgram.api.train import train
from doppelgram.dataset.collection import Collection
from doppelgram.dataset.read import read_collection
from doppelgram.dataset.splits import Split, read_split
from doppelgram.evaluation.calibration import fit_calibration
from doppelgram.evaluation.evaluate import evaluate_embeddings
from doppelgram.evaluation.intervals import bootstrap_mean
from doppelgram.evaluation.result import EvaluationResult
from doppelgram.evaluation.sampling import sample_pairs
from doppelgram.evaluation.task import EmbeddedSet, make_task
from doppelgram.images.batch import load_pixels
from doppelgram.models.bundle import load_model
from doppelgram.models.model import Model
from doppelgram.space.exact import pair_distances
from doppelgram.training.recipes.files import read_recipe
from doppelgram.training.run import open_run

HELD_OUT = 100
PLAIN = (
    "model.stride=0",
    'model.pooling=""',
    "model.frozen_layers=0",
    "optimiser.average=0",
    "optimiser.epochs=12",
    "augment.erase=0",
)
SCRATCH = (
    *PLAIN,
    "model.backbone=small",
    "data.size=64",
    "model.batch_norm=false",
    "optimiser.backbone_lr=1",
    "optimiser.loss_lr=1",
    "optimiser.lr=0.003",
    "sampler.batch=128",
    "model.frozen_norms=false",
    "optimiser.epochs=20",
)
# Name, folder, what it changes in the recipe, and whether it trains on all other identities.
STEPS: Sequence[tuple[str, str, Sequence[str], bool]] = (
    ("our small net from scratch, 64x64", "from-scratch", SCRATCH, True),
    ("MobileNetV2 fine-tuned, 12 epochs", "fine-tuned", PLAIN, True),
    ("+ stride 16, depthwise pooling, 24 epochs, weight averaging, erasing: recipe faces", "faces", (), False),
)


def hold_out(split: Split, seed: int) -> tuple[Split, list[str]]:
    """The split without some of the other identities, and their names in random order."""
    others = sorted({name.split("/")[0] for name, part in split.parts.items() if part == "extra"})
    held = random.Random(seed).sample(others, HELD_OUT)
    kept = {name: part for name, part in split.parts.items() if name.split("/")[0] not in set(held)}
    return replace(split, parts=kept), held


def open_set(model: Model, faces: Collection, held: Sequence[str], seed: int) -> dict[str, Any]:
    """Verification among the second half of the identities held out, its threshold from the first half."""
    found = {}
    for name, people in (("threshold", held[: HELD_OUT // 2]), ("queries", held[HELD_OUT // 2 :])):
        rows = np.flatnonzero(np.isin(faces.labels, people))
        loaded = load_pixels([faces.paths[row] for row in rows], model.framing, keep_duplicates=True)
        found[name] = model.embed_pixels(loaded.pixels), faces.labels[rows]
    task = make_task(EmbeddedSet(*found["threshold"]))
    a, b, same = sample_pairs(task, seed=seed)
    distances = pair_distances(task.query, task.gallery, a, b)
    calibration = fit_calibration(distances, np.arange(len(a)) < same, fitted_on="other identities")
    result = evaluate_embeddings(
        model.space, EmbeddedSet(*found["queries"]), threshold=calibration.threshold, seed=seed
    )
    people = len(np.unique(found["queries"][1]))
    return {**result.to_dict(), "images": len(found["queries"][1]), "people": people}


def gain(better: EvaluationResult, worse: EvaluationResult, seed: int) -> str:
    """Difference in 1-NN accuracy on the same queries, with a paired bootstrap interval over images."""
    right = []
    for result in (better, worse):
        truth, predicted = result.evidence.truth, result.evidence.predicted
        right.append((np.asarray(truth) == np.asarray(predicted)).astype(np.float64))
    difference = right[0] - right[1]
    low, high = bootstrap_mean(difference, seed=seed)
    return f"{100 * difference.mean():+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"


def unpaired_gain(better: dict[str, Any], worse: dict[str, Any]) -> str:
    """The same from two shares with their Wilson intervals (Newcombe 1998, method 10), wider than a paired one."""
    a, b = better["knn_accuracy"], worse["knn_accuracy"]
    difference = a["value"] - b["value"]
    low = difference - np.hypot(a["value"] - a["low"], b["high"] - b["value"])
    high = difference + np.hypot(a["high"] - a["value"], b["value"] - b["low"])
    return f"{100 * difference:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"


def by_gallery(model: Model, faces: Collection, split: Split, seed: int) -> dict[str, dict[str, Any]]:
    """The last step's network with one view and several, and with the validation part in the gallery too."""
    recipe_views = model.tower.copies
    ways = by_views(model, faces, split, (1, recipe_views), seed)
    vectors, labels = embedded_parts(model, faces, split, recipe_views)
    both = (np.concatenate([each["train"], each["val"]]) for each in (vectors, labels))
    ways[f"{recipe_views} view{'s' * (recipe_views > 1)}, the validation photographs in the gallery too"] = {
        "test": evaluate_embeddings(
            model.space, EmbeddedSet(*both), EmbeddedSet(vectors["test"], labels["test"]), seed=seed
        ).to_dict()
    }
    return ways


def main() -> None:
    """Train, evaluate, write the results."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--data", type=Path, required=True, help="folder that holds lfw/ and lfw62.txt")
    options.add_argument("--weights", type=Path, required=True, help="folder that holds mobilenet_v2_imagenet/")
    options.add_argument("--out", type=Path, help="folder to keep the runs in; resumed if they are there")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--last", action="store_true", help="train the last step alone; the others as committed")
    given = options.parse_args()
    out = given.out or Path(tempfile.mkdtemp())
    out.mkdir(parents=True, exist_ok=True)
    lfw, whole = given.data / "lfw", out / "split.csv"
    split_data(lfw, "image", whole, seed=given.seed, evaluate_on=given.data / "lfw62.txt")
    reduced, held = hold_out(read_split(whole), given.seed)
    reduced.write(out / "split-open.csv")

    result: dict[str, Any] = {"machine": machine(), "seed": given.seed, "images": reduced.counts()}
    found: dict[str, dict[str, EvaluationResult]] = {}
    committed = json.loads((RESULTS / "faces.json").read_text(encoding="utf-8")) if given.last else {}
    for name, folder, overrides, everybody in STEPS:
        if given.last and folder != STEPS[-1][1]:
            result[name] = committed[name] | {"machine": committed[name].get("machine", committed["machine"])}
            continue
        run = out / folder
        recipe = read_recipe("faces", overrides)
        split = whole if everybody else out / "split-open.csv"
        train(lfw, recipe, run, split=split, weights=given.weights, seed=given.seed, resume=True)
        facts = open_run(run).facts
        found[name] = {part: evaluate(run, part=part, out=run / f"evaluation-{part}") for part in ("val", "test")}
        result[name] = {
            "training_seconds": facts["training_seconds"],
            "processor_seconds": facts.get("processor_seconds"),
            "epochs": facts["epochs"],
            "best_epoch": facts["best_epoch"],
            **{part: each.to_dict() for part, each in found[name].items()},
        }

    names = [name for name, *_ in STEPS]
    lines = [
        "| step | training | 1-NN val | 1-NN test | balanced | class mean test | balanced | gain in 1-NN, test |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for place, name in enumerate(names):
        val, test = (result[name][part] for part in ("val", "test"))
        computing = result[name].get("processor_seconds")
        cells = [
            f"{computing / 60:.1f} min of one core" if computing else f"{result[name]['training_seconds'] / 60:.1f} min"
        ]
        for metrics, key in (
            (val, "knn_accuracy"),
            (test, "knn_accuracy"),
            (test, "balanced_knn_accuracy"),
            (test, "ncm_accuracy"),
            (test, "balanced_ncm_accuracy"),
        ):
            cells.append(with_interval(metrics[key]))
        before = names[place - 1] if place else ""
        paired = before in found and name in found
        cells.append(
            ""
            if not place
            else gain(found[name]["test"], found[before]["test"], given.seed)
            if paired
            else unpaired_gain(test, result[before]["test"])
        )
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    last = found[names[-1]]
    model = load_model(out / STEPS[-1][1])
    collection = read_collection(lfw).labelled()
    strangers = open_set(model, collection, held, given.seed)
    ways = by_gallery(model, collection, reduced, given.seed)
    result |= {"strangers": strangers, "ways": ways}
    verification = {k: v for k, v in SHOWN.items() if k.startswith(("pair", "tar"))}
    counts = reduced.counts()
    elsewhere = {result[name]["machine"]["processor"] for name in names if "machine" in result[name]}
    earlier = f"The steps before the last were measured earlier, on {' and '.join(elsewhere)}." if elsewhere else ""
    text = "\n".join(
        [
            "# Faces: the 62 identities of LFW with 20 photographs or more",
            "",
            f"`python benchmarks/faces.py --data DIR --weights DIR`: {counts['train']} training images of the 62, "
            f"{counts['val']} to validate, {counts['test']} to test; {machine()['cores']} cores "
            f"({machine()['processor']}). The last step trains on {counts['extra']} photographs of other people, the "
            f"steps before it on those of {HELD_OUT} people more.",
            "",
            *lines,
            "",
            earlier,
            "",
            way_table(ways, "the last step's network"),
            "",
            "The last step in full:",
            "",
            metric_table({part: each.to_dict() for part, each in last.items()}, SHOWN),
            "",
            f"Verification of {strangers['people']} people never trained on ({strangers['images']} photographs), at a "
            f"threshold chosen on {HELD_OUT // 2} others:",
            "",
            metric_table({"people never trained on": strangers}, verification),
        ]
    )
    write("faces", result, text)


if __name__ == "__main__":
    main()
