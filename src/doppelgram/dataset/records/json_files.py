"""JSON files as programs leave them: one value, one a line, one after the other, packed, or broken off."""

from __future__ import annotations

import json
import lzma
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from doppelgram.errors import DoppelgramError

# No list of posts is larger; a packed file could otherwise fill the memory.
_MOST_BYTES = 512 * 1024 * 1024
JSON_ENDINGS = (".json", ".jsonl", ".ndjson", ".json.xz", ".jsonl.xz")
_DECODER = json.JSONDecoder()
_BLANK = re.compile(r"[\s\x00]*")
_COMMA = re.compile(r"[\s\x00]*,?[\s\x00]*")


class Broken(str):
    """What is wrong with a part of a file, in the place of the value that should stand there."""


def is_json(path: str) -> bool:
    """Whether a name is that of a file which `read_json` reads."""
    return path.lower().endswith(JSON_ENDINGS)


def read_json(file: Path) -> Any:
    """The value in a JSON file, packed (``.xz``) or not; the list of its values where it has several.

    Of a file that breaks off or has a wrong line, the list of what can be read, with a `Broken` for what cannot.

    Raises:
        DoppelgramError: nothing in it can be read, or it is unreasonably large.
    """
    try:
        if file.suffix.lower() == ".xz":
            with lzma.open(file) as packed:
                data = packed.read(_MOST_BYTES + 1)
        else:
            with file.open("rb") as plain:
                data = plain.read(_MOST_BYTES + 1)
    except (OSError, lzma.LZMAError, EOFError) as problem:
        reason = getattr(problem, "strerror", None) or problem
        raise DoppelgramError(f"{file}: cannot be read: {reason}") from None
    if len(data) > _MOST_BYTES:
        raise DoppelgramError(f"{file}: holds more than {_MOST_BYTES // 2**20} MB; no list of posts is so large")
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
        return json.loads(text)
    except (ValueError, RecursionError) as problem:
        reason = " ".join(str(problem).split())[:120]
        found = [] if isinstance(problem, UnicodeDecodeError) else list(_several(text))
        if not any(not isinstance(one, Broken) for one in found):
            raise DoppelgramError(f"{file}: is not JSON: {reason}") from None
        return found


def _several(text: str) -> Iterator[Any]:
    """The values of a text that is no single JSON value: one a line, one after the other, or a list that breaks off."""
    lines = text.splitlines()
    if sum(line.strip()[:1] in ("{", "[") for line in lines) > 1:
        values = [_line(number, line) for number, line in enumerate(lines, start=1) if line.strip("\x00 \t\r\n")]
        if sum(not isinstance(value, Broken) for value in values) > len(values) / 2:
            yield from values
            return
    at, gap = _end(_BLANK, text, 0), _BLANK
    if text[at : at + 1] == "[":
        at, gap = _end(_BLANK, text, at + 1), _COMMA
    number = 0
    while at < len(text) and text[at] != "]":
        number += 1
        try:
            value, at = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            yield Broken(f"value {number} (line {text.count(chr(10), 0, at) + 1}) breaks off or is no JSON")
            return
        yield value
        at = _end(gap, text, at)


def _line(number: int, line: str) -> Any:
    try:
        return json.loads(line.strip("\x00 \t\r\n"))
    except (ValueError, RecursionError):
        return Broken(f"line {number} is not JSON")


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return match.end() if match else at
