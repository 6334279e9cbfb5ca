"""Files below a folder by what they are; what no person put there is left aside, and said."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from doppelgram.dataset.left import LeftAside
from doppelgram.dataset.records.json_files import is_json
from doppelgram.dataset.tables import TABLE_ENDINGS

IMAGE_ENDINGS = frozenset(
    [
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".png",
        ".bmp",
        ".gif",
        ".webp",
        ".tif",
        ".tiff",
        ".ppm",
        ".pgm",
        ".avif",
        ".heic",
        ".heif",
        ".hif",
    ]
)
_VIDEO_ENDINGS = frozenset([".mp4", ".mov", ".m4v", ".avi", ".webm", ".mkv", ".3gp", ".mpg", ".mpeg", ".mts"])
OUR_MARKS = ("run.json", "metrics.json", "catalog.json")  # of runs, reports and catalogs kept beside the images
# Folders that storage systems make beside the photographs: thumbnails, and what was deleted.
_SYSTEM = frozenset(
    [
        "@eadir",
        "#recycle",
        "@recycle",
        "@recently-snapshot",
        "#snapshot",
        "@tmp",
        "__macosx",
        "$recycle.bin",
        "lost+found",
        ".thumbnails",
    ]
)
OUR_FILES = frozenset(("keypoints.json", "people.json"))  # which other commands read, and which are no posts
CAPTURE_FILE = ".metadata.json"  # of 4CAT's pictures, the one hidden file that is read


@dataclass
class Listing:
    """The files below a folder.

    Attributes:
        folder: where.
        images: their path parts, sorted.
        others: files of other kinds, sorted.
        left: what was left aside of itself.
    """

    folder: Path
    images: list[tuple[str, ...]] = field(default_factory=list)
    others: list[Path] = field(default_factory=list)
    left: list[LeftAside] = field(default_factory=list)

    @cached_property
    def json(self) -> list[Path]:
        """Its JSON files, but for those that this program writes."""
        return [
            file
            for file in self.others
            if is_json(file.name) and file.name not in OUR_FILES and file.name != CAPTURE_FILE
        ]

    @cached_property
    def tables(self) -> list[Path]:
        """Its tables."""
        return [file for file in self.others if file.suffix.lower() in TABLE_ENDINGS]

    def name(self, file: Path) -> str:
        """A file's path as it is shown: relative to the folder."""
        return file.relative_to(self.folder).as_posix() if file.is_relative_to(self.folder) else str(file)

    def leave_others(self) -> list[LeftAside]:
        """The files of other kinds that nobody has a use for: videos, and files without an image's ending."""
        left = []
        for file in self.others:
            if file.suffix.lower() in _VIDEO_ENDINGS:
                left.append(LeftAside(self.name(file), "videos are not read"))
            elif not is_json(file.name) and file.suffix.lower() not in TABLE_ENDINGS:
                left.append(LeftAside(self.name(file), "without an image's ending"))
        return left


def list_files(folder: Path) -> Listing:
    """Everything below a folder. Links are followed once; hidden files and folders, and our own, are left aside."""
    found = Listing(folder)
    seen = {os.path.realpath(folder)}

    def closed(problem: OSError) -> None:
        found.left.append(LeftAside(str(problem.filename), "folders that cannot be opened"))

    for parent, folders, files in os.walk(folder, followlinks=True, onerror=closed):
        inside = Path(parent).relative_to(folder).parts
        entered = []
        for name in sorted(folders):
            place = os.path.join(parent, name)
            real = os.path.realpath(place)
            shown = "/".join((*inside, name))
            if name.casefold() in _SYSTEM:
                count = sum(_is_image(one) for _, _, names in os.walk(place) for one in names)
                images = f", {count:,} image{'s' * (count != 1)} in it" if count else ""
                found.left.append(LeftAside(shown + images, "folders that the storage system made"))
            elif name.startswith(".") or real in seen:  # a link that leads back would never end
                continue
            elif any(os.path.isfile(os.path.join(place, mark)) for mark in OUR_MARKS):
                found.left.append(LeftAside(shown, "folders written by doppelgram"))
            else:
                seen.add(real)
                entered.append(name)
        folders[:] = entered
        for name in sorted(files):
            parts = (*inside, name)
            if name.startswith(".") and name != CAPTURE_FILE:
                if name.startswith("._"):
                    found.left.append(LeftAside("/".join(parts), "what macOS writes beside files"))
                continue
            try:
                "/".join(parts).encode("utf-8")
            except UnicodeEncodeError:
                shown = "/".join(parts).encode("utf-8", "backslashreplace").decode()
                found.left.append(LeftAside(shown, "the name is not valid UTF-8; rename to use"))
                continue
            if _is_image(name):
                found.images.append(parts)
            else:
                found.others.append(Path(parent, name))
    found.images.sort()
    return found


def _is_image(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in IMAGE_ENDINGS
