"""Rows that are in a table twice: parts do not know each other's photographs, and two jobs may do the same at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from doppelgram.errors import DoppelgramError
from doppelgram.scale.table import Table

_TRIES = 10


def remove_copies(table: Table, order: Mapping[str, int]) -> int:
    """Keep one row of each id: one that was there before the plan, else that of its earliest part.

    Memory is 8 bytes a row, and what is repeated.

    Args:
        table: of the catalog.
        order: position of each part in the plan.

    Returns:
        How many rows were taken out.

    Raises:
        DoppelgramError: others change the table all the time.
    """
    removed = 0
    for _ in range(_TRIES):
        version = table.opened()
        rows = _copies(version, order)
        if not rows:
            return removed
        try:
            table.remove(version, rows)
            removed += len(rows)
        except (OSError, RuntimeError):
            continue  # the numbers of the rows may be others by now
    raise DoppelgramError(f"{table.catalog}: other programs change this catalog; try again when they have ended")


def _copies(version: Any, order: Mapping[str, int]) -> list[int]:
    """Numbers of the rows that are to go."""
    hashes = [_hashes(batch["id"]) for batch in version.to_batches(columns=["id"])]
    values, counts = np.unique(np.concatenate([np.zeros(0, np.uint64), *hashes]), return_counts=True)
    repeated = values[counts > 1]
    if not len(repeated):
        return []
    found = []
    for batch in version.to_batches(columns=["id", "part"], with_row_id=True):
        some = np.flatnonzero(np.isin(_hashes(batch["id"]), repeated))
        found.append(batch.take(some).to_pandas())
    rows = pd.concat(found, ignore_index=True)
    rows["order"] = [order.get(part, -1) for part in rows["part"]]
    rows = rows.sort_values(["order", "_rowid"], kind="stable")
    return [int(number) for number in rows.loc[rows.duplicated("id"), "_rowid"]]


def _hashes(ids: Any) -> NDArray[np.uint64]:
    return pd.util.hash_array(ids.to_numpy(zero_copy_only=False), categorize=False)
