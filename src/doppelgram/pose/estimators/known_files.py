"""Files of people that other programs found: OpenPose, COCO, AlphaPose, MMPose, MediaPipe, YOLO, and our own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from doppelgram.errors import DoppelgramError
from doppelgram.numbers import count, plural
from doppelgram.pose.people import People
from doppelgram.pose.skeleton import CONVERTERS, KEYPOINT_NAMES, Keypoints, cleaned, from_coco_17

_ENDS = ("_keypoints", "_pose")
_TABLES = (".parquet", ".pq")
# COCO's flags: 0 not labelled, 1 labelled though hidden, 2 in sight.
_VISIBILITY = np.array([0.0, 0.5, 1.0])
# Skeletons that begin with COCO's 17 joints: Halpe's two, and whole bodies.
_BEGIN_LIKE_COCO = (26, 133, 136)
# Coordinates below this are shares of the photograph's sides: nobody is two pixels tall.
_SHARES = 2.0


@dataclass(frozen=True)
class Found:
    """The people of one photograph in a file.

    Attributes:
        keypoints: (p, 18, 3), in pixels of the photograph as the file knows it.
        score: (p,), how sure each person is.
        size: width and height as the file knows them, (1, 1) where coordinates are shares of the sides; None where it
            does not say.
    """

    keypoints: Keypoints
    score: np.ndarray[Any, np.dtype[np.float32]]
    size: tuple[int, int] | None = None

    def people(self, width: int, height: int) -> People:
        """Them in a photograph of that size."""
        known_width, known_height = self.size or (width, height)
        return People(self.keypoints, self.score, known_width, known_height).scaled(width, height)


def read_found(source: Path) -> tuple[dict[str, Found], list[str]]:
    """People by the photographs' names, and notes of what could not be used.

    Raises:
        DoppelgramError: there is no such file, or nothing in it can be used.
    """
    notes: list[str] = []
    if source.is_dir():
        return _folder(source, notes), notes
    if not source.is_file():
        raise DoppelgramError(f"{source}: there is no such file or folder of keypoints")
    if source.suffix.lower() in _TABLES:
        from doppelgram.pose.table import read_people

        tables = read_people(source).items()
        return {name: Found(one.keypoints, one.score, (one.width, one.height)) for name, one in tables}, notes
    return _content(source, Path(source.name), _load(source), notes), notes


def _folder(folder: Path, notes: list[str]) -> dict[str, Found]:
    """A file for each photograph; one that cannot be used is noted, and its photograph shows nobody."""
    files = sorted(file for file in folder.rglob("*.json") if not file.name.startswith("."))
    if not files:
        raise DoppelgramError(f"{folder}: there is no file of keypoints (*_keypoints.json) in this folder")
    found: dict[str, Found] = {}
    problems = []
    for file in files:
        try:
            found |= _content(file, file.relative_to(folder), _load(file), notes)
        except DoppelgramError as problem:
            problems.append(str(problem))
    if not found:
        raise DoppelgramError(problems[0])
    if problems:
        more = f", and {len(problems) - 1:,} more such files" if len(problems) > 1 else ""
        notes.append(f"{problems[0]}{more}; the photograph counts as showing nobody")
    return found


def _load(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as problem:
        raise DoppelgramError(f"{file}: is not JSON ({' '.join(str(problem).split())[:80]})") from None


def _content(file: Path, name: Path, content: Any, notes: list[str]) -> dict[str, Found]:
    """The people in a value; ``name`` is the file's, which names the photograph where the value does not."""
    own = _photograph(name)
    if isinstance(content, list):
        if content and all(isinstance(one, dict) and "image_id" in one for one in content):
            return _coco_results(file, content)
        if len(content) == 1 and isinstance(content[0], dict) and "people" in content[0]:
            return {own: _openpose(file, content[0])}  # ControlNet's editor
        if content and all(isinstance(one, dict) and "keypoints" in one for one in content):
            return {own: _instances(file, content)}
        if not content:
            return {}
    if isinstance(content, dict):
        if isinstance(content.get("people"), list):
            return {own: _openpose(file, content)}
        if isinstance(content.get("annotations"), list):
            return _coco(file, content, notes)
        frames = content.get("instance_info")
        if isinstance(frames, list):
            if len(frames) == 1 or (frames and "keypoints" in frames[0]):
                return {own: _instances(file, frames[0].get("instances", frames))}
            raise DoppelgramError(
                f"{file}: MMPose's {len(frames):,} frames are numbered and name no photographs; save the predictions "
                "of each photograph in a file of its name"
            )
        if content and all(isinstance(value, list) for value in content.values()):
            return {str(key): _plain(file, str(key), value) for key, value in content.items()}
    raise DoppelgramError(
        f"{file}: holds no keypoints that are known: OpenPose's people, COCO's annotations or results, MMPose's or "
        "YOLO's of one photograph, path -> points"
    )


