"""The second half of the demo: posts of a rendered world, from learning places and poses to the role models."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from doppelgram.api.trace import trace
from doppelgram.console import progress_bar
from doppelgram.reports.role_models.summary import REPORT_FILE
from doppelgram.rolemodels.settings import TraceSettings
from doppelgram.rolemodels.validation.truth import score_lines, score_trace
from doppelgram.samples.posts import render_posts
from doppelgram.samples.process import BARE_PER_PLACE
from doppelgram.training.recipe_file import read_recipe
from doppelgram.training.train import train

PLACES, POSES, SIZE = 6, 5, 128
LEARNT, TRACED = 320, 240
# The recipe without any weights: the world says itself where everybody's joints are, and the place is learnt from
# nothing by the small net.
CHANGES = (
    "arrangement.estimator=keypoints", "arrangement.segmenter=", "arrangement.person_size=0",
    "arrangement.generic=false", "arrangement.keypoint_epochs=60",
    "model.backbone=small", "model.pretrained=false", "model.frozen_layers=0",
    "data.size=64", "split.val=0.25", "split.test=0", "augment.views=12", "augment.scale=0.3", "augment.shift=0.1",
    "augment.blur=0.3", "augment.erase=0.1", "optimiser.lr=0.004", "optimiser.backbone_lr=1",
    "optimiser.weight_decay=0.05", "optimiser.epochs=30",
)  # fmt: skip


def render_worlds(out: Path, seed: int, console: Console) -> tuple[Path, Path]:
    """Two worlds with the same landmarks and poses: one to learn from, and one of other people to trace."""
    folders = []
    for name, posts, other in (("posts-to-learn-from", LEARNT, 1), ("posts", TRACED, 0)):
        with progress_bar(console, "rendering", posts + PLACES * BARE_PER_PLACE) as advance:
            folders.append(
                render_posts(
                    out / name, posts=posts, places=PLACES, poses=POSES, size=SIZE, seed=seed + other, progress=advance
                )
            )
    return folders[0], folders[1]


def learn_places_and_poses(posts: Path, run: Path, seed: int, console: Console) -> None:
    """Train the recipe ``posts``, shortened, with ready-made keypoints and no weights."""
    trained = train(posts, read_recipe("posts", CHANGES), run, seed=seed, console=console)
    found = trained.facts.get("best", {})
    if "val_pair_accuracy" in found:
        console.print(
            f"  same arrangement or not: {found['val_pair_accuracy']:.1%} of {found['val_pairs']:,} hard pairs of the "
            "validation part right",
            highlight=False,
            soft_wrap=True,
        )


def trace_and_score(posts: Path, run: Path, out: Path, seed: int, console: Console) -> Path:
    """Trace the posts, and print how the result agrees with what truly happened in their world."""
    found = trace(
        posts, run, out=out, settings=TraceSettings(seed=seed), title="Role models of the sample world", console=console
    )
    for line in score_lines(score_trace(found, posts / "truth.csv")):
        console.print(f"  {line}", highlight=False, soft_wrap=True)
    return out / REPORT_FILE
