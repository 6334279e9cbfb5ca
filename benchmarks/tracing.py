"""Role models among real posts, from pixels, authors and times alone: are the arrangements found, and who set them?

A model of recipe ``posts`` trained by the closed protocol and one trained by the open protocol (see `posts.py`) each
trace all of ``DIR/posts``, and at their own threshold ``DIR/posts_views``, whose places they have never seen and whose
people are those of ``posts``. The columns ``place`` and ``pose`` of ``posts.csv`` are not read by the trace;
``truth.csv`` splits for training and scores afterwards.

    python benchmarks/tracing.py --data DIR --weights DIR [--out DIR]     # DIR/closed and DIR/open: runs of posts.py
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd

from common import machine, write
from doppelgram.api.trace import trace
from doppelgram.api.train import train
from doppelgram.console import TerminalProgress
from doppelgram.dataset.posts.registry import read_posts
from doppelgram.numbers import estimate, percent
from doppelgram.rolemodels.settings import TraceSettings
from doppelgram.rolemodels.validation.truth import MIN_POSTS, TruthScores, score_trace
from doppelgram.studies.role_model.protocols import closed_protocol, open_protocol, read_grouped_posts
from doppelgram.training.recipes.files import read_recipe
from doppelgram.training.run import open_run

PROGRESS = TerminalProgress()
# Besides the model's own threshold, to show what hangs on it.
THRESHOLDS = (None, 0.3, 0.5, 0.7, 0.9)


def bare_table(data: Path, folder: Path) -> Path:
    """The posts with their authors and times and nothing else."""
    posts = pd.read_csv(data / "posts.csv", dtype=str, keep_default_na=False)
    file = folder / "posts-without-labels.csv"
    posts[["path", "author", "timestamp"]].to_csv(file, index=False)
    return file


def run_of(name: str, data: Path, out: Path, weights: Path, seed: int) -> Path:
    """The run trained by a protocol's parts; trained here unless it is there."""
    folder = out / name
    if not (folder / "model" / "model.json").is_file():
        make = {"closed": closed_protocol, "open": open_protocol}[name]
        split = out / f"{name}.csv"
        make(read_grouped_posts(data), seed=seed).split.write(split)
        train(
            data, read_recipe("posts"), folder, split=split, weights=weights, seed=seed, resume=True, progress=PROGRESS
        )
    return folder


def traced(data: Path, name: str, out: Path, given: argparse.Namespace, threshold: float | None) -> tuple[Any, Any]:
    """What the model of a run finds in a set, and how right it is."""
    with tempfile.TemporaryDirectory() as temporary:
        found = trace(
            read_posts(bare_table(data, Path(temporary)), root=data),
            out / name,
            catalog=out / f"catalog-{data.name}-{name}",
            weights=given.weights,
            places=False,
            settings=TraceSettings(threshold=threshold, seed=given.seed),
            progress=PROGRESS,
        )
    return found, score_trace(found, data / "truth.csv")


def row(scores: TruthScores, name: str, threshold: float | None, used: float, test: Any) -> str:
    """One line of the table."""
    return (
        f"| {name} | {'the model' + chr(39) + 's own, ' if threshold is None else ''}{used:.2f} "
        f"| {scores.adjusted_rand:.3f} | {estimate(scores.originator_first, scores.low, scores.high)}, "
        f"n = {scores.arrangements} | {percent(scores.earliest_first)} | {scores.edge:.3f} "
        f"| {percent(scores.parents)} | {test} |"
    )


def main() -> None:
    """Trace with both models, write the results."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, required=True, help="folder that holds posts/")
    options.add_argument("--weights", type=Path, required=True)
    options.add_argument("--out", type=Path, help="keep runs and catalogs here; a temporary folder by default")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--protocol", choices=("closed", "open", "both"), default="both")
    options.add_argument("--name", default="tracing", help="of the files in results/")
    given = options.parse_args()
    lines = [
        "# Role models among real posts, from pixels, authors and times alone",
        "",
        "`python benchmarks/tracing.py --data DIR --weights DIR`: the columns `place` and `pose` are not read.",
        "",
        "| posts | model trained by | threshold | arrangements: adjusted Rand "
        f"| originator first, of {MIN_POSTS} posts or more | earliest first | edges | true parent found "
        "| arrangements that spread, q < 0.05 |",
        "|---|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    result: dict[str, Any] = {"machine": machine(), "seed": given.seed}
    with tempfile.TemporaryDirectory() as temporary:
        out = given.out or Path(temporary)
        out.mkdir(parents=True, exist_ok=True)
        for name in ("closed", "open"):
            if given.protocol not in (name, "both"):
                continue
            run = open_run(run_of(name, given.data / "posts", out, given.weights, given.seed))
            result[f"{name}-backbones"] = [tower.backbone for tower in run.recipe.towers if hasattr(tower, "backbone")]
            for asked, thresholds in (("posts", THRESHOLDS), ("posts_views", THRESHOLDS[:1])):
                for threshold in thresholds:
                    started = time.perf_counter()
                    found, scores = traced(given.data / asked, name, out, given, threshold)
                    large = found.arrangements[found.arrangements["posts"] >= MIN_POSTS]
                    spread = f"{int((large['spread_q'] < 0.05).sum())} of {len(large)}"
                    result[f"{asked}-{name}-{threshold or 'own'}"] = {
                        **scores.to_dict(),
                        "threshold": found.threshold,
                        "decay_days": found.decay_days,
                        "spread": spread,
                        "seconds": round(time.perf_counter() - started, 1),
                    }
                    lines.append(f"| {asked} {row(scores, name, threshold, found.threshold, spread)}")
        backbones = {name: ", ".join(kinds) for name, kinds in result.items() if name.endswith("backbones")}
        lines += ["", *(f"Towers' backbones, {name.split('-')[0]}: {kinds}." for name, kinds in backbones.items())]
    write(given.name, result, "\n".join(lines))


if __name__ == "__main__":
    main()
