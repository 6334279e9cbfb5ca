"""Everything that is written about a trace: tables, summary, methods, citation, walls and the report."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from doppelgram.reports.pages import write_text
from doppelgram.reports.role_models.anonymous import AnonymousPictures, anonymised
from doppelgram.reports.role_models.citation import write_citation
from doppelgram.reports.role_models.files import write_summary, write_tables
from doppelgram.reports.role_models.photographs import Pictures
from doppelgram.reports.role_models.report import write_report
from doppelgram.reports.role_models.summary import REPORT_FILE, summary
from doppelgram.reports.role_models.wall import write_walls
from doppelgram.rolemodels.findings import LIMITS
from doppelgram.rolemodels.methods import method
from doppelgram.rolemodels.result import RoleModels


def write_folder(
    found: RoleModels,
    folder: Path,
    pictures: Pictures,
    title: str,
    about: Mapping[str, str],
    reader: str = "",
    anonymise: bool = False,
) -> None:
    """Write all files of a trace.

    Args:
        found: the trace.
        folder: where to.
        pictures: of its posts.
        title: of the report.
        about: model, weights and versions.
        reader: name of the reader of the posts, if one read them.
        anonymise: whether authors, posts, heads and captions are made unknowable.
    """
    if anonymise:
        found, path_of = anonymised(found)
        pictures = AnonymousPictures(pictures, path_of)
    source = f"read by the reader '{reader}'" if reader else ""
    write_tables(found, folder)
    write_summary(summary(found, folder), folder)
    write_citation(folder)
    methods = [*method(found, dict(about), source), LIMITS]
    write_text(folder / "methods.txt", "\n\n".join(part for part in methods if part) + "\n")
    write_walls(found, folder, pictures)
    write_report(found, folder / REPORT_FILE, pictures, title=title, about=dict(about), source=source)
