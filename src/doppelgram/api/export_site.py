"""A catalog as static files: for a thesis, an article or a talk, without a server."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from doppelgram.api.map import draw_map
from doppelgram.catalog.store import Catalog
from doppelgram.console import Progress, TerminalProgress
from doppelgram.maps.atlas import Map
from doppelgram.maps.sprites import make_sheets
from doppelgram.numbers import count, plural
from doppelgram.reports.map.page import write_page
from doppelgram.reports.role_models.citation import write_citation
from doppelgram.reports.site.folder import INDEX_FILE, MAP_FILE, TABLES_FOLDER, check_site, whole_folder
from doppelgram.reports.site.index import Page, write_index
from doppelgram.reports.site.mosaic import MOSAIC_FILE, draw_mosaic
from doppelgram.reports.site.photographs import PHOTOGRAPHS_FILE, write_gallery, write_photographs
from doppelgram.reports.site.role_models import ROLE_MODELS_FILE, write_role_models
from doppelgram.reports.site.shown import Shown, own_name
from doppelgram.reports.site.tables import write_tables


@dataclass(frozen=True)
class Site:
    """An exported site: its index, the pages that it leads to, and notes on what was left out."""

    index: Path
    pages: list[Page]
    notes: list[str]


def export_site(
    catalog: Path | str,
    out: Path | str,
    *,
    photographs: bool = False,
    blur_faces: bool = False,
    map_page: bool = True,
    tables: bool = False,
    title: str = "",
    weights: Path | str | None = None,
    keypoints: Path | str | None = None,
    progress: Progress | None = None,
) -> Site:
    """Write a catalog's map, mosaic and role models as pages that open from a disk.

    Args:
        catalog: catalog folder.
        out: new or empty folder, or an earlier site, which is replaced as a whole.
        photographs: whether the photographs are copied, as JPEG of at most 1,600 pixels a side, without EXIF. By
            default there are small pictures alone.
        blur_faces: whether the heads of people are blurred in all pictures; photographs in which nobody was found are
            then not shown.
        map_page: whether there is a page with the map.
        tables: whether tables for VIKUS Viewer and PixPlot are written, and the pictures that they name.
        title: of the index; the catalog's name by default.
        weights: as for `draw_map`.
        keypoints: as for `draw_map`.
        progress: where progress is shown; the terminal by default.

    Raises:
        DoppelgramError: catalog or folder cannot be used, there are fewer than 3 photographs, or heads cannot be
            blurred since nobody was looked for.
    """
    progress, folder = progress or TerminalProgress(), Path(out).expanduser()
    store = Catalog.open(catalog)
    check_site(folder, store.folder)
    shown, title = Shown.of_catalog(store, blur_faces), title or store.folder.resolve().name
    found = _shown_map(draw_map(store.folder, weights=weights, keypoints=keypoints, progress=progress), shown)
    rows, pages, notes = list(found.images.ids), list[Page](), list[str]()
    with whole_folder(folder) as aside:
        with progress.bar("drawing the mosaic", len(rows)) as advance:
            mosaic = draw_mosaic(shown, rows, found.points, aside / MOSAIC_FILE, advance)
        if n := shown.hidden:
            which = f"{count(n, 'photograph')} in which nobody was found {plural(n, 'is', 'are')}"
            notes.append(f"{which} not shown, since no head could be blurred.")
        if map_page:
            write_page(found, aside / MAP_FILE, title=title)
            pages.append(
                Page(MAP_FILE, "Map", "Every photograph in the plane, alike ones near each other, with names.")
            )
        lead, why = write_role_models(store.folder, shown, aside, title)
        if lead:
            pages.append(Page(ROLE_MODELS_FILE, "Role models", lead))
        else:
            notes.append(why)
        if photographs or tables:
            with progress.bar("writing photographs", len(shown.first_rows)) as advance:
                written = write_photographs(shown, aside, large=photographs, advance=advance)
            write_gallery(shown, written, aside / PHOTOGRAPHS_FILE, title=title)
            pages.append(Page(PHOTOGRAPHS_FILE, "Photographs", "Each by itself, in the order of their names."))
            if n := written.unread:
                notes.append(
                    f"{count(n, 'photograph')} could not be read again and {plural(n, 'is', 'are')} there in small."
                )
            if tables:
                write_tables(shown, written.rows, rows, found.points, aside / TABLES_FOLDER)
        write_citation(aside)
        write_index(shown, found, mosaic, aside / INDEX_FILE, title=title, pages=pages, notes=notes)
    return Site(folder / INDEX_FILE, pages, notes)


def _shown_map(found: Map, shown: Shown) -> Map:
    """The map without paths of the machine and, if asked for, with blurred heads."""
    images, sheets = found.images, found.images.sheets
    if shown.blurred and sheets is not None:
        sheets = make_sheets(shown.tiles(images.ids, sheets.side), sheets.side)
    return replace(found, images=replace(images, names=[own_name(name) for name in images.names], sheets=sheets))
