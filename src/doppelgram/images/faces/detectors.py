"""The face detectors by name, each made when it is first asked for."""

from __future__ import annotations

import threading
from functools import cache

from doppelgram.errors import DoppelgramError
from doppelgram.images.faces.face import FaceDetector

DETECTORS = ("opencv", "mediapipe")


# Two threads that import OpenCV for the first time at once get half of it, and the first question often comes from
# several threads that load images.
_making = threading.Lock()


def face_detector(name: str) -> FaceDetector:
    """Return the detector ``opencv`` or ``mediapipe``, always the same one.

    Raises:
        DoppelgramError: there is none of that name, or its package is not installed.
    """
    with _making:
        return _made(name)


@cache
def _made(name: str) -> FaceDetector:
    if name == "opencv":
        from doppelgram.images.faces.opencv import HaarDetector

        return HaarDetector()
    if name == "mediapipe":
        from doppelgram.images.faces.mediapipe import MediaPipeDetector

        return MediaPipeDetector()
    raise DoppelgramError(f"there is no face detector {name!r}; there are {', '.join(DETECTORS)}.")
