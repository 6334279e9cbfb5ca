"""The JSON that downloaders leave beside each picture or post."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from doppelgram.dataset.folders import IMAGE_ENDINGS
from doppelgram.dataset.posts.json_files import is_json, read_json
from doppelgram.dataset.posts.posts import PostRow, Posts, ReadOptions, collect
from doppelgram.dataset.posts.record_fields import author_of, more_of, time_of, unwrapped

name = "sidecars"
reads = "a folder in which a downloader (instaloader, gallery-dl, yt-dlp, ...) wrote JSON beside each picture or post"
_NOT_POSTS = frozenset(("profile", "hashtag", "topsearchresults"))
_NUMBERED = re.compile(r"(.+)_\d+")


def claims(data: Path) -> bool:
    """Whether it is a folder in which a JSON file beside a picture speaks of a post."""
    return data.is_dir() and any(images and _post_in(file) is not None for file, images in _sidecars(data))


def read(data: Path, options: ReadOptions) -> Posts:
    """Read the pictures below a folder beside which a JSON file speaks of them.

    Known ways to call the file: ``x.jpg.json``, ``x.json``, ``x.info.json``, ``x.jpg.supplemental-metadata.json``, each
    also packed as ``.json.xz``; and one ``x.json`` for a post with the pictures ``x_1.jpg``, ``x_2.jpg``.

    Raises:
        DoppelgramError: a JSON file beside a picture cannot be read, or its time cannot; the file is named.
    """
    rows: list[PostRow] = []
    alone: list[str] = []
    taken: set[Path] = set()
    for file, images in _sidecars(data):
        beside = [image for image in images if image not in taken]
        record = _post_in(file) if beside else None
        if record is None:
            alone.append(file.relative_to(data).as_posix())
            continue
        taken.update(beside)
        facts = author_of(record), options.clock.read(time_of(record), str(file))
        rows += [PostRow(image.relative_to(data).as_posix(), *facts, str(file), more_of(record)) for image in beside]
    note = ""
    if alone:
        count = "1 JSON file" if len(alone) == 1 else f"{len(alone):,} JSON files"
        note = f"{count} left aside, such as {alone[0]!r}: no picture of a post lies beside it"
    return collect(data, rows, [note], name)


def _sidecars(folder: Path) -> Iterator[tuple[Path, list[Path]]]:
    """Every JSON file below a folder with the pictures beside it that its name fits, in each folder by its name.

    The most particular name comes first: x_1.json speaks of x_1.jpg, even where x.json speaks of x_2.jpg.
    """
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        images = {name for name in names if Path(name).suffix.lower() in IMAGE_ENDINGS}
        by_stem: dict[str, list[str]] = {}
        for image in sorted(images):
            stem = Path(image).stem
            by_stem.setdefault(stem, []).append(image)
            if numbered := _NUMBERED.fullmatch(stem):
                by_stem.setdefault(numbered[1], []).append(image)
        for json_name in sorted(filter(is_json, names), key=lambda name: (-len(_stem(name)), name)):
            stem = _stem(json_name)
            beside = [stem] if stem in images else by_stem.get(stem, [])
            yield Path(parent) / json_name, [Path(parent) / image for image in beside]


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
    record = unwrapped(value)
    return record if author_of(record) or time_of(record) is not None else None
