"""Photographs as files of an exported site: numbered, as JPEG, without EXIF."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from doppelgram.errors import DoppelgramError
from doppelgram.files import written_whole
from doppelgram.reports.pages import page, write_text
from doppelgram.reports.site.shown import Shown, own_name

PHOTOGRAPHS, PHOTOGRAPHS_FILE = "photographs", "photographs.html"
# Of more, the page has names alone, so that it stays below 20 MB.
MOST_PICTURED = 2_000
_QUALITY, _KEPT_SIDE, _SIDE = 88, 4096, 200


@dataclass(frozen=True)
class Written:
    """Which photographs have become files.

    Attributes:
        rows: of the catalog.
        unread: how many are there as small pictures alone, since their file could not be read.
    """

    rows: list[str]
    unread: int


def write_photographs(shown: Shown, folder: Path, *, large: bool, advance: Callable[[int], None]) -> Written:
    """Write ``photographs/NUMBER.jpg`` of each that may be shown.

    Args:
        shown: the photographs.
        folder: of the site.
        large: whether they are read from their files; else the catalog's small pictures are written.
        advance: called with 1 for each.
    """
    rows, unread = list[str](), 0
    for row in shown.first_rows:
        image: Image.Image | None = None
        read = False
        if large:
            try:
                image, read = shown.large(row), True
            except DoppelgramError:
                unread += 1
        image = image if read else shown.small(row, _KEPT_SIDE)
        if image is not None:
            with written_whole(folder / PHOTOGRAPHS / f"{shown.numbers[row]}.jpg") as aside:
                image.save(aside, "JPEG", quality=_QUALITY, exif=b"")
            rows.append(row)
        advance(1)
    return Written(rows, unread)


def write_gallery(shown: Shown, written: Written, file: Path, *, title: str) -> Path:
    """Write the page that leads to the photographs, in the order of their numbers.

    Args:
        shown: the photographs.
        written: those that have a file.
        file: to write.
        title: of the index.
    """
    pictured = len(written.rows) <= MOST_PICTURED
    photographs = []
    for row in written.rows:
        picture = shown.pictures(row, _SIDE) if pictured else None
        name = own_name(str(shown.rows["name"][row] or shown.rows["path"][row]))
        photographs.append((shown.numbers[row], name, None if picture is None else picture.jpeg))
    return write_text(file, page("reports/site/photographs.html", title=title, photographs=photographs))
