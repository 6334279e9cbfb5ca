"""Captures of Zeeschuimer: one item a line, each in an envelope, in whatever form the platform sent it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from doppelgram.dataset.posts.source import Record
from doppelgram.dataset.records.fields import facts_of, unwrapped

name = "zeeschuimer"
reads = "a capture of Zeeschuimer (.ndjson), beside its pictures"


def records(value: Any, file: Path) -> list[Record] | None:
    """The items of a capture.

    Instagram sends items of three kinds: of lists (``code``, ``user``, ``taken_at``), of its graph (``shortcode``,
    ``taken_at_timestamp``) and of Polaris, which have neither time nor place. Advertisements are left aside.
    """
    items = value if isinstance(value, list) else [value]
    if not items or not _is_item(items[0]) or not all(_is_item(one) for one in items[:20]):
        return None
    return [_record(item, f"{file}: item {number}") for number, item in enumerate(items, start=1)]


def _is_item(value: Any) -> bool:
    return isinstance(value, Mapping) and "data" in value and ("source_platform" in value or "item_id" in value)


def _record(item: Any, where: str) -> Record:
    data = unwrapped(item["data"]) if _is_item(item) and isinstance(item["data"], Mapping) else {}
    facts = facts_of(data)
    kind = str(data.get("__typename", ""))
    platform = str(item.get("source_platform", "")) if isinstance(item, Mapping) else ""
    why = ""
    if data.get("product_type") == "ad" or data.get("is_ad") is True or data.get("ad_id") or data.get("isAd") is True:
        why = "advertisements"
    elif data.get("_zs_partial") and not facts.media:
        why = "items that were seen, but not opened (partial)"
    elif not facts.is_post:
        why = f"items of {platform or 'an unknown platform'} that name no author and no time where others do"
    elif kind.startswith("XIGPolaris") and facts.time is None:
        facts = replace(facts, more={**facts.more, "kind": "polaris"})
    elif data.get("_zs_partial"):
        facts = replace(facts, more={**facts.more, "kind": "partial"})
    if not facts.key and isinstance(item, Mapping) and item.get("item_id"):
        facts = replace(facts, key=str(item["item_id"]))
    return Record(where, facts, why_not=why)


def note(source: Any, rows: Any) -> list[str]:
    """What has to be said of items without a time."""
    count = sum(row.more.get("kind") == "polaris" for row in rows)
    if not count:
        return []
    return [
        f"{count:,} item{' is' if count == 1 else 's are'} of Instagram's kind that names neither time nor place "
        "(Polaris); open the posts before capturing to have them"
    ]
