"""MediaPipe's BlazePose: a person detector and 33 landmarks in a square that is turned as the person is.

Run by OpenVINO from the two files that MediaPipe's package carries up to version 0.10.21; MediaPipe itself is not
imported, so that its demands on numpy do not matter. The constants are those of MediaPipe's published graphs
(`pose_detection_cpu`, `pose_detection_to_roi`, `pose_landmark_by_roi_cpu`, `pose_landmarks_to_roi`).
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from doppelgram.errors import DoppelgramError
from doppelgram.pose.engine import Engine
from doppelgram.pose.estimators.estimator import EachPhotograph, distinct
from doppelgram.pose.estimators.regions import regions
from doppelgram.pose.people import People, prominence
from doppelgram.pose.skeleton import Keypoints, from_mediapipe_33
from doppelgram.pose.squares import Square, cut, letterbox

DETECTOR, LANDMARKS = "pose_detection.tflite", "pose_landmark_full.tflite"
_IN_PACKAGE = {DETECTOR: f"modules/pose_detection/{DETECTOR}", LANDMARKS: f"modules/pose_landmark/{LANDMARKS}"}

# Detections below are doubted, as MediaPipe does; where nobody is seen in the whole photograph, its tiles are searched.
_DETECTED, _THERE = 0.5, 0.5
_SAME = 0.4
_MOST = 8
# Side of the detector's feature maps, and how many boxes each of their places proposes.
_MAPS = ((28, 2), (14, 2), (7, 6))
# The square round a person is this much wider than the circle round the body.
_ROOM = 1.25
# Rows of the landmarks' answer that say where the body's middle is and how far it reaches.
_MIDDLE, _REACH = 33, 34


class BlazePose(EachPhotograph):
    """People by BlazePose, also such as lie or stand on their hands: each is turned upright before a closer look."""

    name = "mediapipe"

    def __init__(self, detector: Path, landmarks: Path, *, workers: int | None = None) -> None:
        """Load both networks.

        Args:
            detector: RGB (1, size, size, 3) from -1 to 1, to boxes with four points each (1, n, 12) and scores.
            landmarks: RGB (1, size, size, 3) from 0 to 1, to (1, 195) and more.
            workers: how many photographs are looked at side by side; one a processor by default.

        Raises:
            DoppelgramError: OpenVINO is absent or the files hold other networks.
        """
        self._detector = Engine(detector, what="BlazePose's detector")
        self._landmarks = Engine(landmarks, what="BlazePose's landmarks")
        self._anchors = anchors()
        if self._detector.outputs[:2] != [(1, len(self._anchors), 12), (1, len(self._anchors), 1)]:
            raise DoppelgramError(f"{detector}: is not BlazePose's detector; its outputs are {self._detector.outputs}")
        if self._landmarks.outputs[:2] != [(1, 195), (1, 1)]:
            raise DoppelgramError(f"{landmarks}: is not BlazePose's landmarks; outputs are {self._landmarks.outputs}")
        self.workers = workers
        self.key = f"mediapipe-{self._detector.digest}-{self._landmarks.digest}-2"

    def _found(self, image: Image.Image) -> People:
        squares = self._detect(image, letterbox(*image.size))
        if not squares:
            squares = [square for region in regions(*image.size)[1:] for square in self._detect(image, region)]
        looked = [self._look(image, square) for square in distinct_squares(squares)[:_MOST]]
        there = [keypoints for keypoints, sure in looked if sure >= _THERE]
        if not there:
            return People.nobody(*image.size)
        found = np.stack(there)
        people = np.stack(distinct(found, prominence(found, *image.size), _SAME))
        return People(people, people[..., 2].mean(-1), *image.size)

    def _detect(self, image: Image.Image, region: Square) -> list[Square]:
        """The square round each person seen in a region, the surest first."""
        pixels = cut(image, region, self._detector.shape[1]).astype(np.float32)
        boxes, scores = self._detector(pixels[None] / 127.5 - 1)[:2]
        points, sure = decode_detections(boxes[0], scores[0, :, 0], self._anchors, self._detector.shape[1])
        order = np.argsort(-sure, kind="stable")
        order = order[sure[order] >= _DETECTED][:100]
        return [circle(*region.to_photograph(points[index])[:2]) for index in order]

    def _look(self, image: Image.Image, square: Square) -> tuple[Keypoints, float]:
        """One person (18, 3), after a first look that sets the square right, and how sure it is that there is one."""
        for _ in range(2):
            size = self._landmarks.shape[1]
            answer = self._landmarks(cut(image, square, size)[None].astype(np.float32) / 255)
            rows = answer[0].reshape(39, 5).astype(np.float64)
            places = square.to_photograph(rows[:, :2] / size)
            looked = square
            square = circle(places[_MIDDLE], places[_REACH])
            if not 0.25 < square.side / looked.side < 4:  # what it sees is no person
                square = looked
        # Columns 3 and 4 say whether a landmark is in the open, and whether it is in the picture at all.
        sure = logistic(rows[:33, 4]) * np.sqrt(logistic(rows[:33, 3]))
        keypoints = from_mediapipe_33(np.concatenate([places[:33], sure[:, None]], axis=1))
        return keypoints, float(answer[1].reshape(-1)[0])


def anchors() -> NDArray[np.float64]:
    """Where each of the detector's 2,254 proposals starts from: (n, 2), x and y as shares of the square."""
    grids = []
    for side, count in _MAPS:
        middle = (np.arange(side) + 0.5) / side
        y, x = np.meshgrid(middle, middle, indexing="ij")
        grids.append(np.repeat(np.stack([x, y], axis=-1).reshape(-1, 2), count, axis=0))
    return np.concatenate(grids)


