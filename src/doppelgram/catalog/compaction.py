"""Tidying of a catalog's table: old versions go, and the pieces that many writes leave behind are joined."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from doppelgram.errors import DoppelgramError

KEPT_DAYS = 7.0
"""Versions younger than this stay, so that whoever reads one can finish."""

_TRIES = 3


@dataclass(frozen=True)
class Compacted:
    """What tidying did.

    Attributes:
        fragments_before: pieces of the table.
        fragments: pieces afterwards.
        versions_removed: old versions that cannot be read any more.
        bytes_removed: space that they took.
    """

    fragments_before: int
    fragments: int
    versions_removed: int
    bytes_removed: int


def compact_table(table: Any, keep_days: float = KEPT_DAYS) -> Compacted:
    """Remove versions that are older and have no name, join the pieces, and bring the index up to date.

    What is old goes first, since joining needs room for a second copy of what is joined; and once more at the end,
    for what joining made old. Rows and their order stay.

    Args:
        table: of a catalog, at its latest version.
        keep_days: versions of the last so many days stay.

    Raises:
        DoppelgramError: other writers got in between each time.
        OSError, RuntimeError: it cannot be read or written.
    """
    keep = timedelta(days=keep_days)
    before = fragments_of(table)
    first = _clean(table, keep)
    for attempt in range(_TRIES):
        try:
            # Positions in the index are put right at once: deferring that loses rows where both meet.
            table.to_lance().optimize.compact_files(defer_index_remap=False)
            table.to_lance().optimize.optimize_indices()
            break
        except (OSError, RuntimeError) as problem:
            if "conflict" not in str(problem).lower():
                raise
            if attempt == _TRIES - 1:
                raise DoppelgramError("others are writing to this catalog; compact it when they are done") from problem
    last = _clean(table, keep)
    return Compacted(
        before,
        fragments_of(table),
        int(first.old_versions + last.old_versions),
        int(first.bytes_removed + last.bytes_removed),
    )


def fragments_of(table: Any) -> int:
    """Pieces that the table consists of."""
    return int(table.stats()["fragment_stats"]["num_fragments"])


def _clean(table: Any, keep: timedelta) -> Any:
    # A version with a name stays, whatever its age.
    return table.to_lance().cleanup_old_versions(older_than=keep, error_if_tagged_old_versions=False)
