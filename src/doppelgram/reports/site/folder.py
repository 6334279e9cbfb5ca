"""The folder of an exported site: made beside its place, and put there when it is whole."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from doppelgram.errors import DoppelgramError
from doppelgram.files import check_folder
from doppelgram.reports.site.mosaic import MOSAIC_FILE
from doppelgram.reports.site.photographs import PHOTOGRAPHS, PHOTOGRAPHS_FILE
from doppelgram.reports.site.role_models import ROLE_MODELS_FILE

INDEX_FILE, MAP_FILE, TABLES_FOLDER = "index.html", "map.html", "tables"
_OWN = {
    *(INDEX_FILE, MAP_FILE, TABLES_FOLDER, ROLE_MODELS_FILE, MOSAIC_FILE, PHOTOGRAPHS, PHOTOGRAPHS_FILE),
    *("citation.bib", "citation.json"),
}
# Stands in the style sheet of the index, by which a folder is known as one that may be replaced.
_MARK = "doppelgram export-site"


def check_site(folder: Path, catalog: Path) -> None:
    """Refuse a folder that a site cannot be put into.

    Raises:
        DoppelgramError: it cannot be written, holds something else, or is or lies in the catalog.
    """
    check_folder(folder)
    if catalog.resolve() in (folder.resolve(), *folder.resolve().parents):
        raise DoppelgramError(f"{folder}: lies in the catalog {catalog}; choose another --out")
    if folder.is_dir() and any(folder.iterdir()) and not _is_site(folder):
        raise DoppelgramError(f"{folder}: holds something else than an exported site; choose a new or empty --out")


def _is_site(folder: Path) -> bool:
    try:
        # A file that somebody put beside the pages must not be lost.
        own = {entry.name for entry in folder.iterdir()} <= _OWN
        return own and _MARK in (folder / INDEX_FILE).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return False


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A folder beside ``folder`` to fill, which takes its place once the block is done.

    A block that fails or is interrupted leaves what was there, and nothing beside it. So nothing of an earlier site,
    whose heads may not have been blurred, stays in a new one.

    Raises:
        DoppelgramError: the folder cannot be replaced.
    """
    mark = secrets.token_hex(4)
    aside, old = (folder.absolute().with_name(f".{folder.name}.{mark}.{what}") for what in ("part", "old"))
    try:
        aside.mkdir(parents=True)
        yield aside
        if folder.exists():
            os.replace(folder, old)
        os.replace(aside, folder)
    except OSError as problem:
        raise DoppelgramError(f"{folder}: cannot be written: {problem.strerror or problem}") from problem
    finally:
        if old.exists() and not folder.exists():
            os.replace(old, folder)
        shutil.rmtree(aside, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
