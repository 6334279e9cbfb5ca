"""What gallery-dl writes: JSON for each picture, for each post, or one file for all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from doppelgram.dataset.posts.source import Record
from doppelgram.dataset.records.fields import Facts, facts_of, name_in_url

name = "gallery-dl"
reads = "metadata of gallery-dl: a JSON file for each picture or post, its -j dump, or a file of lines"
_URL, _DIRECTORY, _QUEUE = 3, 2, 6  # kinds of messages in a dump


def records(value: Any, file: Path) -> list[Record] | None:
    """The pictures that it fetched; several in one file go by the names that it gives them."""
    if _is_item(value):
        return [Record(str(file), _facts(value), beside=True)]
    if not isinstance(value, list) or not value:
        return None
    if all(_is_item(one) for one in value):
        return [Record(f"{file}: picture {n}", _facts(one)) for n, one in enumerate(value, start=1)]
    if not any(_is_message(one) and _is_item(one[-1]) for one in value):
        return None
    found = []
    for number, message in enumerate(value, start=1):
        where = f"{file}: message {number}"
        if not _is_message(message) or message[0] in (_DIRECTORY, _QUEUE):
            continue
        if message[0] == _URL and _is_item(message[-1]):
            found.append(Record(where, _facts(message[-1], str(message[1]))))
        else:
            found.append(Record(where, Facts(), why_not="messages of gallery-dl that are no picture, such as errors"))
    return found


def _is_item(value: Any) -> bool:
    return isinstance(value, Mapping) and "category" in value and "subcategory" in value


def _is_message(value: Any) -> bool:
    return isinstance(value, list) and len(value) >= 2 and isinstance(value[0], int)


def _facts(item: Mapping[str, Any], url: str = "") -> Facts:
    """The fields, and the names that a picture may have been given: by default, or by a pattern that people use."""
    ending = str(item.get("extension") or "jpg")
    number = item.get("num")
    names = [item.get("filename"), item.get("media_id"), item.get("id")]
    for key in ("post_shortcode", "shortcode", "tweet_id", "post_id", "id"):
        if item.get(key) and number:
            names += [f"{item[key]}_{number}", f"{item.get('date', '')}"[:10] + f" {item[key]}_{number}"]
    found = [f"{one}.{ending}" for one in names if one]
    address = url or str(item.get("url") or item.get("display_url") or "")
    facts = facts_of({key: one for key, one in item.items() if key not in ("filename", "url")})
    media = (tuple(dict.fromkeys([*found, *([name_in_url(address)] if address else [])])),)
    return replace(facts, media=media, local=False)
