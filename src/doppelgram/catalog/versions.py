"""The versions of a catalog's table: each write makes one, and one that has a name is kept."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any

from doppelgram.errors import DoppelgramError

_NAME = re.compile(r"[A-Za-z][\w-]{0,63}")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True)
class Version:
    """The table as one write left it.

    Attributes:
        number: 1 for the first; a write may make several.
        when: time of the write in UTC.
        rows: how many there were.
        names: under which it is kept; empty for one that is not kept beyond the next tidying.
    """

    number: int
    when: datetime
    rows: int
    names: tuple[str, ...] = ()


def versions_of(table: Any) -> list[Version]:
    """All versions that can still be read, oldest first."""
    names: dict[int, list[str]] = {}
    for name, tag in table.tags.list().items():
        names.setdefault(int(tag["version"]), []).append(name)
    return [
        Version(
            int(one["version"]),
            one["timestamp"].astimezone(UTC),  # the engine gives local times
            int(one["metadata"].get("total_rows", 0)),
            tuple(sorted(names.get(int(one["version"]), ()))),
        )
        for one in table.list_versions()
    ]


def version_at(table: Any, text: str) -> int:
    """The number of the version that is meant.

    Args:
        table: of a catalog.
        text: a number, the name of a kept version, or a time in ISO 8601: the last version until then. A day means
            its end, a time without a zone is in UTC.

    Raises:
        DoppelgramError: there is no such version, none that old, or the one of that time may have been cleaned up.
    """
    text, there = text.strip(), versions_of(table)
    numbers = f"{there[0].number} to {there[-1].number}"
    if text.isdecimal():
        if int(text) not in {version.number for version in there}:
            raise DoppelgramError(
                f"version {text[:20]} is not there (any more); there are {len(there):,} from {numbers}, see "
                "`doppelgram catalog versions`"
            )
        return int(text)
    named = next((version.number for version in there if text in version.names), None)
    if named is not None:
        return named
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise DoppelgramError(
            f"'{text[:60]}' is no version: give its number ({numbers}), its name, or a time such as 2026-01-31T12:00"
        ) from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if _DAY.fullmatch(text):
        moment = datetime.combine(moment.date(), time.max, UTC)
    later = next((place for place, version in enumerate(there) if version.when > moment), len(there))
    if not later:
        raise DoppelgramError(f"there is no version from {text[:60]} or before; the oldest is from {_said(there[0])}")
    found = there[later - 1]
    # Versions that were cleaned up leave a gap in the numbers. One of them may be what the catalog was at that moment.
    if later < len(there) and there[later].number > found.number + 1:
        raise DoppelgramError(
            f"what the catalog was at {text[:60]} may have been cleaned up; there are version {found.number} from "
            f"{_said(found)} and version {there[later].number} from {_said(there[later])}; give one of these numbers"
        )
    return found.number


def _said(version: Version) -> str:
    return f"{version.when:%Y-%m-%d %H:%M:%S} UTC"


def keep_version(table: Any, number: int, name: str) -> None:
    """Give a version a name, by which it is found and never cleaned up.

    Raises:
        DoppelgramError: the name is none, or another version has it.
    """
    if not _NAME.fullmatch(name):
        raise DoppelgramError(f"'{name[:80]}' is no name for a version; use up to 64 letters, digits, - and _")
    there = table.tags.list()
    if name in there and int(there[name]["version"]) != number:
        raise DoppelgramError(f"version {there[name]['version']} is kept as '{name}' already; choose another name")
    if name not in there:
        table.tags.create(name, number)


def release_version(table: Any, name: str) -> None:
    """Take a name away; the version goes with the next tidying that finds it old enough.

    Raises:
        DoppelgramError: no version has this name.
    """
    there = table.tags.list()
    if name not in there:
        raise DoppelgramError(f"no version is kept as '{name[:80]}'; names are {', '.join(sorted(there)) or 'none'}")
    table.tags.delete(name)
