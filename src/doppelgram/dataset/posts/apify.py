"""The items of Apify's scrapers of Instagram."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from doppelgram.dataset.posts.source import Record
from doppelgram.dataset.records.fields import Facts, facts_of

name = "apify"
reads = "a dataset of Apify's scrapers (JSON), beside its pictures"
_MARKS = frozenset(("ownerUsername", "shortCode", "displayUrl", "childPosts", "inputUrl"))


def records(value: Any, file: Path) -> list[Record] | None:
    """The items; what the scraper could not fetch is left aside with its own word for it."""
    if not isinstance(value, list) or sum(_is_item(one) for one in value[:50]) * 2 <= len(value[:50]):
        return None
    return [_record(one, f"{file}: item {number}") for number, one in enumerate(value, start=1)]


def _is_item(value: Any) -> bool:
    return isinstance(value, Mapping) and len(_MARKS & set(value)) >= 2


def _record(item: Any, where: str) -> Record:
    if not _is_item(item):
        said = str(item.get("errorDescription") or item.get("error") or "") if isinstance(item, Mapping) else ""
        return Record(where, Facts(), why_not=f"items that are no post{said and f' ({said[:60]})'}")
    # With pictures of its own an item of several is told by its children, otherwise by the list of addresses.
    return Record(where, facts_of(item))