def _photograph(file: Path) -> str:
    """``rome/7_keypoints.json`` is of the photograph ``rome/7`` of any ending."""
    stem = file.stem
    for end in _ENDS:
        stem = stem.removesuffix(end)
    return file.with_name(stem).as_posix()


def _openpose(file: Path, content: Mapping[str, Any]) -> Found:
    people = []
    for number, one in enumerate(content["people"]):
        values = next((one[key] for key in ("pose_keypoints_2d", "pose_keypoints") if key in one), None)
        if values is None:
            raise DoppelgramError(f"{file}: is not OpenPose's: every one of its 'people' has 'pose_keypoints_2d'")
        if len(values):
            people.append(_converted(f"{file}: person {number}", values))
    width, height = content.get("canvas_width"), content.get("canvas_height")
    return _found(people, (int(width), int(height)) if width and height else None)


def _coco(file: Path, content: Mapping[str, Any], notes: list[str]) -> dict[str, Found]:
    try:
        images = {image["id"]: image for image in content["images"]}
        people: dict[Any, list[tuple[Keypoints, float]]] = {key: [] for key in images}
        orphans = empty = crowds = unmarked = 0
        for number, one in enumerate(content["annotations"]):
            if not one.get("keypoints"):
                empty += 1
            elif one["image_id"] not in people:
                orphans += 1
            elif one.get("iscrowd"):
                crowds += 1
            else:
                keypoints = _converted(f"{file}: annotation {number}", one["keypoints"], flags=True)
                people[one["image_id"]].append((keypoints, float(one.get("score", 1.0))))
                unmarked += not (cleaned(keypoints)[:, 2] > 0).any()
        if empty and empty == len(content["annotations"]):
            raise DoppelgramError(f"{file}: its annotations are boxes without keypoints; export the keypoints too")
        if orphans and orphans + empty == len(content["annotations"]):
            raise DoppelgramError(f"{file}: every one of its annotations is of an image that the file does not list")
        for left, verb, verbs, why in (
            (orphans, "is", "are", "of an image that the file does not list"),
            (crowds, "is", "are", "of a crowd and not of one person (iscrowd)"),
            (unmarked, "has", "have", "no joint that is marked"),
            (empty, "has", "have", "a box and no keypoints"),
        ):
            if left:
                notes.append(f"{file}: {count(left, 'annotation')} {plural(left, verb, verbs)} {why}; left aside")
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
        if not isinstance(one.get("keypoints"), list):
            raise DoppelgramError(f"{where} has no 'image_id' and 'keypoints', as COCO's results have")
        # COCO's own file names are their numbers with twelve digits.
        name = one["image_id"] if isinstance(one["image_id"], str) else f"{int(one['image_id']):012d}"
        people.setdefault(name, []).append((_converted(where, one["keypoints"]), float(one.get("score", 1.0))))
    return {name: _scored(found) for name, found in people.items()}


def _instances(file: Path, content: Sequence[Any]) -> Found:
    """MMPose's and YOLO's people of one photograph."""
    people = []
    for number, one in enumerate(content):
        points = one.get("keypoints")
        if isinstance(points, dict):  # YOLO: {"x": [...], "y": [...], "visible": [...]}
            columns = [points.get("x") or [], points.get("y") or []]
            columns.append(points.get("visible") or [1.0] * len(columns[0]))
            points = [list(row) for row in zip(*columns, strict=False)]
        elif points and isinstance(one.get("keypoint_scores"), list):
            points = [[*point[:2], score] for point, score in zip(points, one["keypoint_scores"], strict=False)]
        if points:
            people.append(_converted(f"{file}: person {number}", points))
    return _found(people)


