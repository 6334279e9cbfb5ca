"""The folder of a comparison: what it is of, its runs, and what they answered."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from doppelgram.comparison.cells import read_result
from doppelgram.comparison.result import RunResult
from doppelgram.dataset.splits import Split, read_split
from doppelgram.errors import DoppelgramError
from doppelgram.files import written_whole
from doppelgram.learning.registry import list_losses, list_miners
from doppelgram.training.recipes.old import translate
from doppelgram.training.recipes.schema import MetricRecipe, make_recipe
from doppelgram.training.recipes.sections import Loss, Miner
from doppelgram.training.run import SPLIT_FILE

GRID_FILE, RUNS_FOLDER = "grid.json", "runs"


def identity_of(base: MetricRecipe, params_for_all: set[str], data: Path) -> dict[str, Any]:
    """What has to stay the same for runs to be comparable: the data, and the recipe but for what the grid varies."""
    shared = base.with_values(model={"dim": 2})
    if "loss" not in params_for_all and not base.loss.params:
        shared = shared.with_values(loss={"name": Loss().name, "params": {}})
    if "miner" not in params_for_all and not base.miner.params:
        shared = shared.with_values(miner=Miner())
    kept = shared.to_dict()
    for key in ("name", "about", "task"):
        kept.pop(key)
    return {"data": os.path.abspath(data), "recipe": kept}


def run_folders(out: Path) -> list[Path]:
    """The folder of every run that was started."""
    folder = out / RUNS_FOLDER
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def read_identity(out: Path) -> dict[str, Any] | None:
    """What the comparison in a folder is of; None if there is none.

    Raises:
        DoppelgramError: the file that says it is damaged.
    """
    file = out / GRID_FILE
    if not file.is_file():
        return None
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        recipe = make_recipe(translate(found["recipe"], str(file)), drop_unused=True).to_dict()
        found["recipe"] = {section: keys for section, keys in recipe.items() if isinstance(keys, dict)}
        found["data"]
    except (ValueError, KeyError, TypeError, AttributeError, DoppelgramError):
        raise DoppelgramError(f"{file}: is damaged; choose another --out") from None
    return found


def check_same(out: Path, mine: Mapping[str, Any], split: Split | None) -> None:
    """Refuse to continue the comparison in a folder as another one; where nothing was trained there is none yet.

    Raises:
        DoppelgramError: the folder holds another comparison, or something else.
    """
    if (out / GRID_FILE).is_file() and not run_folders(out):
        return
    theirs = read_identity(out)
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
        raise DoppelgramError(f"{out}: was started with another {', '.join(differing)}; choose another --out")
    if theirs.get("data") != mine["data"]:
        raise DoppelgramError(f"{out}: was started on other data, {theirs.get('data')}; choose another --out")
    if split is not None and (out / SPLIT_FILE).is_file() and dict(read_split(out / SPLIT_FILE).parts) != split.parts:
        raise DoppelgramError(f"{out}: was started with another --split; choose another --out")


def write_identity(out: Path, identity: Mapping[str, Any]) -> None:
    """Write down what the comparison is of; a call that failed before it trained anything leaves no split behind."""
    with written_whole(out / GRID_FILE) as aside:
        aside.write_text(json.dumps(identity, indent=1) + "\n", encoding="utf-8")
    if not run_folders(out):
        (out / SPLIT_FILE).unlink(missing_ok=True)


def read_results(out: Path, part: str) -> list[RunResult]:
    """Every finished run of a comparison, in the order of the grid.

    Raises:
        DoppelgramError: a file is damaged, or runs answered different queries.
    """
    found = [read for folder in run_folders(out) if (read := read_result(folder, part)) is not None]
    for result, query in found:
        if not np.array_equal(query, found[0][1]):
            raise DoppelgramError(
                f"{out / result.folder}: answered other queries than {found[0][0].folder}; delete one of the two"
            )
    results = [result for result, _ in found]
    return sorted(results, key=lambda r: (_rank(r.setting.loss), _rank(r.setting.miner), r.setting.dim, r.seed))


def _rank(label: str) -> tuple[int, str]:
    """Where the registry lists a loss or miner, so that tables keep one order."""
    names = [*list_miners(), *list_losses()]
    return names.index(label.partition("(")[0]), label
