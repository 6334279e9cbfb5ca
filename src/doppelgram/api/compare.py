"""Train a grid of losses, miners, embedding sizes and seeds on the same images, and say which difference is real."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from doppelgram.comparison.cells import Bench, read_result
from doppelgram.comparison.grid import Cell, make_cells, parse_choices, parse_dims, read_base
from doppelgram.comparison.result import Comparison, RunResult
from doppelgram.console import progress_bar
from doppelgram.dataset.collection import Collection
from doppelgram.dataset.loading import load_images
from doppelgram.dataset.read import read_collection
from doppelgram.dataset.splits import Split, make_split, read_class_list, read_split, split_of_data
from doppelgram.errors import DoppelgramError, Interrupted
from doppelgram.files import written_whole
from doppelgram.learning.registry import list_losses, list_miners
from doppelgram.numbers import duration, percent
from doppelgram.reports.comparison.report import Facts, write_report
from doppelgram.training.embedding import make_framing
from doppelgram.training.recipe import LossRecipe, MinerRecipe, Recipe, make_recipe
from doppelgram.training.run import SPLIT_FILE, versions
from doppelgram.training.train import anchored

GRID_FILE, RUNS_FOLDER = "grid.json", "runs"
PARTS = ("val", "test")


def compare(
    data: Path | str,
    out: Path | str,
    *,
    losses: str = "triplet",
    miners: str = "none,semihard,batchhard",
    dims: str | Sequence[int] = "64",
    seeds: int = 3,
    recipe: str | Path | Recipe = "triplet",
    overrides: Sequence[str] = (),
    split: Path | str | None = None,
    weights: Path | str | None = None,
    part: str = "val",
    report_only: bool = False,
    command: str = "",
    console: Console | None = None,
) -> Comparison:
    """Train every combination with every seed, each into a run folder of its own, and write a report.

    Images are decoded once and features of frozen backbones computed once. What is finished in ``out`` is kept: the
    same call goes on after an interruption, and further losses, miners, sizes or seeds may be added to it.

    Args:
        data: folder or table of labelled images.
        out: folder for ``runs/``, ``split.csv``, the tables (``comparison.csv``, ``runs.csv``, ``comparison.json``),
            the figures (PNG and SVG), ``comparison.md`` and ``report.html``.
        losses: names separated by commas, parameters in brackets: ``triplet(margin=0.1),contrastive``.
        miners: likewise. "none" draws a random triplet for each image, "all" takes every pair of the batch.
        dims: embedding sizes.
        seeds: how many; 0 to ``seeds`` - 1.
        recipe: what all cells share.
        overrides: ``key=value`` changes to it; ``loss.params.*`` and ``miner.params.*`` are for all losses or miners.
        split: CSV with ``path,part``; by default that of images that come divided, else the recipe's own from seed 0.
        weights: folder to look pretrained weights up in.
        part: ``val`` or ``test``: whose images are asked.
        report_only: train nothing; report on what is finished.
        command: the command line, for the report.
        console: where progress is shown; standard error by default.

    Raises:
        DoppelgramError: something given cannot be used, or ``out`` holds another comparison.
        Interrupted: stopped by Ctrl-C; the same call goes on.
    """
    console = console or Console(stderr=True)
    data, out = Path(data).expanduser(), Path(out).expanduser()
    if part not in PARTS:
        raise DoppelgramError(f"--part is '{part}'; it is val or test")
    if report_only:
        return _report(out, part, command, console)
    base, for_all = read_base(recipe, overrides)
    base = anchored(base)
    sizes = parse_dims(dims if isinstance(dims, str) else ",".join(map(str, dims)))
    cells, remarks = make_cells(
        base, parse_choices(losses, "loss"), parse_choices(miners, "miner"), sizes, seeds, for_all
    )
    given = read_split(Path(split).expanduser()) if split is not None else None
    identity = _identity(base, for_all, data)
    _check_same(out, identity, given)
    collection = read_collection(data, label=base.data.label).labelled(min_images=base.data.min_images)
    listed = read_class_list(Path(base.data.classes)) if base.data.classes else None
    _begin(out, {**identity, "name": base.name})
    for remark in remarks:
        console.print(f"note: {remark}", style="dim", highlight=False, markup=False, soft_wrap=True)
    try:
        bench = _bench(out, base, collection, given, listed, data, Path(weights) if weights else None, console)
        if not len(bench.parts.rows(bench.images.collection)[part]):
            raise DoppelgramError(f"{out / SPLIT_FILE}: has no {part} part; give another --part or --split")
        _train_all(cells, bench, out, part, console)
    except (KeyboardInterrupt, Interrupted):
        done = sum(read_result(folder, part) is not None for folder in _run_folders(out))
        raise Interrupted(
            f"{out}: stopped with {done} of {len(cells)} runs finished; the same command goes on, "
            "and --report-only reports on what is there"
        ) from None
    return _report(out, part, command, console)


def _identity(base: Recipe, for_all: set[str], data: Path) -> dict[str, Any]:
    """What has to stay the same for runs to be comparable: the data, and the recipe but for what the grid varies."""
    shared = replace(base, model=replace(base.model, dim=2))
    if "loss" not in for_all and not base.loss.params:
        shared = replace(shared, loss=replace(base.loss, name=LossRecipe().name, params={}))
    if "miner" not in for_all and not base.miner.params:
        shared = replace(shared, miner=MinerRecipe())
    kept = shared.to_dict()
    for key in ("name", "about"):
        kept.pop(key)
    return {"data": os.path.abspath(data), "recipe": kept}


def _read_grid(out: Path) -> dict[str, Any] | None:
    """What the comparison in a folder was begun as; None if there is none."""
    file = out / GRID_FILE
    if not file.is_file():
        return None
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        make_recipe(found["recipe"]), found["data"]
    except (ValueError, KeyError, TypeError, AttributeError, DoppelgramError):
        raise DoppelgramError(f"{file}: is damaged; choose another --out") from None
    return found


def _check_same(out: Path, mine: Mapping[str, Any], split: Split | None) -> None:
    """Refuse to go on with the comparison in a folder as another one; where nothing was trained there is none yet."""
    if (out / GRID_FILE).is_file() and not _run_folders(out):
        return
    theirs = _read_grid(out)
    if theirs is None:
        if out.is_dir() and any(out.iterdir()):
            raise DoppelgramError(f"{out}: holds something that is not a comparison; choose another --out")
        return
    recipe = theirs["recipe"]
    differing = [
        f"{section}.{key}"
        for section, keys in json.loads(json.dumps(mine["recipe"])).items()
        for key, value in keys.items()
        if recipe.get(section, {}).get(key) != value
    ]
    if differing:
        raise DoppelgramError(f"{out}: was begun with another {', '.join(differing)}; choose another --out")
    if theirs.get("data") != mine["data"]:
        raise DoppelgramError(f"{out}: was begun on other data, {theirs.get('data')}; choose another --out")
    if split is not None and (out / SPLIT_FILE).is_file() and dict(read_split(out / SPLIT_FILE).parts) != split.parts:
        raise DoppelgramError(f"{out}: was begun with another --split; choose another --out")


def _begin(out: Path, identity: Mapping[str, Any]) -> None:
    """Write down what the comparison is of; a call that failed before it trained anything leaves no split behind."""
    with written_whole(out / GRID_FILE) as aside:
        aside.write_text(json.dumps(identity, indent=1) + "\n", encoding="utf-8")
    if not _run_folders(out):
        (out / SPLIT_FILE).unlink(missing_ok=True)


def _bench(
    out: Path, base: Recipe, collection: Collection, given: Split | None, listed: list[str] | None, data: Path,
    weights: Path | None, console: Console,
) -> Bench:  # fmt: skip
    """The images in memory and the one split of all cells, written to the folder."""
    images = load_images(collection, make_framing(base), console)
    if (out / SPLIT_FILE).is_file():
        parts = read_split(out / SPLIT_FILE)
    elif given is not None:
        parts = given
    elif (own := split_of_data(data, collection, console, listed)) is not None:
        parts = own
    else:
        shares = {"val": base.split.val, "test": base.split.test}
        shares["train"] = 1 - sum(shares.values())
        parts = make_split(images.collection, base.split.by, shares, 0, listed)
    parts.rows(images.collection)
    if not (out / SPLIT_FILE).is_file():
        parts.write(out / SPLIT_FILE)
    return Bench(images, parts, data, weights, console)


def _train_all(cells: Sequence[Cell], bench: Bench, out: Path, part: str, console: Console) -> None:
    """Train and measure what is not finished, with one line a cell and the time that is left."""
    started = time.perf_counter()
    todo = [cell for cell in cells if read_result(out / RUNS_FOLDER / cell.folder, part) is None]
    if len(todo) < len(cells):
        console.print(f"{len(cells) - len(todo)} of {len(cells)} runs are finished already", style="dim")
    with progress_bar(console, "training", sum(cell.recipe.optimiser.epochs for cell in todo)) as advance:
        for number, cell in enumerate(todo, 1):
            folder = out / RUNS_FOLDER / cell.folder
            begun = time.perf_counter()
            run = bench.train(cell, folder, lambda: advance(1))
            bench.measure(cell, folder, part)
            read = read_result(folder, part)
            if read is None:
                raise DoppelgramError(f"{folder}: was altered while it was trained")
            now = time.perf_counter()
            left = (now - started) / number * (len(todo) - number)
            happened = {
                "diverged": read[0].diverged, "collapsed": read[0].collapsed, "stuck at its margin": read[0].stuck,
            }  # fmt: skip
            flags = next((f"  {word}" for word, true in happened.items() if true), "")
            console.print(
                f"[{number:>{len(str(len(todo)))}}/{len(todo)}]  {cell.setting}, seed {cell.seed}: "
                f"P@1 {percent(read[0].nearest.mean())}  best epoch {run.facts.get('best_epoch', '–')} of "
                f"{cell.recipe.optimiser.epochs}  "
                f"{duration(now - begun)}{flags}" + (f"  about {duration(left)} left" if number < len(todo) else ""),
                highlight=False, markup=False, soft_wrap=True,
            )  # fmt: skip


def _run_folders(out: Path) -> list[Path]:
    folder = out / RUNS_FOLDER
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def read_results(out: Path, part: str) -> list[RunResult]:
    """Every finished run of a comparison, in the order of the grid.

    Raises:
        DoppelgramError: a file is damaged, or runs were asked different queries.
    """
    found = [read for folder in _run_folders(out) if (read := read_result(folder, part)) is not None]
    for result, query in found:
        if not np.array_equal(query, found[0][1]):
            raise DoppelgramError(
                f"{out / result.folder}: was asked other images than {found[0][0].folder}; delete one of the two"
            )
    results = [result for result, _ in found]
    return sorted(results, key=lambda r: (_rank(r.setting.loss), _rank(r.setting.miner), r.setting.dim, r.seed))


def _rank(label: str) -> tuple[int, str]:
    """Where the catalogue lists a loss or miner, so that tables keep one order."""
    names = [*list_miners(), *list_losses()]
    return names.index(label.partition("(")[0]), label


def _report(out: Path, part: str, command: str, console: Console) -> Comparison:
    grid = _read_grid(out)
    if grid is None:
        raise DoppelgramError(f"{out}: there is no comparison here to report on")
    begun = [folder for folder in _run_folders(out) if read_result(folder, part) is None]
    if begun:
        console.print(
            f"note: {len(begun)} runs that are not finished (or were not asked the {part} part) are left out",
            style="dim", highlight=False, soft_wrap=True,
        )  # fmt: skip
    results = read_results(out, part)
    if not results:
        raise DoppelgramError(f"{out}: no run is finished and measured on the {part} part yet")
    comparison = Comparison(results, part=part)
    recipe = make_recipe({**grid["recipe"], "name": grid.get("name", "")})
    counts = read_split(out / SPLIT_FILE).counts()
    write_report(out, comparison, Facts(grid["data"], recipe, part, command, versions(), counts))
    return comparison
