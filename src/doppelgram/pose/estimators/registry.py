"""What finds people in photographs: one interface, several networks and ready-made files, chosen by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from doppelgram.errors import DoppelgramError
from doppelgram.pose.estimators.known import KnownPeople
from doppelgram.pose.people import People
from doppelgram.weights import find_weights, weight_folders

ESTIMATORS = ("movenet", "movenet-thorough", "mediapipe", "vitpose", "keypoints")


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
) -> Estimator | KnownPeople:
    """Make an estimator by name.

    Args:
        name: one of `ESTIMATORS`.
        weights: folder to look its weights up in first.
        pose_weights: the file or folder itself, instead of looking it up: MoveNet's file, the folder with BlazePose's
            two files, ViTPose's transformers folder, or the file or folder of ready-made keypoints.
        workers: how many photographs are looked at side by side; one a processor by default.

    Raises:
        DoppelgramError: there is none of that name, or it lacks something; says what.
    """
    if pose_weights is not None and not pose_weights.expanduser().exists():
        raise DoppelgramError(f"{pose_weights}: there are no such weights")
    given = pose_weights.expanduser() if pose_weights is not None else None
    if name == "movenet":
        from doppelgram.pose.estimators.movenet import MoveNet

        return MoveNet(given or find_weights("movenet_lightning", weights), workers=workers)
    if name == "movenet-thorough":
        from doppelgram.pose.estimators.movenet_thorough import ThoroughMoveNet

        return ThoroughMoveNet(given or find_weights("movenet_lightning", weights), workers=workers)
    if name == "mediapipe":
        from doppelgram.pose.estimators.blazepose import BlazePose, find_blazepose

        return BlazePose(*find_blazepose([given] if given is not None else weight_folders(weights)), workers=workers)
    if name == "vitpose":
        from doppelgram.pose.estimators.vitpose import VitPose

        return VitPose(given or _vitpose_folder(weights), _finder(weights, workers), workers=workers)
    if name == "keypoints":
        if given is None:
            raise DoppelgramError(
                "the estimator 'keypoints' needs the file or folder of keypoints: give --pose-weights"
            )
        return KnownPeople(given)
    raise DoppelgramError(f"there is no estimator '{name}'; there are {', '.join(ESTIMATORS)}")


def _vitpose_folder(weights: Path | None) -> Path:
    try:
        return find_weights("vitpose", weights)
    except DoppelgramError:
        if weights is not None and not weights.expanduser().is_dir():
            raise
        looked = ", ".join(str(folder) for folder in weight_folders(weights))
        raise DoppelgramError(
            f"vitpose needs a transformers folder of ViTPose, and there is no 'vitpose' in {looked}; "
            "put it there, or name it with --pose-weights DIR"
        ) from None


def _finder(weights: Path | None, workers: int | None) -> Estimator | None:
    """What shows a network that knows one person where people are: MoveNet where it is at hand."""
    from doppelgram.pose.estimators.movenet import MoveNet

    try:
        return MoveNet(find_weights("movenet_lightning", weights), workers=workers)
    except DoppelgramError:
        return None
