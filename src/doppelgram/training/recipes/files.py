"""Recipes on disk: TOML files by name or path, single keys overridden, written back whole."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import tomli_w

from doppelgram.errors import DoppelgramError
from doppelgram.training.recipes.errors import nearest
from doppelgram.training.recipes.old import translate
from doppelgram.training.recipes.schema import (
    ArrangementRecipe,
    MetricRecipe,
    Recipe,
    all_keys,
    flat,
    make_recipe,
    tasks_with,
    without,
)

OFF = "off"


def recipe_names() -> list[str]:
    """Names of the recipes that ship with the program."""
    folder = resources.files("doppelgram.training.recipes")
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def read_recipe(source: str | Path, overrides: Iterable[str] = (), *, drop_unused: bool = False) -> Any:
    """Read a recipe by name or from a TOML file.

    Args:
        source: a shipped recipe's name, or a path.
        overrides: ``key=value`` with the key as ``section.key``, or a key alone where only one section has it; for
            towers ``towers.NAME.key``, ``towers.*.key`` or a key alone for every tower that has it, and
            ``towers.NAME=off`` to leave one out. The value as TOML writes it, quotes around text optional.
        drop_unused: leave out keys without effect instead of refusing them.

    Returns:
        A `MetricRecipe`, `PairsRecipe` or `ArrangementRecipe`.

    Raises:
        DoppelgramError: no such recipe, bad TOML, an unknown or unused key (with the nearest known one) or a bad value.
    """
    name = str(source)
    values = _load(name)
    old = "task" not in values
    if old:
        values = translate(values, name)
    _inherit(values, name)
    recipe: Recipe = make_recipe(values, name, drop_unused=True)
    if old:  # such files were written with every key, also those without effect
        given, defaults = flat(values), flat(MetricRecipe().model_dump())
        values = without(values, [key for key in recipe.all_unused() if given.get(key) == defaults[key]])
    if not drop_unused:
        make_recipe(values, name)  # the file by itself first, so that its errors are told as its own
    changed = [key for override in overrides for key in _override(values, override)]
    if changed:
        recipe = make_recipe(values, name, drop_unused=True)
        stale = list(recipe.all_unused())
        if isinstance(recipe, MetricRecipe) and {"loss.name", "sampler.name"} & set(changed):
            from doppelgram.training.recipes.metric_checks import unused_by_loss

            stale += unused_by_loss(recipe)
        # A key of the file that a change leaves without effect goes; one that was given just now is refused.
        values = without(values, [key for key in stale if key not in changed])
    return make_recipe(values, name, drop_unused=drop_unused)


def _load(name: str) -> dict[str, Any]:
    if name in recipe_names():
        text = (resources.files("doppelgram.training.recipes") / f"{name}.toml").read_text(encoding="utf-8")
    elif Path(name).expanduser().is_file():
        try:
            text = Path(name).expanduser().read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise DoppelgramError(f"{name}: is not a text file; a recipe is TOML") from None
    else:
        known = ", ".join(recipe_names())
        raise DoppelgramError(f"there is no recipe '{name}': give one of {known}, or the path of a TOML file")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise DoppelgramError(f"{name}: is not valid TOML: {problem}") from None


def _inherit(values: dict[str, Any], where: str) -> None:
    """Give each tower that is ``like`` an earlier one all that it does not say itself."""
    known: dict[str, dict[str, Any]] = {}
    for tower in _towers(values):
        model = tower.pop("like", None)
        if model is not None and model not in known:
            raise DoppelgramError(
                f"{where}: towers.{tower.get('name')}.like is {model!r}; it is the name of an earlier tower"
            )
        for key, value in known.get(model, {}).items():
            own = tower.setdefault(key, value)
            if isinstance(value, dict) and isinstance(own, dict):
                tower[key] = {**value, **own}
        known[str(tower.get("name"))] = tower


def _towers(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    towers = values.get("towers")
    return [tower for tower in towers if isinstance(tower, dict)] if isinstance(towers, list) else []


def _override(values: dict[str, Any], override: str) -> list[str]:
    """Change one key of a recipe's values; returns the full names of the keys that it stands for."""
    given, equals, text = override.partition("=")
    key = given.strip()
    if not equals or not key:
        raise DoppelgramError(f"--set {override}: write key=value, such as optimiser.epochs=30")
    try:
        value = tomllib.loads(f"value = {text.strip()}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()  # text without quotes
    towers = _towers(values)
    others = [tower for tower in towers if tower.get("name") != key.removeprefix("towers.")]
    if value == OFF and len(others) < len(towers):
        values["towers"] = others
        return [key]
    found = _meant(values, key, override)
    for full in found:
        _put(values, full, value, override)
    return found


def _meant(values: Mapping[str, Any], key: str, override: str) -> list[str]:
    """The full names of the keys that are meant by one; raises DoppelgramError where there is none."""
    if key == "task":
        raise DoppelgramError(f"--set {override}: the task cannot be changed; write a recipe file of that task")
    known = all_keys(values)
    # below a table of parameters any key may stand
    if any(key == each or (each.endswith(".params") and key.startswith(f"{each}.")) for each in known):
        return [key]
    if f"{key}.name" in known and key in ("loss", "miner", "sampler"):
        return [f"{key}.name"]
    if key.startswith("towers."):
        _, tower, word = [*key.split(".", 2), ""][:3]
        pattern = rf"towers\.{'[^.]+' if tower == '*' else re.escape(tower)}\.(\w+\.)?{re.escape(word)}"
    else:
        word = key
        pattern = rf"(\w+|towers\.[^.]+(\.\w+)?)\.{re.escape(key)}" if "." not in key else ""
    matches = [each for each in known if re.fullmatch(pattern, each)] if word not in ("name", "params") else []
    if not matches:
        task, tasks = str(values.get("task", "")), tasks_with(key)
        if tasks and task not in tasks and not any(each.endswith(f".{key}") for each in known):
            others = " or ".join(tasks)
            raise DoppelgramError(f"--set {override}: '{key}' is a key of task {others}, and this recipe is of {task}")
        close = nearest(key if "." in key else f".{key}", known)
        raise DoppelgramError(f"--set {override}: unknown key '{key}'{close}")
    if len(matches) > 1 and not all(each.startswith("towers.") for each in matches):
        raise DoppelgramError(f"--set {override}: '{key}' stands in several sections: {' or '.join(sorted(matches))}")
    return matches


def _put(values: dict[str, Any], key: str, value: Any, override: str) -> None:
    place: Any = values
    *path, last = key.split(".")
    for part in path:
        if isinstance(place, list):
            place = next(each for each in place if each.get("name") == part)
        else:
            place = place.setdefault(part, {})
        if not isinstance(place, (dict, list)):
            raise DoppelgramError(f"--set {override}: '{part}' is not a section")
    if key in ("loss.name", "miner.name") and place.get("name") != value:
        place.pop("params", None)  # parameters belong to the loss or miner that they were written for
    place[last] = value


def write_recipe(recipe: Recipe, file: Path) -> None:
    """Write a recipe as TOML that `read_recipe` reads back to an equal one."""
    file.write_text(tomli_w.dumps(recipe.to_dict()), encoding="utf-8")


def anchored(recipe: Any) -> Any:
    """The recipe with its relative paths made absolute, so that it means the same from another folder."""
    from doppelgram.models.backbones.registry import BUILT_IN

    def absolute(name: str) -> str:
        return str(Path(name).expanduser().absolute())

    def with_backbone(section: Any) -> Any:
        name = getattr(section, "backbone", "small")
        folder = name not in BUILT_IN and Path(name).expanduser().is_dir()
        return section.changed(backbone=absolute(name)) if folder else section

    if isinstance(recipe, ArrangementRecipe):
        return recipe.with_values(towers=[with_backbone(tower) for tower in recipe.towers])
    recipe = recipe.with_values(model=with_backbone(recipe.model))
    if isinstance(recipe, MetricRecipe) and recipe.data.classes:
        recipe = recipe.with_values(data={"classes": absolute(recipe.data.classes)})
    return recipe
