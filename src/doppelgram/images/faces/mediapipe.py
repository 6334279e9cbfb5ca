"""Faces by MediaPipe's BlazeFace, from the model files that MediaPipe's package carries up to version 0.10.21.

Later packages come without a model and are refused. Version 0.10.21 declares numpy below 2, and so does the extra
``doppelgram[mediapipe]`` by depending on it; what is used here of it works with numpy 2 as well where it is installed
without its dependencies.
"""

from __future__ import annotations

import math
import os
import threading
from typing import Any

import numpy as np

from doppelgram.errors import DoppelgramError
from doppelgram.images.faces.face import Face, Pixels, Point

_SUREST = 0.5
# Its models: for faces that fill a good part of the picture, and for those further away.
_NEAR, _FAR = 0, 1


class MediaPipeDetector:
    """Frontal and half-turned faces with their eyes, tilted by up to 45 degrees or so."""

    name = "mediapipe"
    widening = 1.41
    offset: Point = (0.0, -0.13)

    def __init__(self) -> None:
        """Find the package.

        Raises:
            DoppelgramError: it is not installed, or is a version without models.
        """
        # Its engine's remarks on the machine mean nothing to the person at the terminal.
        os.environ.setdefault("GLOG_minloglevel", "2")
        try:
            from mediapipe.python.solutions import face_detection
        except ImportError:
            raise DoppelgramError(
                "the face detector 'mediapipe' needs MediaPipe 0.10.21, which brings its model along; install it "
                "with: pip install 'doppelgram[mediapipe]', or take the detector 'opencv'"
            ) from None
        self._make: Any = face_detection.FaceDetection
        self._of_thread = threading.local()

    def detect(self, rgb: Pixels) -> list[Face]:
        """See `FaceDetector`."""
        height, width = rgb.shape[:2]
        rgb = np.ascontiguousarray(rgb)
        kept: list[Face] = []
        for model in (_NEAR, _FAR):
            found = [_face(detection, width, height) for detection in self._model(model).process(rgb).detections or ()]
            # What both models see is told by the first, which places it better.
            kept += [face for face in found if not any(_on_one_another(face, other) for other in kept)]
        return kept

    def _model(self, number: int) -> Any:
        """A detector of this thread's own."""
        own: dict[int, Any] = self._of_thread.__dict__.setdefault("models", {})
        if number not in own:
            own[number] = self._make(model_selection=number, min_detection_confidence=_SUREST)
        return own[number]


def _on_one_another(first: Face, second: Face) -> bool:
    return math.dist(first.centre, second.centre) < max(first.side, second.side) / 2


def _face(detection: Any, width: int, height: int) -> Face:
    where = detection.location_data
    box = where.relative_bounding_box
    # The first two key points are the eyes, the person's right one first, which is the left one in the picture.
    left, right = ((point.x * width, point.y * height) for point in where.relative_keypoints[:2])
    # It finds both eyes of every face, at any tilt, so that they say how the face is turned.
    turn = math.degrees(math.atan2(right[1] - left[1], right[0] - left[0]))
    return Face(
        (box.xmin * width, box.ymin * height, box.width * width, box.height * height),
        float(detection.score[0]),
        (left, right),
        turn,
    )
