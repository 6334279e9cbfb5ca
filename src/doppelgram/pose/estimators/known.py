"""People that another program has found, by the names of photographs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image

from doppelgram.errors import DoppelgramError
from doppelgram.images.read import Source
from doppelgram.images.report import quoted
from doppelgram.pose.estimators.known_files import Found, parts_of, read_found
from doppelgram.pose.people import People

# Folders in which files keep photographs wherever these lie elsewhere.
_USUAL = frozenset(("images", "image", "img", "photos", "pictures", "data", "train", "val", "test", "frames"))


class KnownPeople:
    """People by the names of photographs.

    A photograph is found by the end of its path: ``rome/tree/7.jpg`` in the file is ``/my/posts/rome/tree/7.jpg``. A
    photograph that the file does not name shows nobody.

    It is also an extra of `doppelgram.images.read`.

    Attributes:
        name: ``keypoints``.
        key: hash of what was read.
        notes: remarks that a person should see.
    """

    name = "keypoints"
    at_least = 1

    def __init__(self, source: Path) -> None:
        """Read the file or folder.

        Args:
            source: a JSON file (OpenPose's, MMPose's or YOLO's of one photograph, COCO's annotations or results, or
                path -> points), a Parquet file written by ``doppelgram pose``, or a folder of one file a photograph.

        Raises:
            DoppelgramError: it is none of these, or something in it cannot be used; says what.
        """
        self.source = source
        self._by_name, self.notes = read_found(source)
        # By the last part of the name, or, since OpenPose names its files so, by that without its ending.
        self._by_end: dict[str, list[str]] = {}
        for name in self._by_name:
            self._by_end.setdefault(parts_of(name)[-1], []).append(name)
        self._folded: dict[str, list[str]] = {}
        for end, names in self._by_end.items():
            self._folded.setdefault(end.casefold(), []).extend(names)
        self.key = f"keypoints-{_digest(self._by_name)}"

    def __len__(self) -> int:
        return len(self._by_name)

    def knows(self, path: Path | str) -> bool:
        """Whether the file names this photograph."""
        return self._name_of(Path(path)) is not None

    def require(self, paths: Sequence[Path], *, every: bool) -> None:
        """See that the file names these photographs. Those that do not exist are for others to report.

        Args:
            paths: the photographs.
            every: whether each has to be named, as where it was asked for by itself; otherwise one is enough.

        Raises:
            DoppelgramError: it does not.
        """
        there = [path for path in paths if path.is_file()]
        unnamed = [path for path in there if not self.knows(path)]
        if unnamed and every:
            raise DoppelgramError(
                f"{self.source}: does not name the photograph {quoted(str(unnamed[0]))}; give keypoints that do "
                "(with an empty list where nobody is in it)"
            )
        if unnamed and len(unnamed) == len(there):
            raise DoppelgramError(
                f"{self.source}: names none of these photographs, such as {quoted(str(unnamed[0]))}; give keypoints "
                "that do"
            )

    def cached(self, digest: str) -> People | None:
        """See `doppelgram.images.read.Extra`: people go by the photograph's name, not by its content."""
        return None

    def compute(self, source: Source, image: Image.Image, size: tuple[int, int], digest: str) -> People:
        """See `doppelgram.images.read.Extra`.

        Raises:
            DoppelgramError: the photograph has no name, or one that fits several in the file.
        """
        return self.people(named(source), *size)

    def flush(self) -> None:
        """See `doppelgram.images.read.Extra`: there is nothing to keep."""

    def people(self, path: Path | str, width: int, height: int) -> People:
        """The people of a photograph of that size.

        Raises:
            DoppelgramError: the name fits several photographs of the file.
        """
        name = self._name_of(Path(path))
        if name is None:
            return People.nobody(width, height)
        return self._by_name[name].people(width, height)

    def _name_of(self, path: Path) -> str | None:
        parts = path.parts
        ends = (path.name, path.stem)
        candidates = next((self._by_end[end] for end in ends if end in self._by_end), [])
        candidates = candidates or next(
            (self._folded[end.casefold()] for end in ends if end.casefold() in self._folded), []
        )
        scored = []
        for name in candidates:
            known = _from_usual(parts_of(name))
            length = _common_end(known[:-1], parts[:-1])
            scored.append((length == len(known) - 1, length, name))
        # Best is a name whose every folder agrees; a name with other folders is of another photograph.
        fitting = sorted((score for score in scored if score[0]), reverse=True)
        if not fitting:
            return None
        if len(fitting) > 1 and fitting[0][:2] == fitting[1][:2]:
            raise DoppelgramError(f"{self.source}: '{path}' may be {fitting[0][2]} or {fitting[1][2]}")
        return fitting[0][2]


def named(source: Source) -> Path:
    """The file of a photograph.

    Raises:
        DoppelgramError: it is in memory, where ready-made keypoints cannot find it.
    """
    if isinstance(source, (str, Path)):
        return Path(source)
    raise DoppelgramError("ready-made keypoints go by file names: give files, not arrays")


def _from_usual(parts: tuple[str, ...]) -> tuple[str, ...]:
    """A path without the folders in front that are another machine's, or that only say that images are in them."""
    if parts[0] == "/" or ":" in parts[0]:
        return parts[-1:]
    at = next((at for at, part in enumerate(parts[:-1]) if part.casefold() not in _USUAL), len(parts) - 1)
    return parts[at:]


def _common_end(first: tuple[str, ...], second: tuple[str, ...]) -> int:
    count = 0
    for a, b in zip(reversed(first), reversed(second), strict=False):
        if a != b:
            break
        count += 1
    return count


def _digest(by_name: Mapping[str, Found]) -> str:
    digest = hashlib.sha256()
    for name in sorted(by_name):
        digest.update(name.encode())
        digest.update(by_name[name].keypoints.tobytes())
    return digest.hexdigest()[:12]
