"""People in the posts, and their skeletons drawn as the pose mask that the study's networks see."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from doppelgram.console import Progress
from doppelgram.models.finder_settings import READY_MADE as KEYPOINTS

if TYPE_CHECKING:
    from doppelgram.pose.estimators.estimator import Estimator
    from doppelgram.pose.estimators.known import KnownPeople
    from doppelgram.pose.people import People

KEYPOINTS_FILE = "keypoints.json"
PROMINENT = 2  # the study kept the two most prominent people
_THICKNESS = 0.045  # of a limb as a share of the mask's side: three pixels of 64


def estimator_for(data: Path, name: str, weights: Path | None, pose_weights: Path | None) -> Estimator | KnownPeople:
    """The estimator that finds the people of these posts.

    Args:
        data: folder or table of the posts.
        name: of an estimator; empty for the posts' own ``keypoints.json`` if it is there, and MoveNet otherwise.
        weights: folder to look its weights up in.
        pose_weights: its weights, or its file of keypoints.

    Raises:
        DoppelgramError: something that the estimator needs is missing.
    """
    from doppelgram.pose.estimators.registry import make_estimator

    beside = (data if data.is_dir() else data.parent) / KEYPOINTS_FILE
    if name in ("", KEYPOINTS) and pose_weights is None and beside.is_file():
        return make_estimator(KEYPOINTS, pose_weights=beside)
    return make_estimator(name or "movenet", weights, pose_weights)


def people_in(
    paths: Sequence[Path], estimator: Estimator | KnownPeople, folder: Path, progress: Progress
) -> list[People | None]:
    """People of every photograph, found once and kept in ``folder``.

    Raises:
        DoppelgramError: ready-made keypoints name none of them.
    """
    from doppelgram.pose.estimators.known import KnownPeople
    from doppelgram.pose.extras import find_people

    if isinstance(estimator, KnownPeople):
        estimator.require(paths, every=False)
    with progress.bar(f"people, by {estimator.name}", len(paths)) as advance:
        return find_people(paths, estimator, folder, advance)


def draw_masks(people: Sequence[People | None], side: int) -> NDArray[np.uint8]:
    """Skeletons of the two most prominent people, of each photograph and of its mirror image.

    A mask shows the photograph's whole frame, squashed to a square as the network sees the photograph itself. It is
    black where no person was found.

    Args:
        people: of each photograph; None for an empty mask.
        side: of a mask in pixels.

    Returns:
        uint8 (n, 2, 3, side, side).
    """
    from doppelgram.pose.drawing import skeleton_mask
    from doppelgram.pose.skeleton import mirrored

    masks = np.zeros((len(people), 2, 3, side, side), dtype=np.uint8)
    for row, found in enumerate(people):
        if found is None or not len(found):
            continue
        keypoints, frame = found.most_prominent(PROMINENT).keypoints, (found.width, found.height)
        for turned, points in enumerate((keypoints, mirrored(keypoints, found.width))):
            mask = skeleton_mask(points, frame, (side, side), thickness=_THICKNESS)
            masks[row, turned] = np.rint(np.moveaxis(mask, 2, 0) * 255)
    return masks
