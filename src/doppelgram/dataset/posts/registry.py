"""Posts: pictures with an author and a time, from a table, an account's export, a downloader's files or a camera."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from doppelgram.dataset.collection import Collection
from doppelgram.dataset.posts.exif import read_exif_times
from doppelgram.dataset.posts.export import EXPORT_FILE, is_export, read_export
from doppelgram.dataset.posts.json_files import is_json, read_json
from doppelgram.dataset.posts.records import read_records, read_sidecars, records_in
from doppelgram.dataset.posts.rows import PostRow, collect, counted
from doppelgram.dataset.posts.table import read_post_table
from doppelgram.dataset.posts.times import Clock
from doppelgram.dataset.readers import TABLE_ENDINGS, list_images
from doppelgram.errors import DoppelgramError

POST_TABLES = tuple(f"posts{ending}" for ending in (".csv", ".tsv", ".parquet", ".pq"))


def read_posts(
    data: Path | str,
    *,
    timezone: str = "UTC",
    root: Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> Collection:
    """Read posts: a row a picture, with ``path``, ``author`` (empty if not known) and ``timestamp`` (UTC, or missing).

    What is understood, in this order:

    - a **table** (CSV, TSV, Parquet) with the columns ``path``, ``author`` and ``timestamp`` and any others, or a
      folder in which it is called ``posts``;
    - an Instagram **data export** (its folder, several such folders in one, or its ``posts_1.json``): one author each;
    - the JSON that **downloaders** leave beside each picture or post (instaloader, gallery-dl, yt-dlp and those that
      write alike), packed or not, or one JSON file that lists posts;
    - a folder of **photographs**: the times are those of their EXIF data, and authors are not known.

    No picture is decoded here: whether a file is missing or broken is found out, and reported, when it is embedded.

    Args:
        data: the table, the JSON file or the folder.
        timezone: of times that name none, by its IANA name.
        root: where a table's relative paths start, when not in the table's own folder.
        progress: called with numbers of photographs as their EXIF data are read.

    Returns:
        The posts, sorted by path unless they come from a table, without a label; notes say what was left aside.

    Raises:
        DoppelgramError: nothing there, or a row that cannot be used; file and row are named.
    """
    data = Path(data).expanduser()
    clock = Clock(timezone)
    if not data.exists():
        raise DoppelgramError(f"{data}: there is no such folder, table or JSON file of posts")
    if data.is_dir():
        found = _read_folder(data, clock, progress)
    elif data.suffix.lower() in TABLE_ENDINGS:
        found = read_post_table(data, clock, root=root)
    elif is_json(data.name):
        found = _read_json_file(data, clock)
    else:
        raise DoppelgramError(f"{data}: posts are read from a folder, a table (CSV, TSV, Parquet) or a JSON file")
    return replace(found, notes=(*found.notes, *filter(None, [clock.note()])))


def _read_folder(folder: Path, clock: Clock, progress: Callable[[int], None] | None) -> Collection:
    table = next((folder / name for name in POST_TABLES if (folder / name).is_file()), None)
    if table is not None:
        return read_post_table(table, clock)
    jsons = _json_files(folder)
    exports = [
        (file, value) for file in jsons if EXPORT_FILE.fullmatch(file.name) and is_export(value := read_json(file))
    ]
    if exports:
        return _read_exports(folder, exports, clock)
    if jsons:
        rows, alone = read_sidecars(folder, clock)
        if rows:
            return collect(folder, rows, [_left_aside(alone, "JSON file", "no picture of a post lies beside it")])
        lists = [(file, records) for file in jsons if (records := records_in(read_json(file))) is not None]
        if len(lists) == 1:
            return _read_list(*lists[0], clock)
    images, notes = list_images(folder)
    if not images:
        raise DoppelgramError(f"{folder}: there are no posts in this folder: no posts.csv, no JSON of posts, no images")
    rows = read_exif_times(folder, ["/".join(parts) for parts in images], clock, progress)
    return collect(folder, rows, [*notes, "times are those of the photographs' EXIF data, which name no author"])


def _json_files(folder: Path) -> list[Path]:
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [Path(parent) / name for name in sorted(names) if is_json(name)]
    return found


def _read_json_file(file: Path, clock: Clock) -> Collection:
    value = read_json(file)
    if is_export(value):
        return _read_exports(file.parent, [(file, value)], clock)
    records = records_in(value)
    if records is None:
        raise DoppelgramError(f"{file}: lists no posts; a post is an object with a picture's path, an owner and a time")
    return _read_list(file, records, clock)


def _read_list(file: Path, records: Sequence[Any], clock: Clock) -> Collection:
    rows, other = read_records(file, records, clock)
    return _of_pictures(file.parent, rows, other, file, [])


def _read_exports(folder: Path, exports: Sequence[tuple[Path, Any]], clock: Clock) -> Collection:
    read = [read_export(file, value, clock) for file, value in exports]
    base = Path(os.path.commonpath([root for root, _, _ in read]))
    rows = [
        replace(row, path=(root / row.path).relative_to(base).as_posix()) for root, found, _ in read for row in found
    ]
    authors = sorted({row.author for row in rows})
    notes = [f"a data export is of one account: every post is by {authors[0]!r}"] if len(authors) == 1 else []
    return _of_pictures(base, rows, sum(other for _, _, other in read), folder, notes)


def _of_pictures(root: Path, rows: list[PostRow], other: int, source: Path, notes: list[str]) -> Collection:
    if not rows:
        raise DoppelgramError(f"{source}: there are no pictures among the media of these posts")
    if other:
        notes = [*notes, f"{counted(other, 'medium that is', 'media that are')} no picture (videos) left aside"]
    return collect(root, rows, notes)


def _left_aside(files: list[str], one: str, why: str) -> str:
    if not files:
        return ""
    return f"{counted(len(files), one, one + 's')} left aside, such as {files[0]!r}: {why}"