def _plain(file: Path, name: str, value: list[Any]) -> Found:
    """One person as points [x, y], [x, y, confidence] or {x, y, visibility}, or a list of such people."""
    if not value:
        return _found([])
    first = value[0]
    nested = isinstance(first, list) and bool(first) and isinstance(first[0], list | dict)
    return _found([_converted(f"{file}: '{name}'", person) for person in (value if nested else [value]) if person])


def _converted(where: str, values: Any, *, flags: bool = False) -> Keypoints:
    """Numbers as they stand in a file, flat or as points, to (18, 3)."""
    try:
        if len(values) and isinstance(values[0], dict):
            values = [[one["x"], one["y"], one.get("visibility", one.get("score", 1.0))] for one in values]
        points = np.array(values, dtype=np.float32)
    except (TypeError, ValueError, KeyError):
        raise DoppelgramError(f"{where}: keypoints are not numbers") from None
    if points.ndim == 1:
        known = (each for each in (3, 2) if points.size % each == 0 and _is_known(points.size // each))
        each = next(known, 3 if points.size % 3 == 0 else 0)
        points = points.reshape(-1, each) if each else points
    if points.ndim == 2 and points.shape[1] == 4:  # MediaPipe's x, y, depth and visibility
        points = points[:, [0, 1, 3]]
    if points.ndim == 2 and points.shape[1] == 2:
        points = np.concatenate([points, np.ones((len(points), 1), np.float32)], axis=1)
    if points.ndim != 2 or points.shape[1] != 3 or not _is_known(len(points)):
        counts = ", ".join(map(str, sorted((*CONVERTERS, *_BEGIN_LIKE_COCO))))
        raise DoppelgramError(f"{where}: there are {points.shape} numbers; known are {counts} joints of 2 or 3")
    # Detectors write confidences where COCO has its flags.
    if flags and np.isin(np.nan_to_num(points[:, 2]), (0, 1, 2)).all():
        points[:, 2] = _VISIBILITY[np.nan_to_num(points[:, 2]).astype(int)]
    if len(points) in _BEGIN_LIKE_COCO or (len(points) == 25 and _is_25b(points)):
        return from_coco_17(points[:17])
    return CONVERTERS[len(points)](points)


def _is_known(count: int) -> bool:
    return count in CONVERTERS or count in _BEGIN_LIKE_COCO


def _is_25b(points: np.ndarray[Any, Any]) -> bool:
    """Whether 25 joints are OpenPose's BODY_25B, which begins like COCO, and not BODY_25.

    In BODY_25 the second joint is between the third and sixth, the shoulders, and the ninth between the tenth and
    thirteenth, the hips; in BODY_25B the eighteenth, the neck, is between the sixth and seventh.
    """
    xy = np.where(points[:, 2:] > 0, points[:, :2], np.nan)

    def off(joint: int, one: int, other: int) -> float:
        return float(np.hypot(*(xy[joint] - (xy[one] + xy[other]) / 2)))

    usual = [value for value in (off(1, 2, 5), off(8, 9, 12)) if np.isfinite(value)]
    other = off(17, 5, 6)
    return bool(usual and np.isfinite(other) and other < np.mean(usual) / 2)


def _found(people: list[Keypoints], size: tuple[int, int] | None = None) -> Found:
    """People of whom the file does not say how sure they are: the mean of their joints' confidences."""
    return _scored([(keypoints, float(keypoints[:, 2].mean())) for keypoints in people], size)


def _scored(people: list[tuple[Keypoints, float]], size: tuple[int, int] | None = None) -> Found:
    people = [(points, score) for points, score in people if (cleaned(points)[:, 2] > 0).any()]
    keypoints = np.array([points for points, _ in people] or np.zeros((0, len(KEYPOINT_NAMES), 3)), np.float32)
    if keypoints.size and np.nanmax(np.abs(keypoints[..., :2]), initial=0.0) <= _SHARES:
        size = (1, 1)
    return Found(keypoints, np.array([score for _, score in people], np.float32), size)


def parts_of(name: str) -> tuple[str, ...]:
    """A photograph's path in a file in parts, whichever system wrote it."""
    return PurePosixPath(name.replace("\\", "/")).parts
