"""People that another program has found: OpenPose's and COCO's JSON, our own Parquet, a plain table of points."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from PIL import Image

from doppelgram.errors import DoppelgramError
from doppelgram.images.read import Source
from doppelgram.images.report import quoted
from doppelgram.pose.people import People
from doppelgram.pose.skeleton import CONVERTERS, KEYPOINT_NAMES, Keypoints

_OPENPOSE_END = "_keypoints"
_TABLES = (".parquet", ".pq")
# COCO's flags: 0 not labelled, 1 labelled though hidden, 2 in sight.
_VISIBILITY = np.array([0.0, 0.5, 1.0])


@dataclass(frozen=True)
class Found:
    """The people of one photograph in a file.

    Attributes:
        keypoints: (p, 18, 3), in pixels of the photograph as the file knows it.
        score: (p,), how sure each person is.
        size: width and height as the file knows them; None where it does not say.
    """

    keypoints: Keypoints
    score: np.ndarray[Any, np.dtype[np.float32]]
    size: tuple[int, int] | None = None


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
            source: a JSON file (OpenPose's of one photograph, COCO's annotations or results, or path -> points), a
                Parquet file written by ``doppelgram pose``, or a folder of OpenPose's files.

        Raises:
            DoppelgramError: it is none of these, or something in it cannot be used; says what.
        """
        self.source = source
        self._by_name = _read(source)
        # By the last part of the name and, since OpenPose names its files so, by that without its ending.
        self._by_end: dict[str, list[str]] = {}
        for name in self._by_name:
            self._by_end.setdefault(PurePosixPath(name).name, []).append(name)
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
        found = self._by_name[name]
        known_width, known_height = found.size or (width, height)
        return People(found.keypoints, found.score, known_width, known_height).scaled(width, height)

    def _name_of(self, path: Path) -> str | None:
        parts = path.parts
        candidates = self._by_end.get(path.name, []) or self._by_end.get(path.stem, [])
        scored = []
        for name in candidates:
            known = PurePosixPath(name).parts
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


def _common_end(first: tuple[str, ...], second: tuple[str, ...]) -> int:
    count = 0
    for a, b in zip(reversed(first), reversed(second), strict=False):
        if a != b:
            break
        count += 1
    return count


def _read(source: Path) -> dict[str, Found]:
    if source.is_dir():
        files = sorted(source.rglob(f"*{_OPENPOSE_END}.json"))
        if not files:
            raise DoppelgramError(f"{source}: there is no OpenPose file (*{_OPENPOSE_END}.json) in this folder")
        return {_openpose_name(file.relative_to(source)): _openpose(file, _load(file)) for file in files}
    if not source.is_file():
        raise DoppelgramError(f"{source}: there is no such file or folder of keypoints")
    if source.suffix.lower() in _TABLES:
        return _parquet(source)
    content = _load(source)
    if isinstance(content, list):
        return _coco_results(source, content)
    if isinstance(content, dict):
        if isinstance(content.get("people"), list):
            return {_openpose_name(Path(source.name)): _openpose(source, content)}
        if isinstance(content.get("annotations"), list):
            return _coco(source, content)
        if content and all(isinstance(value, list) for value in content.values()):
            return {str(name): _plain(source, str(name), value) for name, value in content.items()}
    raise DoppelgramError(
        f"{source}: holds no keypoints that are known: OpenPose's people, COCO's annotations or results, path -> points"
    )


