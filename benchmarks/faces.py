"""Faces: fine-tune the recipe ``faces``, and train from scratch at 64x64 beside it, by the commands that a user has.

Protocol: the 62 identities listed in ``lfw62.txt`` are split 60/20/20 by image, stratified; the photographs of all
other identities are trained on too (part ``extra``) but are neither asked about nor in the gallery. 1-NN and nearest
class mean of the validation and of the test part among the training part of the 62.

    python benchmarks/faces.py --data DIR --weights DIR     # DIR/lfw/<Name>/<Name>_0001.jpg, DIR/lfw62.txt
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from common import SHOWN, machine, metric_table, write
from doppelgram.api.evaluating import evaluate
from doppelgram.api.run import open_run
from doppelgram.api.splitting import split_data
from doppelgram.api.training import train

# The same recipe without pretrained weights, at the exercise's size.
SCRATCH = (
    "model.backbone=small", "data.size=64", "model.batch_norm=false", "optimiser.backbone_lr=1", "optimiser.loss_lr=1",
    "optimiser.lr=0.003", "sampler.batch=128", "model.frozen_norms=false", "optimiser.epochs=20",
)  # fmt: skip


def main() -> None:
    """Train, evaluate, write the results."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--data", type=Path, required=True, help="folder that holds lfw/ and lfw62.txt")
    options.add_argument("--weights", type=Path, required=True, help="folder that holds mobilenet_v2_imagenet/")
    options.add_argument("--out", type=Path, help="folder to keep the runs in; resumed if they are there")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--set", action="append", default=[], metavar="K=V", help="change the fine-tuned run")
    given = options.parse_args()
    out = given.out or Path(tempfile.mkdtemp())
    out.mkdir(parents=True, exist_ok=True)
    lfw, split = given.data / "lfw", out / "split.csv"
    counts = split_data(lfw, "image", split, seed=given.seed, evaluate_on=given.data / "lfw62.txt").counts()

    result: dict[str, object] = {"machine": machine(), "seed": given.seed, "images": counts}
    tables: dict[str, dict[str, dict[str, float]]] = {}
    about = []
    for name, overrides in (("fine-tuned", given.set), ("from scratch, 64x64", list(SCRATCH))):
        folder = out / name.split(",")[0].replace(" ", "-")
        train(
            lfw, "faces", folder, overrides=overrides, split=split, weights=given.weights, seed=given.seed, resume=True
        )
        facts = open_run(folder).facts
        parts = {
            part: evaluate(folder, part=part, out=folder / f"evaluation-{part}").to_dict() for part in ("val", "test")
        }
        result[name] = {"changes": overrides, "training_seconds": facts["training_seconds"], "epochs": facts["epochs"],
                        "best_epoch": facts["best_epoch"], **parts}  # fmt: skip
        tables |= {f"{name}, {part}": metrics for part, metrics in parts.items()}
        about.append(
            f"{name}: {facts['training_seconds'] / 60:.1f} minutes of training, best epoch {facts['best_epoch']} of "
            f"{facts['epochs']}"
        )
    text = (
        "# Faces: the 62 identities of LFW with 20 photographs or more\n\n"
        f"`python benchmarks/faces.py --data DIR --weights DIR`: {counts['train']} training images of the 62 and "
        f"{counts['extra']} of other identities; {'; '.join(about)}; {machine()['cores']} cores "
        f"({machine()['processor']}).\n\n" + metric_table(tables, SHOWN)
    )
    write("faces", result, text)


if __name__ == "__main__":
    main()
