"""How a catalog that an earlier version of this program wrote becomes one of this version."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from doppelgram.catalog.rows import EMPTY

VERSION = 2
"""Of the catalogs that this program writes. It reads every earlier one as it is."""


def migrate(table: Any, version: int) -> None:
    """Bring the table of a catalog from an earlier version to the present one.

    A step that was interrupted, or is done by two processes at the same time, does no harm: it adds only what is not
    there.

    Args:
        table: the images, a LanceDB table.
        version: of the catalog.

    Raises:
        OSError, RuntimeError: it cannot be written.
    """
    for step in range(version, VERSION):
        _STEPS[step](table)


def _add_part(table: Any) -> None:
    """Version 2: which part of a plan a row came from, where several machines embedded it."""
    _add_text(table, "part")


def _add_text(table: Any, name: str) -> None:
    if name in table.schema.names:
        return
    try:
        table.add_columns({name: f"CAST('{EMPTY[name]}' AS STRING)"})
    except (OSError, RuntimeError, ValueError):
        table.checkout_latest()
        if name not in table.schema.names:  # it is not another process that was faster
            raise


_STEPS: Mapping[int, Callable[[Any], None]] = {1: _add_part}
