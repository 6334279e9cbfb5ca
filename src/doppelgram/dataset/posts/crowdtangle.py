"""Tables of posts that name pictures by address: CrowdTangle's, and those of scrapers."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from doppelgram.dataset.posts.fourcat import rows_of
from doppelgram.dataset.posts.source import Record, Source
from doppelgram.dataset.records.fields import facts_of, fold
from doppelgram.dataset.tables import Table

name = "crowdtangle"
reads = "a table of CrowdTangle, or of a scraper, that names pictures by address or posts by code, beside its pictures"
_POST = re.compile(r"/(?:p|reel|tv|status|pin|photo)s?/([A-Za-z0-9_-]+)")
_ADDRESSES = ("url", "link", "post_url", "permalink", "post_link", "shortcode_url", "input_url", "final_link")


def records(value: Any, file: Path) -> list[Record] | None:
    """Nothing: these are tables."""
    return None


def rows(table: Table, source: Source) -> list[Record] | None:
    """A record for each row of a table that has authors or times, and addresses of pictures or posts."""
    if "path" in table.rows and "://" not in "".join(table.rows["path"].head(20)):
        return None
    names = [fold(column) for column in table.spelled.values()]
    found = []
    for number, row in zip(table.numbers.tolist(), rows_of(table, names), strict=True):
        facts = facts_of(row)
        codes = (match[1] for key in _ADDRESSES if (match := _POST.search(str(row.get(key, "")))))
        facts = replace(facts, key=next(codes, facts.key), local=False)
        found.append(Record(f"{source.shown(table.file)}: row {number}", facts))
    # A table that leads to no picture here is of something else.
    if not any(record.facts.is_post and _leads(record, source) for record in found):
        return None
    return found


def _leads(record: Record, source: Source) -> bool:
    pictures = source.pictures
    if any(pictures.of_names(names, "") for names in record.facts.media):
        return True
    return bool(record.facts.key and pictures.of_code(record.facts.key, ""))
