"""The main job from beginning to end on a sample world that the program renders itself."""

from __future__ import annotations

import time
from pathlib import Path

from doppelgram.api.demo_first import first_answer, next_commands
from doppelgram.api.demo_pictures import clear, render_demo_signs, render_pictures
from doppelgram.api.demo_posts import learn_places_and_poses, render_worlds, trace_and_score
from doppelgram.api.evaluate import evaluate
from doppelgram.api.index import index
from doppelgram.api.search import search
from doppelgram.api.train import train
from doppelgram.console import Progress, TerminalProgress
from doppelgram.dataset.read import read_collection
from doppelgram.dataset.splits import read_split
from doppelgram.numbers import duration, interval, percent
from doppelgram.training.recipes.files import read_recipe

# The shipped recipe, shortened for a set that is a tenth of the size it was made for.
CHANGES = ("optimiser.epochs=16", "sampler.batch=64")


def demo(
    out: Path | str = "demo", *, only_pictures: bool = False, seed: int = 0, progress: Progress | None = None
) -> dict[str, Path]:
    """Render sample signs, train on them, evaluate, index and search; then render posts, and find the role models.

    Everything lands in one folder.

    Args:
        out: the folder; what an earlier demo wrote there is replaced.
        only_pictures: render the sample world, and leave the job to the reader of the tutorial.
        seed: of the rendered signs and of the training.
        progress: where progress and the paths are shown; the terminal by default.

    Returns:
        What was written: ``images``, ``run``, ``report``, ``catalog``, ``montage``; ``posts``, ``posts_run``,
        ``role_models``. Of pictures alone ``images``, ``posts_to_learn_from``, ``posts`` and ``posts_recipe``.

    Raises:
        DoppelgramError: the folder holds something that is not an earlier demo.
    """
    progress, out = progress or TerminalProgress(), Path(out).expanduser()
    started = time.perf_counter()
    clear(out)
    if only_pictures:
        return render_pictures(out, seed, progress)
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
    progress.note("\n1  render a sample world of traffic signs")
    render_demo_signs(places["images"], seed, progress)
    progress.note("\n2  a first answer without labels or training, by the ready-made model `things`")
    first = first_answer(places["images"], out / "first-catalog", out / "first-look-alikes.png", progress)
    progress.note("\n3  train: learn which signs look alike (no scene is in two parts of the split)")
    run = train(places["images"], read_recipe("signs", CHANGES), places["run"], seed=seed, progress=progress)
    progress.note("\n4  evaluate on scenes never seen in training")
    result = evaluate(run.folder, out=places["report"], progress=progress)
    for name in ("precision_at_1", "ncm_accuracy", "map_at_r", "pair_auc"):
        if name in result:
            metric = result[name]
            progress.note(
                f"  {name:<16} {percent(metric.value):>7}  ({interval(metric.low, metric.high)}, n = {metric.n:,})"
            )
    progress.note("\n5  index every sign, and search with signs of the test part")
    index(places["images"], run.folder, places["catalog"], progress=progress)
    search(places["catalog"], _queries(places, 8), 6, montage=places["montage"], progress=progress)

    progress.note("\n6  render posts: people pose in front of landmarks, and repeat each other")
    known, _ = render_worlds(out, seed, progress)
    progress.note("\n7  train: learn places and poses from the posts of one world")
    learn_places_and_poses(known, places["posts_run"], seed, progress)
    progress.note("\n8  trace: who set what others repeated, in a world of other people")
    trace_and_score(places["posts"], places["posts_run"], places["role_models"].parent, seed, progress)

    progress.note(f"\nDone in {duration(time.perf_counter() - started)}.")
    if first:
        progress.note(f"  untrained    {out / 'first-look-alikes.png'}")
    progress.note(f"  look-alikes  {places['montage']}")
    progress.note(f"  evaluation   {places['report'] / 'metrics.md'}")
    progress.note(f"  role models  {places['role_models']}")
    progress.note(f"  try          doppelgram search {places['catalog']} {_queries(places, 1)[0]}")
    progress.note(f"  look         doppelgram serve {places['role_models'].parent}")
    progress.note(f"  teach        doppelgram serve {places['catalog']}, and there Teach")
    progress.note("\nWith your own photographs, no labels needed:")
    for line in next_commands():
        progress.note(f"  {line}")
    return places


def _queries(places: dict[str, Path], count: int) -> list[Path]:
    """Test images of different classes, as evenly spread over the classes as they come."""
    collection = read_collection(places["images"])
    test = collection.take(read_split(places["run"] / "split.csv").rows(collection)["test"])
    first: dict[str, Path] = {}
    for path, label in zip(test.paths, test.labels.tolist(), strict=True):
        first.setdefault(label, path)
    return list(first.values())[:: max(1, len(first) // count)][:count]
