"""One record of a post in JSON, understood whatever its fields are called."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from doppelgram.dataset.columns import AUTHOR_NAMES, MEDIA_NAMES, TIME_NAMES, is_empty

_NAME_KEYS = ("username", "name", "nick", "screen_name", "login", "id", "pk")
_NAIVE = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?")
_LIKES_KEYS = ("likes", "like_count", "likes_count", "favorite_count", "edge_media_preview_like", "edge_liked_by")
_PLACE_KEYS = ("place", "location", "location_name", "location_slug")
_CAPTION_KEYS = ("caption", "title", "description", "edge_media_to_caption")


def repaired(text: str) -> str:
    """Text whose UTF-8 was taken for Latin-1, as Instagram's exports write it, put right; other text as it is."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return text


def author_of(record: Mapping[str, Any]) -> str:
    """Who posted it; empty where the record does not say."""
    for key in AUTHOR_NAMES:
        found = record.get(key)
        if isinstance(found, Mapping):
            found = next((found[name] for name in _NAME_KEYS if found.get(name)), None)
        if isinstance(found, str | int) and not isinstance(found, bool) and not is_empty(str(found)):
            return repaired(str(found).strip())
    return ""


def time_of(record: Mapping[str, Any]) -> Any:
    """When it was posted, as the record spells it; None where it does not say.

    gallery-dl, which marks its records with a category, writes UTC without saying so.
    """
    key = next((key for key in (*TIME_NAMES, "photoTakenTime") if record.get(key) not in (None, "")), "")
    found = record.get(key)
    if isinstance(found, Mapping):
        return found.get("timestamp")
    utc = key == "date_utc" or ("category" in record and "subcategory" in record)
    return f"{found}Z" if utc and isinstance(found, str) and _NAIVE.fullmatch(found) else found


def media_of(record: Mapping[str, Any]) -> list[str]:
    """Paths of its pictures, as the record spells them."""
    for key in MEDIA_NAMES:
        paths = list(_paths(record.get(key)))
        if paths:
            return paths
    return []


def _paths(found: Any) -> Iterator[str]:
    if isinstance(found, str) and found.strip():
        yield found.strip()
    elif isinstance(found, Mapping):
        yield from media_of(found)
    elif isinstance(found, list):
        for one in found:
            yield from _paths(one)


def more_of(record: Mapping[str, Any]) -> dict[str, str]:
    """Place, likes and caption of a record as text, each empty where it does not say."""
    return {
        "place": _text(_first(record, _PLACE_KEYS)),
        "likes": _number(_first(record, _LIKES_KEYS)),
        "caption": _text(_first(record, _CAPTION_KEYS)),
    }


def _first(record: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    return next((record[key] for key in keys if record.get(key) not in (None, "")), None)


def _text(found: Any) -> str:
    if isinstance(found, Mapping):
        edges = found.get("edges")
        if isinstance(edges, list):  # of a caption: {"edges": [{"node": {"text": ...}}]}
            found = next((edge["node"] for edge in edges if isinstance(edge, Mapping) and "node" in edge), {})
            found = found if isinstance(found, Mapping) else {}
        found = found.get("name") or found.get("text") or found.get("title") or ""
    return repaired(found.strip()) if isinstance(found, str) else ""


def _number(found: Any) -> str:
    if isinstance(found, Mapping):
        found = found.get("count")
    return str(found) if isinstance(found, int) and not isinstance(found, bool) else ""


def unwrapped(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """The record itself, where it stands in a ``node``."""
    node = value.get("node")
    return node if isinstance(node, Mapping) else value
