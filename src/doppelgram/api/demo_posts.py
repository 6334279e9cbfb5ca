"""The second half of the demo: posts of a rendered world, from learning places and poses to the role models."""

from __future__ import annotations

from pathlib import Path

from doppelgram.api.trace import trace
from doppelgram.api.train import train
from doppelgram.console import Progress
from doppelgram.numbers import percent
from doppelgram.reports.role_models.summary import REPORT_FILE
from doppelgram.rolemodels.settings import TraceSettings
from doppelgram.rolemodels.validation.truth import score_lines, score_trace
from doppelgram.samples.posts import render_posts
from doppelgram.samples.process import BARE_PER_PLACE
from doppelgram.training.recipes.files import read_recipe

PLACES, POSES, SIZE = 6, 5, 128
LEARNT, TRACED = 320, 240
# The recipe without any weights: the world says itself where everybody's joints are, and the place is learnt from
# nothing by the small net.
CHANGES = (
    "arrangement.estimator=keypoints",
    "arrangement.segmenter=",
    "towers.person=off",
    "towers.scene=off",
    "towers.place.weight=1",
    "towers.generic=off",
    "split.val=0.25",
    "split.test=0",
    "towers.*.backbone=small",
    "towers.*.pretrained=false",
    "towers.*.frozen_layers=0",
    "towers.*.size=64",
    "towers.*.copies=12",
    "towers.*.augment.scale=0.3",
    "towers.*.augment.shift=0.1",
    "towers.*.augment.blur=0.3",
    "towers.*.augment.erase=0.1",
    "towers.*.backbone_lr=1",
    "towers.*.epochs=60",
    "towers.place.epochs=30",
    "towers.place.lr=0.004",
    "towers.place.weight_decay=0.05",
)


def render_worlds(out: Path, seed: int, progress: Progress) -> tuple[Path, Path]:
    """Two worlds with the same landmarks and poses: one to learn from, and one of other people to trace."""
    folders = []
    for name, posts, other in (("posts-to-learn-from", LEARNT, 1), ("posts", TRACED, 0)):
        with progress.bar("rendering", posts + PLACES * BARE_PER_PLACE) as advance:
            folders.append(
                render_posts(
                    out / name, posts=posts, places=PLACES, poses=POSES, size=SIZE, seed=seed + other, progress=advance
                )
            )
    return folders[0], folders[1]


def learn_places_and_poses(posts: Path, run: Path, seed: int, progress: Progress) -> None:
    """Train the recipe ``posts``, shortened, with ready-made keypoints and no weights."""
    trained = train(posts, read_recipe("posts", CHANGES), run, seed=seed, progress=progress)
    found = trained.facts.get("best", {})
    if "val_pair_accuracy" in found:
        right, pairs = percent(found["val_pair_accuracy"]), found["val_pairs"]
        progress.note(f"  same arrangement or not: {right} of {pairs:,} hard pairs of the validation part right")


def trace_and_score(posts: Path, run: Path, out: Path, seed: int, progress: Progress) -> Path:
    """Trace the posts, and print how the result agrees with what truly happened in their world."""
    found = trace(
        posts,
        run,
        out=out,
        settings=TraceSettings(seed=seed),
        title="Role models of the sample world",
        progress=progress,
    )
    for line in score_lines(score_trace(found, posts / "truth.csv")):
        progress.note(f"  {line}")
    return out / REPORT_FILE
