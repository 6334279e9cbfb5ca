"""Photographs without a table: what their EXIF data say of the time at which they were taken."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from doppelgram.dataset.posts.export import refuse_page
from doppelgram.dataset.posts.fourcat import refuse_without_table
from doppelgram.dataset.posts.posts import PostRow, Posts, ReadOptions, collect
from doppelgram.dataset.posts.source import Source
from doppelgram.dataset.times import is_time
from doppelgram.errors import DoppelgramError
from doppelgram.images.decode import read_exif
from doppelgram.images.ordered import in_order

name = "exif"
reads = "a folder of photographs, whose EXIF data say when they were taken"
_ORIGINAL, _DIGITIZED, _OFFSET_ORIGINAL, _OFFSET_DIGITIZED, _OFFSET = 0x9003, 0x9004, 0x9011, 0x9012, 0x9010


def claims(source: Source) -> bool:
    """Whether it is a folder with photographs in it, and with nothing that says more of them."""
    return source.is_folder and bool(source.listing.images)


def refuse_unread(source: Source) -> None:
    """Refuse a folder with JSON, tables or pages that nobody understood, which are not to be passed over in silence.

    Raises:
        DoppelgramError: there are some; one is named, and what to do.
    """
    refuse_page(source)
    refuse_without_table(source)
    if not source.documents:
        return
    first = source.documents[0]
    reason = "no reader of posts understands it"
    if first.left:
        reason = first.left[0].why if first.left[0].what == source.shown(first.file) else first.left[0].what
    more = f", nor {len(source.documents) - 1:,} more such files" if len(source.documents) > 1 else ""
    raise DoppelgramError(
        f"{first.file}: {reason}{more}, so this folder is not taken for plain photographs; name the columns of a table "
        "(--columns path=...,author=...,timestamp=...), move the file elsewhere, or say --reader exif"
    )


def read(source: Source, options: ReadOptions) -> Posts:
    """Read a row for each photograph, with the time at which the camera released and no author.

    ``DateTimeOriginal`` counts, or else ``DateTimeDigitized``, with the offset of its kind (or ``OffsetTime``) as its
    zone. The time at which a file was last written says nothing of the photograph and is never used, so that one
    without these entries has no date; nor has one whose entry is no time, as cameras write that were never set.
    """
    folder = source.folder
    paths = ["/".join(parts) for parts in source.listing.images]
    rows = []
    with closing(in_order(_spelled, [folder / path for path in paths])) as reading:
        for path, (spelled, entry) in zip(paths, reading, strict=True):
            # A clock that was never set writes anything; that is no fault of a row that somebody could mend.
            time = options.clock.try_read(spelled, path) if spelled else None
            rows.append(PostRow(path, "", time, path, origins={"timestamp": f"EXIF {entry}"} if time else {}))
            if options.progress:
                options.progress(1)
    dated = any(row.origins for row in rows)
    note = (
        "times are those of the photographs' EXIF data" if dated else "no photograph has EXIF data of when it was taken"
    )
    notes = [f"{note}, which {'name' if dated else 'would name'} no author"]
    return collect(folder, rows, notes, name, [*source.listing.left, *source.listing.leave_others()])


def _spelled(file: Path) -> tuple[str, str]:
    """The time as ISO 8601, with its zone where that is known, and the entry's name; empty where there is none."""
    entries = read_exif(file)
    for tag, zone, entry in (
        (_ORIGINAL, _OFFSET_ORIGINAL, "DateTimeOriginal"),
        (_DIGITIZED, _OFFSET_DIGITIZED, "DateTimeDigitized"),
    ):
        moment = str(entries.get(tag, "")).strip("\x00 ")
        offset = str(entries.get(zone) or entries.get(_OFFSET) or "").strip("\x00 ")
        if spelled := next((one for one in (moment + offset, moment) if is_time(one)), ""):
            return spelled, entry
    return "", ""
