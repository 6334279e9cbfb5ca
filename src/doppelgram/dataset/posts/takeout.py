"""The JSON that Google Takeout writes beside photographs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from doppelgram.dataset.posts.source import Record
from doppelgram.dataset.records.fields import Facts, facts_of

name = "takeout"
reads = "a folder of Google Takeout (Google Photos), with JSON beside the photographs"


def records(value: Any, file: Path) -> list[Record] | None:
    """The photograph that a file speaks of; descriptions of albums are left aside."""
    if not isinstance(value, Mapping) or "title" not in value:
        return None
    if isinstance(value.get("photoTakenTime"), Mapping):
        facts = facts_of({key: one for key, one in value.items() if key != "title"})
        title = str(value["title"])
        return [Record(str(file), replace(facts, key="", media=((title,),), local=False), beside=True)]
    if "access" in value or file.name.lower().startswith(("metadata", "metadaten", "métadonnées", "metadatos")):
        return [Record(str(file), Facts(), why_not="descriptions of albums")]
    return None
