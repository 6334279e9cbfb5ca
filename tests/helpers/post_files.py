"""Files as people have them: pictures and the JSON and tables beside them, written small."""

from __future__ import annotations

import json
import lzma
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from doppelgram.dataset.collection import Collection

MOMENT = 1576816047
TIME = "2019-12-20T04:27:27Z"  # the same
DAY = 86400


def pictures(folder: Path, *names: str) -> Path:
    """Tiny pictures of these names below a folder; returns the folder."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(folder / name)
    return folder


def write(file: Path, value: Any) -> Path:
    """Text, lines of JSON (``.ndjson``, ``.jsonl``), packed JSON (``.xz``) or JSON."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(value, str):
        file.write_text(value, encoding="utf-8")
    elif file.suffix in (".ndjson", ".jsonl"):
        file.write_text("\n".join(map(json.dumps, value)), encoding="utf-8")
    elif file.suffix == ".xz":
        file.write_bytes(lzma.compress(json.dumps(value).encode()))
    else:
        file.write_text(json.dumps(value), encoding="utf-8")
    return file


def times(posts: Collection) -> list[str]:
    """Their times in ISO 8601, empty where there is none."""
    return ["" if pd.isna(at) else at.isoformat().replace("+00:00", "Z") for at in posts.table["timestamp"]]


def told(posts: Collection) -> dict[str, tuple[str, str]]:
    """Author and time of each picture by its path."""
    return dict(zip(posts.names, zip(posts.table["author"], times(posts), strict=True), strict=True))


def said(posts: Collection, words: str) -> bool:
    """Whether a note holds these words."""
    return any(words in note for note in posts.notes)
