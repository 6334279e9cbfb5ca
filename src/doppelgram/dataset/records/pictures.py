"""The pictures of a folder by whatever a record may call them: a path, an address, or the code of a post."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

_NUMBERED = re.compile(r"(?P<stem>.+?)[ _-]+(?P<number>\d{1,3})")
_WORDS = re.compile(r"[\s,;()\[\]]+|_(?=\d{1,3}$)|(?<=\d)_(?=[A-Za-z])|(?<=[A-Za-z])_(?=\d{8,})")
_SHORTEST_CODE = 5  # a shorter one stands in file names by chance, and has to be the whole name


class Pictures:
    """Pictures below a folder.

    Args:
        images: paths, relative to the folder, with slashes.
    """

    def __init__(self, images: Iterable[str]) -> None:
        self.images = list(images)
        self._there = set(self.images)
        self._by_name: dict[str, list[str]] = {}
        self._by_stem: dict[str, list[str]] = {}
        self._by_word: dict[str, list[str]] = {}
        for image in self.images:
            name = image.rsplit("/", 1)[-1]
            stem = name.rsplit(".", 1)[0]
            self._by_name.setdefault(_key(name), []).append(image)
            self._by_stem.setdefault(_key(stem), []).append(image)
            words = {stem, _without_number(stem)}
            words |= {part for word in words for part in [*_WORDS.split(word), *word.split("_")]}
            for word in words - {""}:
                self._by_word.setdefault(word, []).append(image)

    def of_path(self, path: str, folder: str) -> str | None:
        """The picture that a path leads to.

        Below ``folder`` or any folder above it; or, of a path from another machine, the one with the longest common
        end, if no other has as long a one.
        """
        parts = tuple(part for part in path.replace("\\", "/").split("/") if part not in ("", "."))
        if not parts:
            return None
        if ".." not in parts and (found := self._below(parts, folder)):
            return found
        named = self._by_name.get(_key(parts[-1]), [])
        ends = [(_common_end(image, parts), image) for image in named]
        best = max((length for length, _ in ends), default=0)
        fitting = [image for length, image in ends if length == best]
        near = [image for image in fitting if _folder(image) == folder or image.startswith(f"{folder}/")]
        return fitting[0] if len(fitting) == 1 else near[0] if len(near) == 1 else None

    def _below(self, parts: Sequence[str], folder: str) -> str | None:
        above = [part for part in folder.split("/") if part]
        for depth in range(len(above), -1, -1):
            image = "/".join((*above[:depth], *parts))
            if image in self._there:
                return image
        return None

    def of_names(self, names: Iterable[str], folder: str) -> str | None:
        """The picture that has one of these names, or one of them with another ending; in ``folder`` rather."""
        for name in names:
            for known in (self._by_name, self._by_stem):
                key = _key(name if known is self._by_name else name.rsplit(".", 1)[0])
                if found := known.get(key, []):
                    return next((image for image in found if _folder(image) == folder), found[0])
        return None

    def of_code(self, code: str, folder: str) -> list[str]:
        """The pictures in whose names a post's code stands as a word: ``Cx1abc.jpg``, ``2019-12-20 Cx1abc_2.jpg``."""
        found = self._by_word.get(code, [])
        if len(code) < _SHORTEST_CODE:
            found = [image for image in found if _without_number(image.rsplit("/", 1)[-1].rsplit(".", 1)[0]) == code]
        near = [image for image in found if _folder(image) == folder]
        return near or found

    def beside(self, folder: str) -> list[str]:
        """The pictures right inside a folder."""
        return self._folders.get(folder, [])

    @property
    def _folders(self) -> dict[str, list[str]]:
        if not hasattr(self, "_in_folders"):
            self._in_folders: dict[str, list[str]] = {}
            for image in self.images:
                self._in_folders.setdefault(_folder(image), []).append(image)
        return self._in_folders


def number_of(image: str) -> int:
    """The number at the end of a picture's name, 0 where there is none."""
    match = _NUMBERED.fullmatch(Path(image).stem)
    return int(match["number"]) if match else 0


def _without_number(stem: str) -> str:
    match = _NUMBERED.fullmatch(stem)
    return match["stem"] if match else stem


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _folder(image: str) -> str:
    return image.rsplit("/", 1)[0] if "/" in image else ""


def _common_end(image: str, parts: Sequence[str]) -> int:
    length = 0
    for one, other in zip(reversed(image.split("/")), reversed(parts), strict=False):
        if _key(one) != _key(other):
            break
        length += 1
    return length