def decode_detections(
    boxes: NDArray[Any], scores: NDArray[Any], starts: NDArray[np.float64], size: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The detector's raw answer as points (n, 4, 2), shares of the square, and scores (n,) from 0 to 1.

    The first point is the middle of the hips, the second lies on the circle round the whole body, above the head.
    """
    points = np.asarray(boxes, dtype=np.float64)[:, 4:].reshape(-1, 4, 2) / size + starts[:, None]
    return points, logistic(scores)


def circle(middle: NDArray[np.float64], reach: NDArray[np.float64]) -> Square:
    """The square round a circle about ``middle`` through ``reach``, with room to err, turned so that reach is up."""
    across, up = reach - middle
    radius = float(np.hypot(across, up))
    turn = float(np.degrees(np.arctan2(across, -up)))
    return Square(float(middle[0]), float(middle[1]), max(2 * radius * _ROOM, 16.0), turn)


def distinct_squares(squares: Sequence[Square]) -> list[Square]:
    """Non-maximum suppression of squares, surest first: those are of one person whose middles are near."""
    kept: list[Square] = []
    for square in squares:
        if all(np.hypot(square.x - s.x, square.y - s.y) > 0.15 * min(square.side, s.side) for s in kept):
            kept.append(square)
    return kept


def logistic(values: NDArray[Any]) -> NDArray[np.float64]:
    """``1 / (1 + exp(-x))``."""
    return np.asarray(np.exp(-np.logaddexp(0.0, -np.asarray(values, dtype=np.float64))))


def find_blazepose(folders: Sequence[Path]) -> tuple[Path, Path]:
    """The two files, in one of the folders or in an installed MediaPipe.

    Raises:
        DoppelgramError: they are in none of them.
    """
    for folder in folders:
        if all((folder / name).is_file() for name in (DETECTOR, LANDMARKS)):
            return folder / DETECTOR, folder / LANDMARKS
    spec = importlib.util.find_spec("mediapipe")
    for place in (spec.submodule_search_locations or ()) if spec is not None else ():
        files = [Path(place) / _IN_PACKAGE[name] for name in (DETECTOR, LANDMARKS)]
        if all(file.is_file() for file in files):
            return files[0], files[1]
    raise DoppelgramError(
        f"the estimator 'mediapipe' needs {DETECTOR} and {LANDMARKS}, which MediaPipe 0.10.21 brings along: install it "
        "with pip install 'doppelgram[mediapipe]', or put the two files into a folder of weights"
    )
