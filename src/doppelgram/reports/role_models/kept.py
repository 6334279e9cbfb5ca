"""Where the trace of a catalog is kept, and which row of the catalog shows each of its posts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from doppelgram.reports.role_models.files import SUMMARY_FILE
from doppelgram.reports.role_models.reading import holds_trace
from doppelgram.rolemodels.kept_posts import ROW_COLUMN
from doppelgram.rolemodels.result import RoleModels

if TYPE_CHECKING:
    import pandas as pd

KEPT_FOLDER = "role-models"
"""In the catalog's folder: what the page traced."""


def newest_trace(catalog: Path) -> Path | None:
    """The folder with the newest trace of a catalog; None if there is none.

    What the page traced lies in the catalog's own folder. Where the catalog lies in a folder that `trace` wrote, the
    tables there count too.
    """
    folders = [catalog / KEPT_FOLDER, *([catalog.parent] if catalog.name == "catalog" else [])]
    there = [folder for folder in folders if holds_trace(folder)]
    return max(there, key=lambda one: (one / SUMMARY_FILE).stat().st_mtime_ns, default=None)


def rows_of_posts(found: RoleModels, facts: pd.DataFrame) -> dict[str, str]:
    """By a post's path the id of the catalog's row that shows it; posts whose row is not known are left out.

    Args:
        found: a trace of the catalog, or of posts that were indexed into it.
        facts: ``id`` and ``name`` of the catalog's rows.
    """
    posts = found.role_models
    if ROW_COLUMN in posts:
        there, ids = zip(posts["path"].tolist(), posts[ROW_COLUMN].tolist(), strict=True), set(facts["id"])
        return {path: row for path, row in there if row in ids}
    named = dict(zip(facts["name"].tolist(), facts["id"].tolist(), strict=True))
    rows = {path: named[path] for path in posts["path"].tolist() if path in named}
    # Posts with the same bytes share a row, which has the name of one of them.
    for path, first in zip(posts["path"].tolist(), posts["repost_of"].tolist(), strict=True):
        if path not in rows and first in rows:
            rows[path] = rows[first]
    return rows
