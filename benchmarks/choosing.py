"""The tables behind docs/choosing.md: miners, losses, sizes, margins, images per class, and what makes training stick.

Traffic signs, the 58 classes with 20 crops or more, at most 60 crops of each, split by panorama; every figure is of
the validation part as queries to the training part, over three seeds unless told otherwise, with a two-level bootstrap
interval.

``mining`` and ``sticking`` train our small net from scratch at 32x32. ``grid``, ``margins`` and ``per-class`` train
a head on the features of a frozen MobileNetV2 at 96x96 (eight augmented views of each image, embedded once), so that
a run takes seconds.

    python benchmarks/choosing.py --data DIR --weights DIR [--only mining,grid,...] [--out DIR]
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from common import RESULTS, machine, write
from doppelgram.api.compare import compare
from doppelgram.comparison.findings import read_comparison
from doppelgram.comparison.grid import Grid
from doppelgram.comparison.result import Comparison
from doppelgram.numbers import estimate
from doppelgram.studies.lookalike.data import Prepared, prepare

MINERS = "none,semihard,batchhard"
SCRATCH = ("data.size=32", "optimiser.epochs=24", "optimiser.lr=0.002", "data.min_images=2")
FROZEN = (
    "model.backbone=mobilenet_v2_imagenet",
    "model.train=head",
    "model.batch_norm=true",
    "data.size=96",
    "augment.copies=8",
    "optimiser.epochs=20",
    "optimiser.lr=0.003",
    "data.min_images=2",
)
# Name, title, and the comparisons that make it up: what is varied besides, and compare's own arguments.
EXPERIMENTS: dict[str, tuple[str, Sequence[tuple[str, dict[str, Any]]]]] = {
    "mining": (
        "What mining does, from scratch",
        [("", {"losses": "triplet", "miners": MINERS, "dims": "32", "overrides": SCRATCH})],
    ),
    "sticking": (
        "What makes training stick, from scratch",
        [
            (name, {"losses": "triplet", "miners": "batchhard", "dims": "32", "overrides": (*SCRATCH, *changes)})
            for name, changes in {
                "as above": (),
                "learning rate / 10": ("optimiser.lr=0.0002",),
                "batch norm on the embedding": ("model.batch_norm=true",),
                "embeddings not normalised": ("model.normalise=false",),
                "margin 0.05": ("loss.params.margin=0.05",),
            }.items()
        ],
    ),
    "grid": (
        "Losses, miners and sizes, on frozen features",
        [
            (
                "",
                {
                    "losses": "contrastive,triplet,multi_similarity,supcon,proxy_anchor,cosface,arcface",
                    "miners": MINERS,
                    "dims": "2,16,32,64",
                    "overrides": FROZEN,
                },
            )
        ],
    ),
    "margins": (
        "Margins, on frozen features",
        [
            (
                "",
                {
                    "losses": ",".join(
                        [f"triplet(margin={m})" for m in (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)]
                        + [f"contrastive(negative_margin={m})" for m in (0.2, 0.4, 0.55, 0.8, 1.2)]
                        + [f"cosface(margin={m})" for m in (0.0, 0.1, 0.25, 0.4, 0.6)]
                    ),
                    "miners": "semihard",
                    "dims": "32",
                    "overrides": FROZEN,
                },
            )
        ],
    ),
    "per-class": (
        "Images of a class in a batch of 128, on frozen features",
        [
            (
                f"{count} of a class",
                {
                    "losses": "triplet",
                    "miners": MINERS,
                    "dims": "32",
                    "overrides": (*FROZEN, f"sampler.per_class={count}"),
                },
            )
            for count in (2, 4, 8, 16, 32)
        ],
    ),
}


def rows(name: str, comparison: Comparison) -> Iterator[list[str]]:
    """One row a setting: how good, how soon, how many of its runs went wrong."""
    runs = comparison.runs_table
    for setting, row in zip(comparison.settings, comparison.table.to_dict("records"), strict=True):
        own = runs[(runs["loss"] == setting.loss) & (runs["miner"] == setting.miner) & (runs["dim"] == setting.dim)]
        epochs = row["epochs_to_95"]
        yield [
            name,
            setting.loss,
            setting.miner if comparison.mines(setting) else "–",
            str(setting.dim),
            estimate(row["p1"], row["p1_low"], row["p1_high"]),
            estimate(row["ncm"], row["ncm_low"], row["ncm_high"]),
            f"{row['map_at_r']:.3f}",
            "–" if epochs != epochs else f"{epochs:.1f}",
            f"{int(own['stuck'].sum())} of {len(own)}",
            f"{int(own['collapsed'].sum())} of {len(own)}",
            f"{int(own['diverged'].sum())} of {len(own)}",
        ]


def run(name: str, signs: Prepared, weights: Path, out: Path, seeds: int) -> None:
    """Train what an experiment needs and write its table."""
    title, calls = EXPERIMENTS[name]
    found: dict[str, Comparison] = {}
    for number, (varied, choices) in enumerate(calls):
        arguments = dict(choices)
        folder = out / f"{name}-{number}"
        overrides = arguments.pop("overrides", ())
        found[varied] = compare(
            signs.table, folder, Grid(**arguments, seeds=seeds), overrides=overrides, split=signs.split, weights=weights
        )
    titles = [
        "varied",
        "loss",
        "miner",
        "dims",
        "P@1",
        "nearest class mean",
        "MAP@R",
        "epochs to 95 %",
        "stuck",
        "collapsed",
        "diverged",
    ]
    table = [row for varied, comparison in found.items() for row in rows(varied, comparison)]
    shown = [i for i in range(len(titles)) if i != 0 or len(calls) > 1]
    counts = signs.parts.counts()
    lines = [
        f"# {title}",
        "",
        f"`python benchmarks/choosing.py --data DIR --weights DIR --only {name}{f' --seeds {seeds}' * (seeds != 3)}`: "
        f"{counts['train']} training and {counts['val']} validation images of {signs.classes} sign classes, {seeds} "
        f"seed{'s' * (seeds > 1)}, "
        f"{machine()['cores']} cores ({machine()['processor']}).",
        "",
        "| " + " | ".join(titles[i] for i in shown) + " |",
        "|" + "---|" * len(shown),
        *("| " + " | ".join(row[i] for i in shown) + " |" for row in table),
        "",
    ]
    for varied, comparison in found.items():
        prefix = f"{varied}: " if varied else ""
        lines += [f"- {prefix}{finding.text}" for finding in read_comparison(comparison) if len(calls) == 1]
    write(f"choosing-{name}", {"machine": machine(), "titles": titles, "rows": table}, "\n".join(lines))
    if name == "mining":
        shutil.copyfile(out / "mining-0" / "mining.png", RESULTS / "mining.png")


def main() -> None:
    """Run the chosen experiments."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--data", type=Path, required=True, help="folder that holds signs/")
    options.add_argument("--weights", type=Path, required=True, help="folder that holds mobilenet_v2_imagenet/")
    options.add_argument("--only", default=",".join(EXPERIMENTS), help="experiments, separated by commas")
    options.add_argument("--out", type=Path, help="folder to keep the runs in; resumed if they are there")
    options.add_argument("--seeds", type=int, default=3, help="trainings of each setting")
    given = options.parse_args()
    out = given.out or Path(tempfile.mkdtemp())
    signs = prepare("signs", given.data / "signs", out, most=60)
    for name in given.only.split(","):
        run(name, signs, given.weights, out, given.seeds)


if __name__ == "__main__":
    main()
