"""Traffic signs: train the recipe ``signs`` from scratch and evaluate it, by the commands that a user has.

Protocol: all 148 classes are split 60/20/20 so that no panorama (the number before ``_`` in a crop's name) stands in
two parts. The 58 classes with 20 crops or more: 1-NN and nearest class mean of the validation and of the test part
among the training part. The 90 rarer classes are the few-shot case: their crops of training panoramas are trained on
too (part ``extra``; two or three of a class), and their other crops are queries to a gallery of the training crops of
all 148 classes. A class seen in one panorama only gives its crops to the gallery.

    python benchmarks/signs.py --data DIR        # DIR/signs/<class>/<panorama>_<n>.png
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from common import SHOWN, by_views, embedded_parts, machine, metric_table, way_table, write
from doppelgram.api.evaluate import evaluate
from doppelgram.api.train import train
from doppelgram.dataset.collection import Collection
from doppelgram.dataset.read import read_collection
from doppelgram.dataset.splits import Split, make_split
from doppelgram.evaluation.evaluate import evaluate_embeddings
from doppelgram.images.batch import load_pixels
from doppelgram.models.bundle import load_model
from doppelgram.models.model import Model
from doppelgram.training.run import open_run

COMMON = 20  # crops from which on a class counts as common
SHARES = {"train": 0.6, "val": 0.2, "test": 0.2}
# Validation crops that look to us like another class than their label says. They are queries like all others.
CONTRADICTED = (
    "pl100/52168_230.png",
    "pl100/52168_231.png",  # 80
    "pl50/9150_602.png",
    "pn/16135_129.png",  # no entry
)


def divide(signs: Collection, seed: int) -> tuple[Split, np.ndarray[Any, Any]]:
    """The split to train by, and the rows of the few-shot queries, which it leaves out."""
    labels = signs.labels
    names, counts = np.unique(labels, return_counts=True)
    common = np.isin(labels, names[counts >= COMMON])
    whole, panoramas = make_split(signs, "panorama", SHARES, seed), signs.column("panorama")
    parts, queries = {}, []
    for row, name in enumerate(signs.names):
        if common[row]:
            parts[name] = whole.parts[name]
        elif whole.parts[name] == "train" or len(set(panoramas[labels == labels[row]])) == 1:
            parts[name] = "extra"
        else:
            queries.append(row)
    return replace(whole, parts=parts), np.array(queries)


def few_shot(folder: Path, signs: Collection, split: Split, queries: np.ndarray[Any, Any]) -> dict[str, Any]:
    """1-NN and nearest class mean of the rare classes' held-out crops among the training crops of all classes."""
    model = load_model(folder)
    rows = split.rows(signs)
    gallery = np.sort(np.concatenate([rows["train"], rows["extra"]]))
    found = {}
    for name, chosen in (("gallery", gallery), ("queries", queries)):
        loaded = load_pixels([signs.paths[row] for row in chosen], model.framing, keep_duplicates=True)
        found[name] = model.embed_pixels(loaded.pixels)
    result = evaluate_embeddings(found["gallery"], signs.labels[gallery], found["queries"], signs.labels[queries])
    answerable = np.isin(signs.labels[queries], signs.labels[gallery])
    return {
        **result.to_dict(),
        "classes in the gallery": len(np.unique(signs.labels[gallery])),
        "queries": len(queries),
        "without a training crop": int((~answerable).sum()),
    }


def wrong(model: Model, signs: Collection, split: Split) -> list[dict[str, str]]:
    """The validation crops whose nearest training crop is of another class, with both classes."""
    vectors, labels = embedded_parts(model, signs, split, model.views)
    nearest = (vectors["val"] @ vectors["train"].T).argmax(1)  # embeddings have length one
    names = [signs.names[row] for row in split.rows(signs)["val"]]
    found = zip(names, labels["val"].tolist(), labels["train"][nearest].tolist(), strict=True)
    return [{"crop": name, "label": label, "nearest": other} for name, label, other in found if label != other]


def main() -> None:
    """Train, evaluate, write the results."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--data", type=Path, required=True, help="folder that holds signs/")
    options.add_argument("--out", type=Path, help="folder to keep the run in; resumed if it is there")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--set", action="append", default=[], metavar="K=V")
    given = options.parse_args()
    out = given.out or Path(tempfile.mkdtemp())
    out.mkdir(parents=True, exist_ok=True)
    folder = out / "run"
    signs = read_collection(given.data / "signs", name_pattern=r"(?P<panorama>\d+)_").labelled()
    split, queries = divide(signs, given.seed)
    split.write(out / "split.csv")
    train(
        given.data / "signs",
        "signs",
        folder,
        overrides=["data.min_images=1", *given.set],
        split=out / "split.csv",
        seed=given.seed,
        resume=True,
    )
    run = open_run(folder)
    parts = {part: evaluate(folder, part=part, out=folder / f"evaluation-{part}").to_dict() for part in ("val", "test")}
    rare = few_shot(folder, signs, split, queries)
    model = load_model(folder)
    ways = by_views(model, signs, split, (1, 3), given.seed)
    errors = wrong(model, signs, split)
    doubtful = [error["crop"] for error in errors if error["crop"] in CONTRADICTED]
    result = {
        "machine": machine(),
        "seed": given.seed,
        "changes": given.set,
        "images": run.facts["images"],
        "training_seconds": run.facts["training_seconds"],
        "processor_seconds": run.facts["processor_seconds"],
        "epochs": run.facts["epochs"],
        "best_epoch": run.facts["best_epoch"],
        **parts,
        "rare": rare,
        "ways": ways,
        "wrong": errors,
        "contradicted": doubtful,
    }
    minutes, computing = (run.facts[f"{which}_seconds"] / 60 for which in ("training", "processor"))
    text = (
        "# Traffic signs, 64x64, from scratch\n\n"
        f"`python benchmarks/signs.py --data DIR`: {run.facts['images']['train']} training images of the 58 classes "
        f"with {COMMON} crops or more and {run.facts['images']['extra']} of rarer ones, split by panorama. Training "
        f"took {computing:.1f} minutes of processor time ({minutes:.1f} by the clock; {machine()['threads']} of "
        f"{machine()['cores']} cores, {machine()['processor']}); best epoch {run.facts['best_epoch']} of "
        f"{run.facts['epochs']}.\n\n" + metric_table(parts, SHOWN) + "\n\n"
        f"Of the {len(errors)} validation crops whose nearest training crop is of another class, {len(doubtful)} look "
        f"to us like another class than their label says ({', '.join(f'`{name}`' for name in doubtful) or 'none'}); "
        "they are counted as wrong all the same.\n\n" + way_table(ways, "the same network") + "\n\n"
        f"The rarer classes: {rare['queries']} crops compared with a gallery of "
        f"{rare['classes in the gallery']} classes; "
        f"{rare['without a training crop']} of them are of a class that has no crop there and were left out.\n\n"
        + metric_table({"rare classes among all": rare}, SHOWN)
    )
    write("signs", result, text)


if __name__ == "__main__":
    main()