def _load(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise DoppelgramError(f"{file}: is not JSON ({' '.join(str(problem).split())[:80]})") from None


def _openpose_name(file: Path) -> str:
    """``rome/7_keypoints.json`` is of the photograph ``rome/7`` of any ending."""
    return file.with_name(file.stem.removesuffix(_OPENPOSE_END)).as_posix()


def _openpose(file: Path, content: Any) -> Found:
    try:
        people = [_converted(f"{file}: person {n}", p["pose_keypoints_2d"]) for n, p in enumerate(content["people"])]
    except (KeyError, TypeError):
        raise DoppelgramError(f"{file}: is not OpenPose's: every one of its 'people' has 'pose_keypoints_2d'") from None
    return _found(people)


def _coco(file: Path, content: Mapping[str, Any]) -> dict[str, Found]:
    try:
        images = {image["id"]: image for image in content["images"]}
        people: dict[Any, list[tuple[Keypoints, float]]] = {key: [] for key in images}
        for number, one in enumerate(content["annotations"]):
            if one.get("keypoints"):
                where = f"{file}: annotation {number}"
                keypoints = _converted(where, one["keypoints"], flags=True)
                people[one["image_id"]].append((keypoints, float(one.get("score", 1.0))))
        return {
            str(images[key]["file_name"]): _scored(
                found, (int(images[key]["width"]), int(images[key]["height"])) if images[key].get("width") else None
            )
            for key, found in people.items()
        }
    except (KeyError, TypeError, AttributeError) as problem:
        raise DoppelgramError(f"{file}: is not COCO's: an image or annotation lacks or has a wrong {problem}") from None


def _coco_results(file: Path, content: list[Any]) -> dict[str, Found]:
    people: dict[str, list[tuple[Keypoints, float]]] = {}
    for number, one in enumerate(content):
        where = f"{file}: result {number}"
        if not isinstance(one, dict) or not isinstance(one.get("keypoints"), list) or "image_id" not in one:
            raise DoppelgramError(f"{where} has no 'image_id' and 'keypoints', as COCO's results have")
        # COCO's own file names are their numbers with twelve digits.
        name = one["image_id"] if isinstance(one["image_id"], str) else f"{int(one['image_id']):012d}"
        people.setdefault(name, []).append((_converted(where, one["keypoints"]), float(one.get("score", 1.0))))
    return {name: _scored(found) for name, found in people.items()}


def _plain(file: Path, name: str, value: list[Any]) -> Found:
    """One person as points [x, y] or [x, y, confidence], or a list of such people."""
    if not value:
        return _found([])
    nested = isinstance(value[0], list) and bool(value[0]) and isinstance(value[0][0], list)
    return _found([_converted(f"{file}: '{name}'", person) for person in (value if nested else [value])])


def _converted(where: str, values: Any, *, flags: bool = False) -> Keypoints:
    """Numbers as they stand in a file, flat or as points, to (18, 3)."""
    try:
        points = np.array(values, dtype=np.float32)
    except (TypeError, ValueError):
        raise DoppelgramError(f"{where}: keypoints are not numbers") from None
    if points.ndim == 1 and points.size % 3 == 0:
        points = points.reshape(-1, 3)
    if points.ndim == 2 and points.shape[1] == 2:
        points = np.concatenate([points, np.ones((len(points), 1), np.float32)], axis=1)
    if points.ndim != 2 or points.shape[1] != 3 or len(points) not in CONVERTERS:
        raise DoppelgramError(
            f"{where}: there are {points.shape} numbers; known are {', '.join(map(str, CONVERTERS))} joints of 2 or 3"
        )
    if flags:
        points[:, 2] = _VISIBILITY[np.clip(np.nan_to_num(points[:, 2]), 0, 2).astype(int)]
    return CONVERTERS[len(points)](points)


def _found(people: list[Keypoints]) -> Found:
    """People of whom the file does not say how sure they are: the mean of their joints' confidences."""
    return _scored([(keypoints, float(keypoints[:, 2].mean())) for keypoints in people])


def _scored(people: list[tuple[Keypoints, float]], size: tuple[int, int] | None = None) -> Found:
    keypoints = [points for points, _ in people] or np.zeros((0, len(KEYPOINT_NAMES), 3))
    return Found(np.array(keypoints, np.float32), np.array([score for _, score in people], np.float32), size)


def _parquet(file: Path) -> dict[str, Found]:
    from doppelgram.pose.table import read_people

    return {
        name: Found(people.keypoints, people.score, (people.width, people.height))
        for name, people in read_people(file).items()
    }


def _digest(by_name: Mapping[str, Found]) -> str:
    digest = hashlib.sha256()
    for name in sorted(by_name):
        digest.update(name.encode())
        digest.update(by_name[name].keypoints.tobytes())
    return digest.hexdigest()[:12]
