"""The role models of a catalog as a page of an exported site."""

from __future__ import annotations

from pathlib import Path

from doppelgram.dataset.image_table import own_path
from doppelgram.reports.role_models.anonymous import with_paths
from doppelgram.reports.role_models.kept import newest_trace, rows_of_posts
from doppelgram.reports.role_models.photographs import Picture
from doppelgram.reports.role_models.reading import read_trace
from doppelgram.reports.role_models.report import write_report
from doppelgram.reports.site.shown import Shown, own_name
from doppelgram.rolemodels.findings import headline

ROLE_MODELS_FILE = "role-models.html"
_NONE = "There is no page on role models: the catalog was not traced. Trace it on the page of `doppelgram serve`."


def write_role_models(catalog: Path, shown: Shown, folder: Path, title: str) -> tuple[str, str]:
    """Write ``role-models.html`` from the trace that is kept for a catalog; no table is written.

    Returns:
        The trace in one sentence, empty where there is none; and then why there is no page.

    Raises:
        DoppelgramError: the kept trace is damaged.
    """
    traced = newest_trace(catalog)
    if traced is None:
        return "", _NONE
    found = read_trace(traced)
    row_of, seen = rows_of_posts(found, shown.rows.reset_index()), set[str]()
    names = {path: own_path(own_name(path), seen) for path in found.role_models["path"].astype(str)}
    path_of = {name: path for path, name in names.items()}

    def pictures(name: str, side: int) -> Picture | None:
        return shown.pictures(row_of.get(path_of.get(name, ""), ""), side)

    write_report(with_paths(found, names), folder / ROLE_MODELS_FILE, pictures, title=title, alone=True)
    return headline(found), ""
