"""What finds people in photographs, chosen by name: several networks, and ready-made files."""

from __future__ import annotations

from pathlib import Path

from doppelgram.errors import DoppelgramError
from doppelgram.pose.estimators.blazepose import BlazePose, find_blazepose
from doppelgram.pose.estimators.estimator import Estimator
from doppelgram.pose.estimators.known import KnownPeople
from doppelgram.pose.estimators.movenet import MoveNet
from doppelgram.pose.estimators.searches import SEARCHES
from doppelgram.pose.estimators.vitpose import VitPose
from doppelgram.weights import find_weights, weight_folders

ESTIMATORS = (*SEARCHES, "mediapipe", "vitpose", "keypoints")


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
    if name in SEARCHES:
        network = "movenet_thunder" if name == "movenet-thunder" else "movenet_lightning"
        return MoveNet(given or find_weights(network, weights), name=name, workers=workers)
    if name == "mediapipe":
        return BlazePose(*find_blazepose([given] if given is not None else weight_folders(weights)), workers=workers)
    if name == "vitpose":
        return VitPose(given or _vitpose_folder(weights), _finder(weights, workers))
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
    try:
        return MoveNet(find_weights("movenet_lightning", weights), workers=workers)
    except DoppelgramError:
        return None
