"""Photographs without a table: what their EXIF data say of the time at which they were taken."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from doppelgram.dataset.folders import list_images
from doppelgram.dataset.posts.posts import PostRow, Posts, ReadOptions, collect
from doppelgram.dataset.times import is_time
from doppelgram.images.decode import read_exif
from doppelgram.images.ordered import in_order

name = "exif"
reads = "a folder of photographs, whose EXIF data say when they were taken"
_DATE_TIME_ORIGINAL, _OFFSET_TIME_ORIGINAL, _OFFSET_TIME = 0x9003, 0x9011, 0x9010


def claims(data: Path) -> bool:
    """Whether it is a folder with photographs in it."""
    return data.is_dir() and bool(list_images(data)[0])


def read(data: Path, options: ReadOptions) -> Posts:
    """Read a row for each photograph, with the time at which the camera released and no author.

    ``DateTimeOriginal`` counts, with ``OffsetTimeOriginal`` (or ``OffsetTime``) as its zone. The time at which a file
    was last written says nothing of the photograph and is never used, so that one without this entry has no date;
    nor has one whose entry is no time, as cameras write that were never set.
    """
    images, notes = list_images(data)
    paths = ["/".join(parts) for parts in images]
    rows = []
    with closing(in_order(_spelled, [data / path for path in paths])) as reading:
        for path, spelled in zip(paths, reading, strict=True):
            # A clock that was never set writes anything; that is no fault of a row that somebody could mend.
            rows.append(PostRow(path, "", options.clock.read(spelled, str(data / path)) if spelled else None, path))
            if options.progress:
                options.progress(1)
    return collect(data, rows, [*notes, "times are those of the photographs' EXIF data, which name no author"], name)


def _spelled(file: Path) -> str:
    """The time as ISO 8601, with its zone where that is known; empty where there is none."""
    entries = read_exif(file)
    moment = str(entries.get(_DATE_TIME_ORIGINAL, "")).strip("\x00 ")
    offset = str(entries.get(_OFFSET_TIME_ORIGINAL) or entries.get(_OFFSET_TIME) or "").strip("\x00 ")
    return next((spelling for spelling in (moment + offset, moment) if is_time(spelling)), "")
