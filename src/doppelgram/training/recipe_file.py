"""Recipes on disk: TOML files by name or path, single keys overridden, written back whole."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from doppelgram.errors import DoppelgramError
from doppelgram.training.recipe import Recipe, all_keys, make_recipe, nearest


def recipe_names() -> list[str]:
    """Names of the recipes that ship with the program."""
    folder = resources.files("doppelgram.training") / "recipes"
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def read_recipe(source: str | Path, overrides: Iterable[str] = ()) -> Recipe:
    """Read a recipe by name or from a TOML file.

    Args:
        source: a shipped recipe's name, or a path.
        overrides: ``key=value`` with the key as ``section.key``, or a key alone where only one section has it;
            the value as TOML writes it, quotes around text optional.

    Raises:
        DoppelgramError: no such recipe, bad TOML, an unknown key (with the nearest known one) or a bad value.
    """
    name = str(source)
    if name in recipe_names():
        text = (resources.files("doppelgram.training") / "recipes" / f"{name}.toml").read_text(encoding="utf-8")
    elif Path(name).expanduser().is_file():
        try:
            text = Path(name).expanduser().read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise DoppelgramError(f"{name}: is not a text file; a recipe is TOML") from None
    else:
        known = ", ".join(recipe_names())
        raise DoppelgramError(f"there is no recipe '{name}': give one of {known}, or the path of a TOML file")
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise DoppelgramError(f"{name}: is not valid TOML: {problem}") from None
    for override in overrides:
        _override(values, override)
    return make_recipe(values, where=name)


def _override(values: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    key = key.strip()
    if not equals or not key:
        raise DoppelgramError(f"--set {override}: write key=value, such as optimiser.epochs=30")
    if "." not in key:
        matches = [full for full in all_keys() if full.split(".")[1] == key and key not in ("name", "params")]
        if len(matches) > 1:
            raise DoppelgramError(f"--set {override}: '{key}' stands in several sections: {' or '.join(matches)}")
        if not matches and key in ("loss", "miner", "sampler"):
            matches = [f"{key}.name"]
        if not matches:
            raise DoppelgramError(f"--set {override}: unknown key '{key}'{nearest('.' + key, all_keys())}")
        key = matches[0]
    try:
        value = tomllib.loads(f"value = {text.strip()}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()  # text without quotes
    *path, last = key.split(".")
    if ".".join([*path, last][:2]) not in all_keys():
        raise DoppelgramError(f"--set {override}: unknown key '{key}'{nearest(key, all_keys())}")
    place = values
    for part in path:
        place = place.setdefault(part, {})
        if not isinstance(place, dict):
            raise DoppelgramError(f"--set {override}: '{part}' is not a section")
    if last == "name" and path[0] in ("loss", "miner") and place.get("name") != value:
        place.pop("params", None)  # parameters belong to the loss or miner that they were written for
    place[last] = value


def write_recipe(recipe: Recipe, file: Path) -> None:
    """Write a recipe as TOML that `read_recipe` reads back to an equal one."""
    lines: list[str] = []
    values = recipe.to_dict()
    for key in ("name", "about"):
        lines.append(f"{key} = {_toml(values.pop(key))}")
    for section, keys in values.items():
        lines += ["", f"[{section}]"]
        lines += [f"{key} = {_toml(value)}" for key, value in keys.items()]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_toml(str(key))} = {_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_toml, value)) + "]"
    # JSON's escapes are TOML's, but for the one control character that JSON leaves as it is.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
