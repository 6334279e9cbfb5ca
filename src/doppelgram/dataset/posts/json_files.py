"""JSON files, read with care."""

from __future__ import annotations

import json
import lzma
import os
from pathlib import Path
from typing import Any

from doppelgram.errors import DoppelgramError

# No list of posts is larger; a packed file could otherwise fill the memory.
_MOST_BYTES = 512 * 1024 * 1024


def is_json(path: str) -> bool:
    """Whether a name is that of a file which `read_json` reads."""
    return path.lower().endswith((".json", ".jsonl", ".json.xz"))


def read_json(file: Path) -> Any:
    """The value in a JSON file, packed (``.xz``) or not; the list of its lines' values where it has one a line.

    Raises:
        DoppelgramError: it cannot be read, is no JSON, or is unreasonably large.
    """
    try:
        if file.suffix.lower() == ".xz":
            with lzma.open(file) as packed:
                data = packed.read(_MOST_BYTES + 1)
        else:
            with file.open("rb") as plain:
                data = plain.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise DoppelgramError(f"{file}: holds more than {_MOST_BYTES // 2**20} MB; no list of posts is so large")
        text = data.decode("utf-8-sig")
        if file.suffix.lower() == ".jsonl":
            return [json.loads(line) for line in text.splitlines() if line.strip()]
        return json.loads(text)
    except (OSError, lzma.LZMAError, EOFError) as problem:
        reason = getattr(problem, "strerror", None) or problem
        raise DoppelgramError(f"{file}: cannot be read: {reason}") from None
    except (ValueError, RecursionError) as problem:
        raise DoppelgramError(f"{file}: is not JSON: {' '.join(str(problem).split())[:120]}") from None


def json_files(data: Path) -> list[Path]:
    """The JSON files below a folder, in the order of their names; a JSON file itself; nothing of another file."""
    if not data.is_dir():
        return [data] if is_json(data.name) else []
    found = []
    for parent, folders, names in os.walk(data):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [Path(parent) / name for name in sorted(names) if is_json(name)]
    return found
