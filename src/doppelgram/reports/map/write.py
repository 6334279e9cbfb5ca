"""A map in whichever file is asked for."""

from __future__ import annotations

from pathlib import Path

from doppelgram.errors import DoppelgramError
from doppelgram.maps.atlas import Map
from doppelgram.reports.map.page import write_page
from doppelgram.reports.map.picture import write_picture

PAGE, PICTURES = ".html", (".png", ".svg")


def check_map_file(file: Path) -> None:
    """Refuse a file that a map cannot be written to; raises DoppelgramError."""
    if file.suffix.lower() not in (PAGE, *PICTURES):
        raise DoppelgramError(f"{file}: a map is written as .html, .png or .svg; give the file one of these endings")
    if file.is_dir():
        raise DoppelgramError(f"{file}: is a folder; name a file for the map")


def write_map(found: Map, file: Path, title: str) -> None:
    """Write a map as its file's ending says: a page, or a picture."""
    if file.suffix.lower() == PAGE:
        write_page(found, file, title=title)
    else:
        write_picture(found, file, title)
