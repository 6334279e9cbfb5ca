"""What is wrong with a recipe, in one plain sentence that names the key."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from doppelgram.training.recipes.old import RENAMED
from doppelgram.training.recipes.towers import TOWERS

_KINDS = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "string_type": "text",
    "bool_type": "true or false",
    "dict_type": "a table",
    "list_type": "a list of tables",
    "finite_number": "a finite number",
}
_SENTENCES = {
    "missing": "{key} is missing",
    "model_type": "'{key}' is a section; write [{key}] and its keys below",
    "model_attributes_type": "'{key}' is a section; write [{key}] and its keys below",
    "union_tag_invalid": "{key}.task is {tag}; it is one of {expected_tags}",
    "union_tag_not_found": f"{{key}}.task is missing; it is one of {', '.join(TOWERS)}",
    "literal_error": "{key} is '{value}'; it is one of {expected}",
    "greater_than": "{key} is {value}; it has to be above {gt:g}",
    "greater_than_equal": "{key} is {value}; the minimum is {ge:g}",
    "less_than_equal": "{key} is {value}; the maximum is {le:g}",
    "too_short": "{key} is {value}; the minimum is {min_length}",
    "value_error": "{error}",
    **{kind: f"{{key}} is {{value!r}}; it has to be {words}" for kind, words in _KINDS.items()},
}


def sentence(problem: ValidationError, values: Mapping[str, Any], known: Sequence[str]) -> str:
    """The first thing that a validation found wrong.

    Args:
        problem: pydantic's.
        values: what was validated; gives towers their names.
        known: every key that could have been meant.
    """
    error = problem.errors()[0]
    key = _path(error["loc"], values)
    if error["type"] == "extra_forbidden":
        sections = ["name", "about", "task", *dict.fromkeys(each.partition(".")[0] for each in known)]
        return f"unknown key '{key}'{nearest(key, known if '.' in key else sections)}"
    text = _SENTENCES.get(error["type"], "{key} is {value!r}: {message}")
    limits = {name: _plain(limit) for name, limit in error.get("ctx", {}).items()}
    return text.format(key=key, value=error["input"], message=error["msg"].lower(), **limits)


def _plain(limit: Any) -> Any:
    """A list of choices without pydantic's quotes; anything else as it is."""
    return limit.replace("''", "empty").replace("'", "").replace(" or ", ", ") if isinstance(limit, str) else limit


def _path(location: tuple[int | str, ...], values: Any) -> str:
    """The key at a place in a recipe as a person writes it, towers by name."""
    path: list[str] = []
    parts = iter(location)
    for part in parts:
        if isinstance(values, list):
            values = values[int(part)]
            path.append(str(values.get("name", int(part) + 1)) if isinstance(values, Mapping) else str(int(part) + 1))
            next(parts, None)  # the tower's task, which pydantic adds
        elif isinstance(values, Mapping):
            values = values.get(part)
            path.append(str(part))
        # what follows a value names a branch of a union
    return ".".join(path)


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
