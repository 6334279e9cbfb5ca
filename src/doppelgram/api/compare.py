"""Train a grid of losses, miners, embedding sizes and seeds on the same images, and say which difference is real."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from doppelgram.api.report_comparison import check_part, report_comparison
from doppelgram.comparison.baselines import check_baselines, measure_baseline
from doppelgram.comparison.cells import ComparisonTrainer, read_result
from doppelgram.comparison.folder import (
    check_same,
    identity_of,
    run_folders,
    write_identity,
)
from doppelgram.comparison.grid import Grid, read_base
from doppelgram.comparison.result import Comparison
from doppelgram.comparison.run import run_cells
from doppelgram.console import Progress, TerminalProgress
from doppelgram.dataset.collection import Collection
from doppelgram.dataset.loading import load_images
from doppelgram.dataset.read import read_collection
from doppelgram.dataset.splits import Split, make_split, read_class_list, read_split, split_of_data
from doppelgram.errors import DoppelgramError, Interrupted
from doppelgram.training.embedding import make_framing
from doppelgram.training.recipes.files import anchored
from doppelgram.training.recipes.schema import MetricRecipe, Recipe
from doppelgram.training.run import SPLIT_FILE


def compare(
    data: Path | str,
    out: Path | str,
    grid: Grid | None = None,
    *,
    recipe: str | Path | Recipe = "triplet",
    overrides: Sequence[str] = (),
    split: Path | str | None = None,
    weights: Path | str | None = None,
    part: str = "val",
    baselines: Sequence[str] = (),
    command: str = "",
    progress: Progress | None = None,
) -> Comparison:
    """Train every combination with every seed, each into a run folder of its own, and write a report.

    Images are decoded once and features of frozen backbones computed once. What is finished in ``out`` is kept: the
    same call continues after an interruption, and further losses, miners, sizes or seeds may be added to it.

    Args:
        data: folder or table of labelled images.
        out: folder for ``runs/``, ``split.csv``, the tables (``comparison.csv``, ``runs.csv``, ``comparison.json``),
            the figures (PNG and SVG), ``comparison.md`` and ``report.html``.
        grid: what is varied.
        recipe: what all cells share.
        overrides: ``key=value`` changes to it; ``loss.params.*`` and ``miner.params.*`` are for all losses or miners.
        split: CSV with ``path,part``; by default that of images that come divided, else the recipe's own from seed 0.
        weights: folder to look pretrained weights up in.
        part: ``val`` or ``test``: whose images are the queries.
        baselines: names of ready-made models that are asked the same, for a row each beside the trained ones.
        command: the command line, for the report.
        progress: where progress is shown; the terminal by default.

    Raises:
        DoppelgramError: something given cannot be used, or ``out`` holds another comparison.
        Interrupted: stopped by Ctrl-C; the same call continues.
    """
    progress = progress or TerminalProgress()
    data, out = Path(data).expanduser(), Path(out).expanduser()
    check_part(part)
    check_baselines(list(baselines))
    base, params_for_all = read_base(recipe, overrides)
    base = anchored(base)
    cells, remarks = (grid or Grid()).cells(base, params_for_all)
    given = read_split(Path(split).expanduser()) if split is not None else None
    identity = identity_of(base, params_for_all, data)
    check_same(out, identity, given)
    collection = read_collection(data, label=base.data.label).labelled(min_images=base.data.min_images)
    listed = read_class_list(Path(base.data.classes)) if base.data.classes else None
    write_identity(out, {**identity, "name": base.name})
    for remark in remarks:
        progress.note(f"note: {remark}")
    try:
        images = load_images(collection, make_framing(base), progress)
        if (out / SPLIT_FILE).is_file():
            parts = read_split(out / SPLIT_FILE)
        else:
            found = given if given is not None else split_of_data(data, collection, progress, listed)
            parts = found if found is not None else _draw_split(images.collection, base, listed)
        rows = parts.rows(images.collection)
        parts.write(out / SPLIT_FILE)
        if not len(rows[part]):
            raise DoppelgramError(f"{out / SPLIT_FILE}: has no {part} part; give another --part or --split")
        bench = ComparisonTrainer(images, parts, data, Path(weights) if weights else None, progress)
        for name in baselines:
            measure_baseline(name, images, parts, out, part, bench.weights, progress)
        run_cells(cells, bench, out, part, progress)
    except (KeyboardInterrupt, Interrupted):
        done = sum(read_result(folder, part) is not None for folder in run_folders(out))
        raise Interrupted(
            f"{out}: stopped with {done} of {len(cells)} runs finished; the same command goes on, "
            "and --report-only reports on what is there"
        ) from None
    return report_comparison(out, part=part, command=command, progress=progress)


def _draw_split(collection: Collection, base: MetricRecipe, listed: list[str] | None) -> Split:
    shares = {"val": base.split.val, "test": base.split.test}
    shares["train"] = 1 - sum(shares.values())
    return make_split(collection, base.split.by, shares, 0, listed)
