"""The sample world of the demo: its signs, its posts, and the recipe for posts that come without weights."""

from __future__ import annotations

import shutil
from pathlib import Path

from doppelgram.api.demo_posts import CHANGES, render_worlds
from doppelgram.console import Progress
from doppelgram.errors import DoppelgramError
from doppelgram.samples.signs import render_signs
from doppelgram.training.recipes.files import read_recipe, write_recipe

CLASSES, PER_CLASS = 16, 60
MARKER = ".doppelgram-demo"


def clear(out: Path) -> None:
    """Make an empty folder; what an earlier demo wrote there is taken away.

    Raises:
        DoppelgramError: the folder holds something that is not an earlier demo.
    """
    if out.is_dir() and any(out.iterdir()) and not (out / MARKER).is_file():
        raise DoppelgramError(f"{out}: holds something that is not an earlier demo; choose another --out")
    if out.exists() and not out.is_dir():
        raise DoppelgramError(f"{out}: is a file; the demo needs a folder")
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    (out / MARKER).touch()


def render_demo_signs(folder: Path, seed: int, progress: Progress) -> None:
    """Render the demo's traffic signs."""
    with progress.bar("rendering", CLASSES * PER_CLASS) as advance:
        render_signs(folder, classes=CLASSES, per_class=PER_CLASS, seed=seed, progress=advance)


def render_pictures(out: Path, seed: int, progress: Progress) -> dict[str, Path]:
    """Render everything that the demo works on, and write down the recipe that it learns places and poses by.

    Args:
        out: an empty folder.
        seed: which world.
        progress: where progress is shown.

    Returns:
        ``images``, ``posts_to_learn_from``, ``posts`` and ``posts_recipe``.
    """
    images, recipe = out / "signs", out / "posts.toml"
    render_demo_signs(images, seed, progress)
    known, posts = render_worlds(out, seed, progress)
    write_recipe(read_recipe("posts", CHANGES), recipe)
    return {"images": images, "posts_to_learn_from": known, "posts": posts, "posts_recipe": recipe}
