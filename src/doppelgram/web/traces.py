"""The role models of a catalog: kept beside its vectors, and found again when it is opened the next time."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doppelgram.reports.role_models.files import SUMMARY_FILE
from doppelgram.reports.role_models.kept import newest_trace, rows_of_posts
from doppelgram.reports.role_models.reading import read_trace
from doppelgram.rolemodels.result import RoleModels

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Traced:
    """A trace, and which row of the catalog shows each of its posts.

    Attributes:
        found: the trace.
        when: it was made, UTC.
        row_of: by a post's path the id of its row; posts whose row is not known are left out.
    """

    found: RoleModels
    when: datetime
    row_of: Mapping[str, str]

    @cached_property
    def by_arrangement(self) -> Mapping[str, pd.DataFrame]:
        """The posts of each arrangement in order of time, those without a usable time last."""
        posts = self.found.role_models
        posts = posts.sort_values(["status", "timestamp", "path"], key=_traced_first, kind="stable")
        return {str(name): part for name, part in posts.groupby("arrangement") if name}

    @cached_property
    def predecessors(self) -> Mapping[str, Any]:
        """By a post's path the edge from its parent, a row of `RoleModels.edges`."""
        edges = self.found.edges[self.found.edges["is_parent"].astype(bool)]
        return dict(zip(edges["target"].tolist(), edges.itertuples(index=False), strict=True))

    def new_rows(self, ids: Iterable[str]) -> int:
        """How many of a catalog's rows came after this was traced."""
        return len(set(ids) - set(self.row_of.values()))


def _traced_first(column: pd.Series) -> pd.Series:
    return column != "traced" if column.name == "status" else column


class Traces:
    """The role models of a catalog, see `newest_trace`; read when first asked for, and again when made anew."""

    def __init__(self, catalog: Path) -> None:
        self._catalog = catalog
        self._lock = threading.Lock()
        self._read: tuple[object, Traced] | None = None

    def current(self, facts: pd.DataFrame) -> Traced | None:
        """The newest trace there is; None if there is none.

        Args:
            facts: ``id`` and ``name`` of the catalog's rows.

        Raises:
            DoppelgramError: its tables are damaged.
        """
        folder = newest_trace(self._catalog)
        if folder is None:
            return None
        made = (folder / SUMMARY_FILE).stat().st_mtime
        with self._lock:
            key = (folder, made, len(facts))
            if self._read is None or self._read[0] != key:
                found = read_trace(folder)
                self._read = key, Traced(found, datetime.fromtimestamp(made, UTC), rows_of_posts(found, facts))
            return self._read[1]
