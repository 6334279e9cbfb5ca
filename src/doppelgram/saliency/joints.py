"""How much each joint brings two poses together: the growth of their distance while it is hidden."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doppelgram.models.arrangement import ArrangementModel
from doppelgram.models.towers import KEYPOINTS, Tower
from doppelgram.pose.cutouts import Person
from doppelgram.pose.skeleton import KEYPOINT_NAMES, present
from doppelgram.saliency.maps import Pixels


def joint_values(
    model: ArrangementModel, vectors: NDArray[np.float32], shown: Sequence[tuple[Pixels, Sequence[Person]]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Growth of the pose distance for each joint that is hidden, float64 (people, 18) of either photograph.

    A joint is hidden after the pose was scaled and moved to its middle, so that it alone changes. NaN where it is not
    known.

    Args:
        model: of places and poses.
        vectors: of both photographs, (2, dim).
        shown: pixels, uint8 (h, w, 3), and people of each photograph.

    Returns:
        None where there is no pose to compare, or the model looks at no keypoints.
    """
    before = float(model.space.part_distances(vectors[:1], vectors[1:])[1][0])
    if np.isnan(before) or not any(tower.sees == KEYPOINTS for tower in model.pose):
        return None
    first, second = (_of_one(model, vectors[own], vectors[1 - own], *shown[own]) - before for own in range(len(shown)))
    return first, second


def _of_one(
    model: ArrangementModel,
    own: NDArray[np.float32],
    other: NDArray[np.float32],
    pixels: Pixels,
    people: Sequence[Person],
) -> NDArray[np.float64]:
    """Pose distances (people, 18) with one joint hidden."""
    found = np.full((len(people), len(KEYPOINT_NAMES)), np.nan)
    for number, person in enumerate(people):
        inputs = [tower.inputs(pixels, [person], None) for tower in model.pose]
        known = np.flatnonzero(present(np.asarray(person.keypoints)))
        if not len(known):
            continue
        slots = model.pose_slots([_without(each, tower, known) for each, tower in zip(inputs, model.pose, strict=True)])
        variants = np.repeat(own[None], len(known), axis=0)
        start = model.space.place_dim + number * model.space.slot
        variants[:, start : start + model.space.slot] = slots
        found[number, known] = model.space.part_distances(variants, other[None])[1]
    return found


def _without(inputs: NDArray[Any], tower: Tower, known: NDArray[np.int64]) -> NDArray[Any]:
    """What a tower is shown of one person, once for each joint: keypoints without it, pictures as they are."""
    copies = np.repeat(inputs, len(known), axis=0)
    if tower.sees == KEYPOINTS:
        copies[np.arange(len(known)), known] = (np.nan, np.nan, 0)
    return copies
