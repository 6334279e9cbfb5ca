"""The near copies among the images of a catalog."""

from __future__ import annotations

import csv as tables
from pathlib import Path

from doppelgram.api.chosen import looked_at
from doppelgram.catalog.cells import harmless
from doppelgram.catalog.duplicates import Copy, Duplicates, find_duplicates
from doppelgram.catalog.search.searcher import Match, Neighbours
from doppelgram.catalog.search.where import parse_where
from doppelgram.catalog.store import Catalog
from doppelgram.console import Progress, TerminalProgress
from doppelgram.errors import DoppelgramError
from doppelgram.files import written_whole
from doppelgram.reports.montage import draw_montage

_COLUMNS = ("group", "path", "name", "label", "author", "timestamp", "distance", "id")
_DRAWN, _WIDE = 30, 8


def duplicates(
    catalog: Catalog | Path | str,
    *,
    distance: float | None = None,
    where: str = "",
    csv: Path | str | None = None,
    montage: Path | str | None = None,
    weights: Path | str | None = None,
    keypoints: Path | str | None = None,
    progress: Progress | None = None,
) -> Duplicates:
    """Group the images of a catalog that are one photograph: saved again, made smaller, brighter or without colours.

    Args:
        catalog: a catalog or its folder.
        distance: up to which two images are copies by their vectors alone; by default the small pictures in the catalog
            decide.
        where: condition that both have to fulfil; see `doppelgram.catalog.search.where`.
        csv: table to write, one row an image; an apostrophe stands before what a spreadsheet would take for a formula.
        montage: PNG to draw the largest groups into.
        weights: as for `index`.
        keypoints: as for `index`.
        progress: where progress is shown; the terminal by default.

    Raises:
        DoppelgramError: no such catalog, fewer than two images, or a file cannot be written.
    """
    csv, montage = (None if file is None else Path(file).expanduser() for file in (csv, montage))
    if montage is not None and montage.suffix.lower() != ".png":
        raise DoppelgramError(f"{montage}: a montage is a PNG; let its name end in .png")
    condition = parse_where(where) if where else None
    progress = progress or TerminalProgress()
    store = catalog if isinstance(catalog, Catalog) else looked_at(catalog, progress)
    space = store.load_model(weights=weights, keypoints=keypoints).space
    found = find_duplicates(store, space, progress, distance=distance, where=condition)
    if csv is not None:
        _write(found, csv)
    if montage is not None and found.groups:
        draw_montage([_as_neighbours(group[:_WIDE]) for group in found.groups[:_DRAWN]], store, montage)
    return found


def _write(found: Duplicates, file: Path) -> None:
    try:
        with written_whole(file) as aside, aside.open("w", encoding="utf-8", newline="") as out:
            table = tables.DictWriter(out, _COLUMNS)
            table.writeheader()
            for number, group in enumerate(found.groups, 1):
                for copy in group:
                    time = copy.timestamp.isoformat() if copy.timestamp else ""
                    facts = {name: getattr(copy, name) for name in _COLUMNS[1:]}
                    facts |= {name: harmless(facts[name]) for name in ("path", "name", "label", "author")}
                    table.writerow(facts | {"group": number, "timestamp": time, "distance": f"{copy.distance:.6g}"})
    except OSError as problem:
        raise DoppelgramError(f"{file}: cannot be written: {problem.strerror}") from problem


def _as_neighbours(group: list[Copy]) -> Neighbours:
    """A group as its first image and what is like it, which is how a montage shows it."""
    first, *others = group
    matches = [
        Match(rank, one.path, one.name, one.label, one.distance, None, one.id) for rank, one in enumerate(others, 1)
    ]
    return Neighbours(first.path, matches, first.id)
