"""What instaloader writes: a JSON file beside each post, and names that say the time even without one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from doppelgram.dataset.posts.source import Record, Source
from doppelgram.dataset.records.fields import Facts, facts_of, unwrapped

name = "instaloader"
reads = "a folder of instaloader, with JSON (.json, .json.xz) beside each post, or with its names alone"
_NOT_POSTS = frozenset(("profile", "hashtag", "topsearchresults", "highlight"))
_NAME = re.compile(r"(\d{4}-\d\d-\d\d)_(\d\d)-(\d\d)-(\d\d)_UTC(_\d+)?")
_USER = re.compile(r"[a-z0-9_](?:[a-z0-9._]{0,28}[a-z0-9_])?", re.IGNORECASE)
# Folders that people make, which are no accounts.
_NO_USERS = frozenset(
    [
        "images",
        "image",
        "img",
        "photos",
        "photo",
        "pictures",
        "pics",
        "posts",
        "post",
        "media",
        "data",
        "dataset",
        "download",
        "downloads",
        "instagram",
        "instaloader",
        "stories",
        "saved",
        "feed",
        "tagged",
        "reels",
        "igtv",
        "output",
        "export",
    ]
)


def records(value: Any, file: Path) -> list[Record] | None:
    """The post in one of its files; profiles and hashtags are left aside."""
    if not isinstance(value, Mapping) or not isinstance(value.get("instaloader"), Mapping):
        return None
    kind = str(value["instaloader"].get("node_type", "")).lower()
    why = "descriptions of profiles, hashtags and the like" if kind in _NOT_POSTS else ""
    facts = facts_of(unwrapped(value))
    if kind == "storyitem":
        facts = replace(facts, more={**facts.more, "kind": "story"})
    # Names of files lie in the names of the pictures beside; addresses would lead to the same ones.
    return [Record(str(file), facts, beside=True, why_not=why)]


def claims(source: Source) -> bool:
    """Whether there are pictures named by instaloader, and nothing that some other program wrote."""
    if source.listing.json or source.listing.tables:
        return False
    return any(_NAME.fullmatch(Path(image).stem) for image in source.pictures.images)


def from_name(image: str, source: Source, authors: set[str]) -> Facts | None:
    """What a picture's name says: the time, and by its folder the account, where that is one.

    A folder counts as an account if it is known as one, or if nothing else in the source names an author.
    """
    match = _NAME.fullmatch(Path(image).stem)
    if not match:
        return None
    folder = (source.folder / image).parent.name
    user = "" if folder.casefold() in _NO_USERS or not _USER.fullmatch(folder) or folder.isdigit() else folder
    if authors and user.casefold() not in authors:
        user = ""
    time = f"{match[1]}T{match[2]}:{match[3]}:{match[4]}Z"
    origins = {"timestamp": "the name of the file"} | ({"author": "the name of the folder"} if user else {})
    return Facts(author=user, time=time, origins=origins)


def note(source: Source, rows: Any) -> list[str]:
    """What has to be said of pictures without a file of their own."""
    named = [row for row in rows if row.origins.get("timestamp") == "the name of the file"]
    if not named:
        return []
    by_folder = sorted({row.author for row in named if row.author})
    count = "1 picture has" if len(named) == 1 else f"{len(named):,} pictures have"
    who = f"the author ({', '.join(map(repr, by_folder[:3]))}) from the folder's" if by_folder else "the author unknown"
    return [f"{count} no JSON, such as {named[0].path!r}: the time is from the file's name, {who}"]
