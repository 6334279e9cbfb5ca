"""The main job from beginning to end on a sample world that the program renders itself."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from rich.console import Console

from doppelgram.api.demo_posts import learn_places_and_poses, render_worlds, trace_and_score
from doppelgram.api.evaluate import evaluate
from doppelgram.api.search import index, search
from doppelgram.console import progress_bar
from doppelgram.dataset.read import read_collection
from doppelgram.dataset.splits import read_split
from doppelgram.errors import DoppelgramError
from doppelgram.numbers import duration, interval, percent
from doppelgram.samples.signs import render_signs
from doppelgram.training.recipe_file import read_recipe
from doppelgram.training.train import train

CLASSES, PER_CLASS = 16, 60
# The shipped recipe, shortened for a set that is a tenth of the size it was made for.
CHANGES = ("optimiser.epochs=16", "sampler.batch=64")
MARKER = ".doppelgram-demo"


def demo(out: Path | str = "demo", *, seed: int = 0, console: Console | None = None) -> dict[str, Path]:
    """Render sample signs, train on them, evaluate, index and search; then render posts, and find the role models.

    Everything lands in one folder.

    Args:
        out: the folder; what an earlier demo wrote there is replaced.
        seed: of the rendered signs and of the training.
        console: where progress and the paths are printed; standard error by default.

    Returns:
        What was written: ``images``, ``run``, ``report``, ``catalog``, ``montage``; ``posts``, ``posts_run``,
        ``role_models``.

    Raises:
        DoppelgramError: the folder holds something that is not an earlier demo.
    """
    console = console or Console(stderr=True)
    out = Path(out).expanduser()
    started = time.perf_counter()
    _clear(out)
    places = {
        "images": out / "signs",
        "run": out / "run",
        "report": out / "report",
        "catalog": out / "catalog",
        "montage": out / "look-alikes.png",
        "posts": out / "posts",
        "posts_run": out / "posts-run",
        "role_models": out / "role-models" / "report.html",
    }
    _step(console, 1, "render a sample world of traffic signs")
    with progress_bar(console, "rendering", CLASSES * PER_CLASS) as advance:
        render_signs(places["images"], classes=CLASSES, per_class=PER_CLASS, seed=seed, progress=advance)
    _step(console, 2, "train: learn which signs look alike (split by scene, so that no scene is on both sides)")
    run = train(places["images"], read_recipe("signs", CHANGES), places["run"], seed=seed, console=console)
    _step(console, 3, "evaluate on scenes never seen in training")
    result = evaluate(run.folder, out=places["report"], console=console)
    for name in ("precision_at_1", "ncm_accuracy", "map_at_r", "pair_auc"):
        if name in result:
            metric = result[name]
            console.print(
                f"  {name:<16} {percent(metric.value):>7}  ({interval(metric.low, metric.high)}, n = {metric.n:,})",
                highlight=False,
            )
    _step(console, 4, "index every sign, and search with signs of the test part")
    index(places["images"], run.folder, places["catalog"], console=console)
    search(places["catalog"], _queries(places, 8), 6, montage=places["montage"])

    _step(console, 5, "render posts: people pose before landmarks, and repeat each other")
    known, _ = render_worlds(out, seed, console)
    _step(console, 6, "train: learn places and poses from the posts of one world")
    learn_places_and_poses(known, places["posts_run"], seed, console)
    _step(console, 7, "trace: who set what others repeated, in a world of other people")
    trace_and_score(places["posts"], places["posts_run"], places["role_models"].parent, seed, console)

    console.print(f"\nDone in {duration(time.perf_counter() - started)}.", highlight=False)
    query = _queries(places, 1)[0]
    for line in (
        f"  look-alikes  {places['montage']}",
        f"  evaluation   {places['report'] / 'metrics.md'}",
        f"  role models  {places['role_models']}",
        f"  try          doppelgram search {places['catalog']} {query}",
    ):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    return places


def _queries(places: dict[str, Path], count: int) -> list[Path]:
    """Test images of different classes, as evenly spread over the classes as they come."""
    collection = read_collection(places["images"])
    test = collection.take(read_split(places["run"] / "split.csv").rows(collection)["test"])
    first: dict[str, Path] = {}
    for path, label in zip(test.paths, test.labels.tolist(), strict=True):
        first.setdefault(label, path)
    return list(first.values())[:: max(1, len(first) // count)][:count]


def _step(console: Console, number: int, what: str) -> None:
    console.print(f"\n{number}  {what}", style="bold", highlight=False, markup=False, soft_wrap=True)


def _clear(out: Path) -> None:
    if out.is_dir() and any(out.iterdir()) and not (out / MARKER).is_file():
        raise DoppelgramError(f"{out}: holds something that is not an earlier demo; choose another --out")
    if out.exists() and not out.is_dir():
        raise DoppelgramError(f"{out}: is a file; the demo needs a folder")
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    (out / MARKER).touch()
