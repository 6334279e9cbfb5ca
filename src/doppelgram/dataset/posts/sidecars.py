"""The JSON that downloaders leave beside each picture or post."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from doppelgram.dataset.posts.source import Record
from doppelgram.dataset.records.fields import facts_of, unwrapped

name = "sidecars"
reads = "a folder in which a downloader (yt-dlp and the like) wrote JSON beside each picture or post"


def records(value: Any, file: Path) -> list[Record] | None:
    """The one post that a file speaks of."""
    if not isinstance(value, Mapping):
        return None
    facts = facts_of(unwrapped(value))
    return [Record(str(file), facts, beside=True)] if facts.is_post else None
