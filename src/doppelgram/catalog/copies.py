"""Rows that a job by a plan appended while a write looked for what is there already: of each id one stays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from doppelgram.catalog.rows import one_of
from doppelgram.errors import DoppelgramError

_TRIES = 10


def remove_overtaken(table: Any, ids: Sequence[str]) -> None:
    """Keep one row of each id: the one that is of no part of a plan, as `doppelgram.scale.copies` does.

    The engine notices when two merges insert the same key at the same time, but not when data files are appended.

    Args:
        table: of a catalog, a LanceDB table.
        ids: that were just merged.

    Raises:
        DoppelgramError: others change the table all the time.
        OSError, RuntimeError: it cannot be read.
    """
    for _ in range(_TRIES):
        version = table.to_lance()
        rows = version.to_table(columns=["id", "part"], filter=one_of(ids), with_row_id=True).to_pandas()
        rows["planned"] = rows["part"] != ""
        rows = rows.sort_values(["planned", "_rowid"], kind="stable")
        copies = rows.loc[rows.duplicated("id"), "_rowid"].tolist()
        if not copies:
            return
        try:
            version.delete(f"_rowid IN ({', '.join(map(str, copies))})", conflict_retries=0)
            return
        except (OSError, RuntimeError):
            table.checkout_latest()  # the numbers of the rows may be others by now
    raise DoppelgramError("other programs change this catalog; try again when they have ended")
