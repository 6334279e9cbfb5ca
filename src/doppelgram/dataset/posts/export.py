"""The JSON of an account's own Instagram data export, of the layouts of 2018 to today."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from doppelgram.dataset.folders import IMAGE_ENDINGS
from doppelgram.dataset.posts.json_files import json_files, read_json
from doppelgram.dataset.posts.posts import PostRow, Posts, ReadOptions, collect, inside, no_pictures_note
from doppelgram.dataset.posts.record_fields import repaired
from doppelgram.dataset.times import Clock
from doppelgram.errors import DoppelgramError

name = "export"
reads = "an Instagram data export (its folder, several such folders in one, or its posts_1.json)"
_EXPORT_FILE = re.compile(r"posts_\d+\.json|media\.json")
# Folders that lie between an export's root and its list of posts, at most.
_DEEPEST = 4
_FOLDER = re.compile(r"instagram-(?P<name>.+?)-\d{4}-\d\d-\d\d.*|(?P<old>.+?)_\d{8}(?:_part_\d+)?")


def claims(data: Path) -> bool:
    """Whether it is such a list of posts, or a folder in which one lies."""
    return next(_lists(data), None) is not None


def read(data: Path, options: ReadOptions) -> Posts:
    """Read all exports in a folder. Each is of one account.

    Raises:
        DoppelgramError: an entry lacks what it should have; file and post are named.
    """
    read = [_read_one(file, value, options.clock) for file, value in _lists(data)]
    base = Path(os.path.commonpath([root for root, _, _ in read]))
    rows = [
        replace(row, path=(root / row.path).relative_to(base).as_posix()) for root, found, _ in read for row in found
    ]
    authors = {row.author for row in rows}
    one = f"a data export is of one account: every post is by {rows[0].author!r}" if len(authors) == 1 else ""
    return collect(base, rows, [one, no_pictures_note(sum(other for _, _, other in read))], name)


def _lists(data: Path) -> Iterator[tuple[Path, Any]]:
    """The files that hold an export's list of posts, and what they hold; a file by itself may have any name."""
    for file in json_files(data):
        if (not data.is_dir() or _EXPORT_FILE.fullmatch(file.name)) and _is_export(value := read_json(file)):
            yield file, value


def _is_export(value: Any) -> bool:
    """Whether a JSON value is an export's list of posts: ``[{"media": [{"uri": ...}]}]``, or the older form."""
    if isinstance(value, Mapping):
        photos = value.get("photos")
        return isinstance(photos, list) and all(isinstance(one, Mapping) and "path" in one for one in photos)
    if not isinstance(value, list) or not value or not isinstance(value[0], Mapping):
        return False
    media = value[0].get("media")
    return isinstance(media, list) and all(isinstance(one, Mapping) and "uri" in one for one in media)


def _read_one(file: Path, value: Any, clock: Clock) -> tuple[Path, list[PostRow], int]:
    """An export's root, the rows of its pictures, relative to that, and how many of its media are no pictures.

    The account's name stands in ``personal_information.json``, or else in the folder's name.
    """
    root = _root(file, value)
    author = _account(root)
    rows, other = [], 0
    for number, medium, post in _media(value, file):
        where = f"{file}: post {number}"
        uri = medium.get("uri", medium.get("path"))
        if not isinstance(uri, str):
            raise DoppelgramError(f"{where}: a medium has no 'uri'")
        path = inside(uri, where)
        if Path(path).suffix.lower() not in IMAGE_ENDINGS:
            other += 1
            continue
        moments = (one.get(key) for one in (medium, post) for key in ("creation_timestamp", "taken_at"))
        titles = (one.get(key) for one in (medium, post) for key in ("title", "caption"))
        more = {
            "place": repaired(medium["location"]) if isinstance(medium.get("location"), str) else "",
            "caption": repaired(next((title for title in titles if isinstance(title, str) and title), "")),
        }
        time = clock.read(next((moment for moment in moments if moment), None), where)
        rows.append(PostRow(path, author, time, where, more))
    return root, rows, other


def _media(value: Any, file: Path) -> list[tuple[int, Mapping[str, Any], Mapping[str, Any]]]:
    """Number of the post, one of its media, and the post."""
    if isinstance(value, Mapping):
        return [(number, photo, {}) for number, photo in enumerate(value["photos"], start=1)]
    found = []
    for number, post in enumerate(value, start=1):
        media = post.get("media") if isinstance(post, Mapping) else None
        if not isinstance(media, list) or not all(isinstance(one, Mapping) for one in media):
            raise DoppelgramError(f"{file}: post {number}: has no list 'media'")
        found += [(number, one, post) for one in media]
    return found


def _root(file: Path, value: Any) -> Path:
    """The folder that media paths start from: the nearest one in which one of them leads to a file."""
    media = [one for _, one, _ in _media(value, file)][:50]
    uris = [uri for one in media if isinstance(uri := one.get("uri", one.get("path")), str)]
    folder = file.parent
    for _ in range(_DEEPEST + 1):
        if any((folder / uri).is_file() for uri in uris):
            return folder
        folder = folder.parent
    # Nothing is there; the usual root makes the best message about missing files.
    known = next((k for k, parent in enumerate(file.parents) if (parent / "personal_information").is_dir()), 0)
    return file.parents[known]


def _account(root: Path) -> str:
    for place in ("personal_information/personal_information", "personal_information"):
        facts = root / place / "personal_information.json"
        if facts.is_file():
            name = _user_name(read_json(facts))
            if name:
                return name
    match = _FOLDER.fullmatch(root.name)
    return (match["name"] or match["old"]) if match else root.resolve().name


def _user_name(facts: Any) -> str:
    try:
        fields = facts["profile_user"][0]["string_map_data"]
        # The keys are in the account's language; the user name's own holds a text that is a possible name.
        found = fields.get("Username") or next(v for k, v in fields.items() if "user" in k.lower())
        return repaired(str(found["value"]).strip())
    except (KeyError, IndexError, TypeError, AttributeError, StopIteration):
        return ""
