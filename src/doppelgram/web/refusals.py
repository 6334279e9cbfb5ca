"""Why a parameter of a request cannot be used, as a sentence for the person who asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# By the name of the parameter: what its text should have been. An id has a pattern that means nothing to a person.
_SPELLED = {
    "image": "the id of a photograph: 64 letters and figures, as /api/images lists them",
    "query": "the name that POST /api/queries gave a photograph that was brought",
    "map": "the stamp of a map, as /api/map gives it",
}
_SPELLED |= dict.fromkeys(("a", "b", "ids", "pair"), _SPELLED["image"])
# By the kind of fault, or how that begins: what the value should have been; braces hold what the fault itself tells.
_WANTED = {
    "int": "a whole number",
    "float": "a number",
    "finite_number": "a number",
    "bool": "true or false",
    "string_too_long": "at most {max_length} characters long",
    "string_too_short": "at least {min_length} character long",
    "string": "text",
    "bytes": "the bytes of a file",
    "greater_than_equal": "{ge:g} or more",
    "greater_than": "more than {gt:g}",
    "less_than_equal": "{le:g} or less",
    "less_than": "less than {lt:g}",
    "literal_error": "{expected}",
    "enum": "{expected}",
    "datetime": "a time such as 2019-06-01T12:00:00Z",
    "date": "a time such as 2019-06-01T12:00:00Z",
    "timezone": "a time such as 2019-06-01T12:00:00Z",
    "too_long": "a list of at most {max_length}",
    "too_short": "a list of at least {min_length}",
    "list": "a list",
    "model": "an object with names and values",
    "dict": "an object with names and values",
}


def sentence(fault: Mapping[str, Any]) -> str:
    """One sentence about a fault that pydantic found: which parameter, what it should be, and what it was.

    Args:
        fault: ``type``, ``loc``, ``input`` and ``ctx``, as `pydantic.ValidationError.errors` gives them.
    """
    kind, about = str(fault["type"]), dict(fault.get("ctx") or {})
    name, where = _place(fault.get("loc", ()))
    if kind == "missing":
        return f"{where} is missing"
    if kind == "json_invalid":
        return "what was sent is not JSON"
    if kind == "extra_forbidden":
        return f"{where} is not known here"
    if kind == "string_pattern_mismatch":
        wanted = _SPELLED.get(name, "spelled otherwise; /api/openapi.json says how")
    elif kind == "value_error":  # our own sentence
        return f"{where} {about.get('error', 'cannot be used')}"
    else:
        known = next((text for begins, text in _WANTED.items() if kind.startswith(begins)), "something else")
        wanted = known.format(**about)
    return f"{where} must be {wanted}{_was(fault.get('input'))}"


def _place(loc: Sequence[Any]) -> tuple[str, str]:
    """The name of a parameter, and how to say where it is."""
    parts = [part for part in loc[1:] if isinstance(part, int) or not str(part).startswith("function-")]
    names = [str(part) for part in parts if not isinstance(part, int)]
    if not names:
        return "", "what was sent"
    at = next((part for part in parts if isinstance(part, int)), None)
    return names[-1], ".".join(names) if at is None else f"{'.'.join(names)}, entry {at + 1},"


def _was(value: Any) -> str:
    if isinstance(value, str):
        value = value if len(value) <= 60 else f"{value[:60]} and so on"
    return f", not {value!r}" if isinstance(value, str | int | float) else ""
