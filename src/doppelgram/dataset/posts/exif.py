"""Photographs without a table: what their EXIF data say of the time at which they were taken."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from PIL import Image

from doppelgram.dataset.posts.rows import PostRow
from doppelgram.dataset.posts.times import Clock
from doppelgram.images.decode import FORMATS
from doppelgram.images.ordered import in_order

_EXIF_IFD = 0x8769
_DATE_TIME_ORIGINAL, _OFFSET_TIME_ORIGINAL, _OFFSET_TIME = 0x9003, 0x9011, 0x9010


def read_exif_times(
    root: Path, names: list[str], clock: Clock, progress: Callable[[int], None] | None = None
) -> list[PostRow]:
    """A row for each photograph, with the time at which the camera released and no author.

    ``DateTimeOriginal`` counts, with ``OffsetTimeOriginal`` (or ``OffsetTime``) as its zone. The time at which a file
    was last written says nothing of the photograph and is never used, so that one without this entry has no date;
    nor has one whose entry is no time, as cameras write that were never set.
    """
    rows = []
    with closing(in_order(_spelled, [root / name for name in names])) as reading:
        for name, spelled in zip(names, reading, strict=True):
            # A clock that was never set writes anything; that is no fault of a row that somebody could mend.
            rows.append(PostRow(name, "", clock.read(spelled, str(root / name)) if spelled else None, name))
            if progress:
                progress(1)
    return rows


def _spelled(file: Path) -> str:
    """The time as ISO 8601, with its zone where that is known; empty where there is none."""
    try:
        with Image.open(file, formats=FORMATS) as image:
            entries = image.getexif().get_ifd(_EXIF_IFD)
    except Exception:  # whatever a damaged header raises; that the file is broken is reported when it is embedded
        return ""
    moment = str(entries.get(_DATE_TIME_ORIGINAL, "")).strip("\x00 ")
    offset = str(entries.get(_OFFSET_TIME_ORIGINAL) or entries.get(_OFFSET_TIME) or "").strip("\x00 ")
    return next((spelling for spelling in (moment + offset, moment) if _is_time(spelling)), "")


def _is_time(spelling: str) -> bool:
    try:
        return Clock().read(spelling, "") is not None
    except Exception:  # no time, or one of a year that no photograph is of
        return False
