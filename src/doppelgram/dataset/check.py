"""What would be read of a folder, table or capture, found out without opening a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from doppelgram.dataset.collection import Collection
from doppelgram.dataset.left import LeftAside, by_reason
from doppelgram.dataset.posts.posts import Posts
from doppelgram.numbers import plural

_NAMED = 3  # things that a line names
_REASONS = 3  # reasons that are shown by themselves


@dataclass(frozen=True)
class Checked:
    """What would be read.

    Attributes:
        source: what was asked about.
        reader: name of the reader of posts; empty for labelled images.
        root: folder that paths start from.
        images: how many rows, one a picture.
        missing: paths of those that lead to no file.
        columns: of each column the field that it comes from, and how many rows have a value.
        authors: how many different authors there are.
        first: the earliest time, None where there is none.
        last: the latest time.
        label: column that images would be compared by; empty for posts and where there is none.
        classes: how many labels there are.
        left: what is left aside, and why.
        notes: further remarks of the reader.
    """

    source: str
    reader: str
    root: Path
    images: int
    missing: tuple[str, ...]
    columns: Mapping[str, tuple[str, int]]
    authors: int
    first: pd.Timestamp | None
    last: pd.Timestamp | None
    label: str
    classes: int
    left: tuple[LeftAside, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return {
            "source": self.source,
            "reader": self.reader,
            "root": str(self.root),
            "images": self.images,
            "missing": list(self.missing),
            "columns": {name: {"from": field, "rows": count} for name, (field, count) in self.columns.items()},
            "authors": self.authors,
            "first": None if self.first is None else self.first.isoformat(),
            "last": None if self.last is None else self.last.isoformat(),
            "label": self.label,
            "classes": self.classes,
            "left_aside": [
                {"why": why, "count": len(things), "things": things} for why, things in by_reason(self.left).items()
            ],
            "notes": list(self.notes),
        }

    def lines(self) -> list[str]:
        """Ten lines or so for a person."""
        by = f"by the reader '{self.reader}'" if self.reader else "as labelled images"
        lines = [f"{self.source}: {_count(self.images, 'picture')}, read {by}; paths start in {self.root}"]
        for name in ("author", "timestamp"):
            if self.reader:
                field, count = self.columns[name]
                found = f"{count:,} of {self.images:,}, from {field}" if count else f"not one of {self.images:,}"
                if count and name == "author":
                    found += f"; {_count(self.authors, 'author')}"
                if count and name == "timestamp":
                    found += f"; {self.first:%Y-%m-%d} to {self.last:%Y-%m-%d}"
                lines.append(f"{name}: {found}")
        if not self.reader:
            lines.append(
                f"label: {self.label}, {_count(self.classes, 'class', 'classes')}" if self.label else "no labels"
            )
        others = {
            name: one for name, one in self.columns.items() if name not in ("path", "author", "timestamp", self.label)
        }
        if others:
            lines.append(
                "also: " + ", ".join(f"{name} ({count:,}, from {field})" for name, (field, count) in others.items())
            )
        if self.missing:
            lines.append(f"not there: {_some(self.missing)}")
        reasons = sorted(by_reason(self.left).items(), key=lambda one: -len(one[1]))
        for why, things in reasons[:_REASONS]:
            lines.append(f"left aside: {len(things):,}, {why}: {_some(things)}")
        if reasons[_REASONS:]:
            count = sum(len(things) for _, things in reasons[_REASONS:])
            lines.append(f"left aside: {count:,} more, for {_count(len(reasons) - _REASONS, 'other reason')} (--json)")
        return lines + [f"note: {note}" for note in self.notes]


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {plural(number, one, many)}"


def _some(things: Sequence[str]) -> str:
    more = f" and {len(things) - _NAMED:,} more" if len(things) > _NAMED else ""
    return ", ".join(repr(thing[-90:]) for thing in things[:_NAMED]) + more


def checked(source: str, collection: Collection) -> Checked:
    """What a collection that was read holds. Files are looked for, not opened."""
    table = collection.table
    posts = collection if isinstance(collection, Posts) else None
    origins = posts.origins if posts else {}
    columns = {}
    for name in map(str, table.columns):
        values = table[name]
        filled = values.notna() if name == "timestamp" else values != ""
        columns[name] = (origins.get(name, "the reader" if posts else f"column {name!r}"), int(filled.sum()))
    times = table["timestamp"].dropna() if "timestamp" in table else pd.Series([], dtype=object)
    authors = set(table["author"]) - {""} if "author" in table else set()
    missing = [name for name, path in zip(collection.names, collection.paths, strict=True) if not path.is_file()]
    return Checked(
        source=source,
        reader=posts.source if posts else "",
        root=collection.root,
        images=len(collection),
        missing=tuple(missing),
        columns=columns,
        authors=len(authors),
        first=pd.Timestamp(times.min()) if len(times) else None,
        last=pd.Timestamp(times.max()) if len(times) else None,
        label=collection.label,
        classes=len(set(collection.labels.tolist()) - {""}),
        left=posts.left if posts else (),
        notes=tuple(note for note in collection.notes if not posts or " left aside (" not in note),
    )
