"""What finds people in photographs: one interface, several networks and ready-made files, chosen by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from doppelgram.errors import DoppelgramError
from doppelgram.pose.people import People
from doppelgram.weights import find_weights

ESTIMATORS = ("movenet", "mediapipe", "vitpose", "keypoints")


class Estimator(Protocol):
    """What finds people; one object may be used by several threads at a time.

    Attributes:
        name: one of `ESTIMATORS`.
        key: what decides its answers (name, the weights' hash, version of the settings), fit for a file name. Cached
            answers are kept under it.
    """

    name: str
    key: str

    def estimate(self, images: Sequence[NDArray[np.uint8]]) -> list[People]:
        """People in upright RGB photographs, uint8 (h, w, 3) each, in pixels of these."""
        ...


def make_estimator(
    name: str = "movenet", weights: Path | None = None, pose_weights: Path | None = None, *, workers: int | None = None
) -> Estimator:
    """Make an estimator by name.

    Args:
        name: ``movenet``, ``mediapipe`` or ``vitpose``.
        weights: folder to look its weights up in first.
        pose_weights: the file or folder itself, instead of looking it up.
        workers: how many photographs are looked at side by side; one a processor by default.

    Raises:
        DoppelgramError: there is none of that name, or it lacks something; says what.
    """
    if pose_weights is not None and not pose_weights.expanduser().exists():
        raise DoppelgramError(f"{pose_weights}: there are no such weights")
    given = pose_weights.expanduser() if pose_weights is not None else None
    if name == "movenet":
        from doppelgram.pose.movenet import MoveNet

        return MoveNet(given or find_weights("movenet_lightning", weights), workers=workers)
    raise DoppelgramError(f"there is no estimator '{name}'; there are {', '.join(ESTIMATORS)}")
