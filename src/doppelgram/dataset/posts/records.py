"""JSON that lists posts, as downloaders and scripts write it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from doppelgram.dataset.posts.source import Record
from doppelgram.dataset.records.fields import facts_of, unwrapped

name = "records"
reads = "a JSON file that lists posts, each an object with a picture's path or address, an owner and a time"
_DEEPEST = 6


def records(value: Any, file: Path) -> list[Record] | None:
    """The posts of the first list in a value, or of a mapping from ids to posts, that holds some with a picture."""
    for items in _lists(value, 0):
        found = [Record(f"{file}: post {number}", facts_of(unwrapped(one))) for number, one in enumerate(items, 1)]
        if any(record.facts.is_post and (record.facts.media or record.facts.key) for record in found) and any(
            record.facts.media for record in found
        ):
            return found
    return None


def _lists(value: Any, depth: int) -> Iterator[list[Mapping[str, Any]]]:
    """Lists of objects in a value, the outermost first."""
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        if value and any(isinstance(one, Mapping) for one in value):
            yield [one if isinstance(one, Mapping) else {} for one in value]
        return
    if isinstance(value, Mapping):
        items = list(value.values())
        if len(items) > 1 and all(isinstance(one, Mapping) for one in items):
            yield items
        for one in items:
            if isinstance(one, list | Mapping):
                yield from _lists(one, depth + 1)
