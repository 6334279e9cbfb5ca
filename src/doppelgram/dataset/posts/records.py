"""One JSON file that lists posts, as downloaders and scripts write it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from doppelgram.dataset.folders import IMAGE_ENDINGS
from doppelgram.dataset.posts.json_files import json_files, read_json
from doppelgram.dataset.posts.posts import PostRow, Posts, ReadOptions, collect, inside, no_pictures_note
from doppelgram.dataset.posts.record_fields import author_of, media_of, more_of, time_of, unwrapped
from doppelgram.errors import DoppelgramError

name = "records"
reads = "a JSON file that lists posts, each an object with a picture's path, an owner and a time"
_LISTS = ("posts", "data", "items", "media", "entries")


def claims(data: Path) -> bool:
    """Whether it is such a file, or a folder below which exactly one lies."""
    return len(list(_lists(data))) == 1


def read(data: Path, options: ReadOptions) -> Posts:
    """Read the list, paths relative to its folder.

    A path that the downloader wrote as seen from elsewhere counts as its last part, if that lies beside the list.

    Raises:
        DoppelgramError: a post names no picture, or its time cannot be read; file and post are named.
    """
    [(file, records)] = _lists(data)
    rows, other = [], 0
    for number, record in enumerate(records, start=1):
        where = f"{file}: post {number}"
        media = media_of(record)
        if not media:
            raise DoppelgramError(f"{where}: names no picture; it needs a field such as 'path', 'file' or 'media'")
        facts = author_of(record), options.clock.read(time_of(record), where)
        for path in media:
            if "." not in Path(path).name and isinstance(record.get("extension"), str):
                path = f"{path}.{record['extension']}"
            last = path.replace("\\", "/").rsplit("/", 1)[-1]
            if not (file.parent / path).is_file() and last and (file.parent / last).is_file():
                path = last
            path = inside(path, where)
            if Path(path).suffix.lower() in IMAGE_ENDINGS:
                rows.append(PostRow(path, *facts, where, more_of(record)))
            else:
                other += 1
    return collect(file.parent, rows, [no_pictures_note(other)], name)


def _lists(data: Path) -> Iterator[tuple[Path, list[Mapping[str, Any]]]]:
    for file in json_files(data):
        if (records := _records_in(read_json(file))) is not None:
            yield file, records


def _records_in(value: Any) -> list[Mapping[str, Any]] | None:
    """The posts that a JSON value lists, or None where it is no list of posts."""
    if isinstance(value, Mapping):
        value = next((value[key] for key in _LISTS if isinstance(value.get(key), list)), None)
    if not isinstance(value, list) or not value or not all(isinstance(one, Mapping) for one in value):
        return None
    records = [unwrapped(one) for one in value]
    return records if any(media_of(one) for one in records) else None
