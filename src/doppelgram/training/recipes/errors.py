"""What is wrong with a recipe, in one plain sentence that names the key."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from doppelgram.training.recipes.old import RENAMED

_KINDS = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "string_type": "text",
    "bool_type": "true or false",
    "dict_type": "a table",
    "list_type": "a list of tables",
}


def sentence(problem: ValidationError, values: Mapping[str, Any], known: Sequence[str]) -> str:
    """The first thing that a validation found wrong.

    Args:
        problem: pydantic's.
        values: what was validated; gives towers their names.
        known: every key that could have been meant.
    """
    error = problem.errors()[0]
    path = _path(error["loc"], values)
    key, value, limits = ".".join(path), error["input"], error.get("ctx", {})
    kind = error["type"]
    if kind == "extra_forbidden":
        sections = ["name", "about", "task", *dict.fromkeys(each.partition(".")[0] for each in known)]
        return f"unknown key '{key}'{nearest(key, known if '.' in key else sections)}"
    if kind == "missing":
        return f"{key} is missing"
    if kind in ("model_type", "model_attributes_type"):
        return f"'{key}' is a section; write [{key}] and its keys below"
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        tags = limits.get("expected_tags", "'classes', 'keypoints', 'untrained'").replace("'", "")
        return f"{key}.task is {limits.get('tag', 'missing')}; it is one of {tags}"
    if kind == "literal_error":
        return f"{key} is '{value}'; it is one of {_choices(limits['expected'])}"
    if kind in _KINDS:
        return f"{key} is {value!r}; it has to be {_KINDS[kind]}"
    if kind == "finite_number":
        return f"{key} is {value}; it has to be a finite number"
    if kind in ("greater_than_equal", "too_short"):
        return f"{key} is {value}; the minimum is {limits.get('ge', limits.get('min_length')):g}"
    if kind == "greater_than":
        return f"{key} is {value}; it has to be above {limits['gt']:g}"
    if kind == "less_than_equal":
        return f"{key} is {value}; the maximum is {limits['le']:g}"
    if kind == "value_error":
        return str(limits["error"])
    return f"{key} is {value!r}: {error['msg'].lower()}"


def _choices(expected: str) -> str:
    *first, last = expected.replace("''", "empty").replace("'", "").split(" or ")
    return ", ".join([*first, last])


def _path(location: tuple[int | str, ...], values: Mapping[str, Any]) -> list[str]:
    """A place in a recipe as a person writes it: without the names of tasks that pydantic adds, towers by name."""
    path: list[str] = []
    parts = list(location)
    if parts and parts[0] == values.get("task"):
        parts.pop(0)
    here: Any = values
    while parts:
        part = parts.pop(0)
        if isinstance(here, list) and isinstance(part, int):
            here = here[part]
            path.append(str(here.get("name", part + 1)) if isinstance(here, Mapping) else str(part + 1))
            if parts and isinstance(here, Mapping) and parts[0] == here.get("task"):
                parts.pop(0)
            continue
        if isinstance(here, Mapping) or not path:
            path.append(str(part))
            here = here.get(part) if isinstance(here, Mapping) else None
        # what follows a value names a branch of a union
    return path


def nearest(key: str, known: Sequence[str]) -> str:
    """The end of a sentence about a key: the nearest known one, or all of them.

    Keys whose last word is alike come before keys that are alike as a whole: a section is mistaken less often.
    """
    section, _, word = key.rpartition(".")
    renamed = [f"{old[0]}.{new}" for old, new in RENAMED.items() if old[1] == word and section in ("", old[0])]
    close = [name for name in renamed if name in known]
    if not close:
        words = difflib.get_close_matches(word, [name.rpartition(".")[2] for name in known], n=1, cutoff=0.7)
        alike = [name for name in known if [name.rpartition(".")[2]] == words]
        close = difflib.get_close_matches(key, alike or known, n=1, cutoff=0.0 if alike else 0.5)
    return f"; did you mean '{close[0]}'?" if close else f"; known are {', '.join(known)}"
