"""Traffic signs: train the recipe ``signs`` from scratch and evaluate it, by the commands that a user has.

Protocol: classes with 20 crops or more, split 60/20/20 so that no panorama (the number before ``_`` in a crop's
name) stands in two parts; 1-NN of the validation and of the test part among the training part. The classes with
fewer crops are left out of both.

    python benchmarks/signs.py --data DIR        # DIR/signs/<class>/<panorama>_<n>.png
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from common import SHOWN, machine, metric_table, write
from doppelgram.api.evaluating import evaluate
from doppelgram.api.run import open_run
from doppelgram.api.training import train


def main() -> None:
    """Train, evaluate, write the results."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--data", type=Path, required=True, help="folder that holds signs/")
    options.add_argument("--out", type=Path, help="run folder to keep; resumed if it is there")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--set", action="append", default=[], metavar="K=V")
    given = options.parse_args()
    folder = given.out or Path(tempfile.mkdtemp()) / "signs"
    overrides = ["data.min_images=20", *given.set]
    train(given.data / "signs", "signs", folder, overrides=overrides, seed=given.seed, resume=True)
    run = open_run(folder)
    parts = {part: evaluate(folder, part=part, out=folder / f"evaluation-{part}").to_dict() for part in ("val", "test")}
    result = {
        "machine": machine(), "seed": given.seed, "changes": overrides, "images": run.facts["images"],
        "training_seconds": run.facts["training_seconds"], "epochs": run.facts["epochs"],
        "best_epoch": run.facts["best_epoch"], **parts,
    }  # fmt: skip
    minutes = run.facts["training_seconds"] / 60
    text = (
        "# Traffic signs, 64x64, from scratch\n\n"
        f"`python benchmarks/signs.py --data DIR`: {run.facts['images']['train']} training images, classes with "
        f"20 crops or more, split by panorama. Training took {minutes:.1f} minutes on {result['machine']['cores']} "
        "cores "
        f"({result['machine']['processor']}); best epoch {run.facts['best_epoch']} of {run.facts['epochs']}.\n\n"
        + metric_table(parts, SHOWN)
    )
    write("signs", result, text)


if __name__ == "__main__":
    main()
