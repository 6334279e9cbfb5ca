"""The JSON of downloaders: one file beside each picture or post, or one file that lists posts."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from doppelgram.dataset.posts.json_files import author_of, is_json, media_of, more_of, read_json, time_of
from doppelgram.dataset.posts.rows import PostRow, inside
from doppelgram.dataset.posts.times import Clock
from doppelgram.dataset.readers import IMAGE_ENDINGS
from doppelgram.errors import DoppelgramError

_LISTS = ("posts", "data", "items", "media", "entries")
_NOT_POSTS = frozenset(("profile", "hashtag", "topsearchresults"))
_NUMBERED = re.compile(r"(.+)_\d+")


def records_in(value: Any) -> list[Mapping[str, Any]] | None:
    """The posts that a JSON value lists, or None where it is no list of posts."""
    if isinstance(value, Mapping):
        value = next((value[key] for key in _LISTS if isinstance(value.get(key), list)), None)
    if not isinstance(value, list) or not value or not all(isinstance(one, Mapping) for one in value):
        return None
    records = [_unwrapped(one) for one in value]
    return records if any(media_of(one) for one in records) else None


def read_records(file: Path, records: Sequence[Mapping[str, Any]], clock: Clock) -> tuple[list[PostRow], int]:
    """Rows of a list of posts, paths relative to the list's folder, and how many media are no pictures.

    A path that the downloader wrote as seen from elsewhere counts as its last part, if that lies beside the list.

    Raises:
        DoppelgramError: a post names no picture, or its time cannot be read; file and post are named.
    """
    rows, other = [], 0
    for number, record in enumerate(records, start=1):
        where = f"{file}: post {number}"
        media = media_of(record)
        if not media:
            raise DoppelgramError(f"{where}: names no picture; it needs a field such as 'path', 'file' or 'media'")
        facts = author_of(record), clock.read(time_of(record), where)
        for path in media:
            if "." not in Path(path).name and isinstance(record.get("extension"), str):
                path = f"{path}.{record['extension']}"
            name = path.replace("\\", "/").rsplit("/", 1)[-1]
            if not (file.parent / path).is_file() and name and (file.parent / name).is_file():
                path = name
            path = inside(path, where)
            if Path(path).suffix.lower() in IMAGE_ENDINGS:
                rows.append(PostRow(path, *facts, where, more_of(record)))
            else:
                other += 1
    return rows, other


def read_sidecars(folder: Path, clock: Clock) -> tuple[list[PostRow], list[str]]:
    """Rows of all pictures below a folder beside which a JSON file speaks of them, and the JSON files of no picture.

    Known ways to call the file: ``x.jpg.json``, ``x.json``, ``x.info.json``, ``x.jpg.supplemental-metadata.json``, each
    also packed as ``.json.xz``; and one ``x.json`` for a post with the pictures ``x_1.jpg``, ``x_2.jpg``.

    Raises:
        DoppelgramError: a JSON file beside a picture cannot be read, or its time cannot; the file is named.
    """
    rows: list[PostRow] = []
    alone: list[str] = []
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        images = {name for name in names if Path(name).suffix.lower() in IMAGE_ENDINGS}
        by_stem: dict[str, list[str]] = {}
        for name in sorted(images):
            stem = Path(name).stem
            by_stem.setdefault(stem, []).append(name)
            numbered = _NUMBERED.fullmatch(stem)
            if numbered:
                by_stem.setdefault(numbered[1], []).append(name)
        taken: set[str] = set()
        # The most particular name first: x_1.json speaks of x_1.jpg, even where x.json speaks of x_2.jpg.
        for name in sorted((name for name in names if is_json(name)), key=lambda name: (-len(_stem(name)), name)):
            stem, file = _stem(name), Path(parent) / name
            beside = [stem] if stem in images else by_stem.get(stem, [])
            beside = [image for image in beside if image not in taken]
            record = _post_in(file) if beside else None
            if record is None:
                alone.append(file.relative_to(folder).as_posix())
                continue
            taken.update(beside)
            facts = author_of(record), clock.read(time_of(record), str(file))
            for image in beside:
                path = (Path(parent) / image).relative_to(folder).as_posix()
                rows.append(PostRow(path, *facts, str(file), more_of(record)))
    return rows, alone


def _stem(name: str) -> str:
    """Of ``x.jpg.json``, ``x.json.xz`` and ``x.info.json``: ``x.jpg``, ``x`` and ``x``."""
    stem = re.sub(r"\.(json\.xz|jsonl|json)$", "", name, flags=re.IGNORECASE)
    return re.sub(r"\.(info|supplemental-metadata)$", "", stem, flags=re.IGNORECASE)


def _post_in(file: Path) -> Mapping[str, Any] | None:
    """The post that a JSON file speaks of; None where it speaks of something else, such as a profile."""
    value = read_json(file)
    if not isinstance(value, Mapping):
        return None
    kind = value.get("instaloader")
    if isinstance(kind, Mapping) and str(kind.get("node_type", "")).lower() in _NOT_POSTS:
        return None
    record = _unwrapped(value)
    return record if author_of(record) or time_of(record) is not None else None


def _unwrapped(value: Mapping[str, Any]) -> Mapping[str, Any]:
    node = value.get("node")
    return node if isinstance(node, Mapping) else value
