"""Maps of models of places and poses: the place's by its towers, the pose's by the joints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from doppelgram.console import Progress
from doppelgram.models.arrangement import ArrangementModel
from doppelgram.pose.cutouts import persons
from doppelgram.pose.people import People
from doppelgram.saliency.gradient import by_gradient
from doppelgram.saliency.joints import joint_values
from doppelgram.saliency.maps import GRAD_CAM, OCCLUSION, PairSaliency, Pixels, SaliencyMap, placed
from doppelgram.saliency.occlusion import Distances, both_occluded
from doppelgram.space.arrangement import PLACE


@dataclass(frozen=True)
class Side:
    """One photograph as a model of places and poses has seen it.

    Attributes:
        pixels: upright, uint8 (h, w, 3).
        people: found in it, in pixels of that.
        mask: bool (h, w), where people cover the place; None where nobody looked.
        vector: what the model made of it, float32 (dim,).
    """

    pixels: Pixels
    people: People
    mask: NDArray[np.bool_] | None
    vector: NDArray[np.float32]


def arrangement_saliency(
    model: ArrangementModel, sides: tuple[Side, Side], *, method: str = "", progress: Progress
) -> PairSaliency:
    """Which parts of two places, and which joints, bring two photographs together.

    Arguments as for `doppelgram.saliency.pair.pair_saliency`.
    """
    people = [persons(side.people, side.mask, model.space.people) for side in sides]
    inputs = [
        np.concatenate([tower.inputs(side.pixels, who, side.mask) for side, who in zip(sides, people, strict=True)])
        for tower in model.place
    ]
    found = by_gradient(model.image_towers, inputs, method, fuse=True, centre=model.space.centre)
    if found is not None:
        grids = [[pair[number] * pair[number].size for pair in found.maps] for number in range(len(sides))]
    else:
        distances = [_from(model, *pair) for pair in (sides, sides[::-1])]
        grids = [[grid] for grid in both_occluded([side.pixels for side in sides], distances, progress)]
    vectors = np.stack([side.vector for side in sides])
    joints = joint_values(model, vectors, [(side.pixels, who) for side, who in zip(sides, people, strict=True)])
    a, b = (
        _map(side, each, side.people.most_prominent(model.space.people), None if joints is None else joints[number])
        for number, (side, each) in enumerate(zip(sides, grids, strict=True))
    )
    similarity, how = (found.similarity, GRAD_CAM) if found else (None, OCCLUSION)
    return PairSaliency(a, b, how, similarity, PLACE, any(tower.sees == "person" for tower in model.pose))


def _map(
    side: Side, grids: Sequence[NDArray[np.float64]], people: People, joints: NDArray[np.float64] | None
) -> SaliencyMap:
    """One photograph's map; somebody of whom only the outline was found has no joints to show."""
    shown = None if joints is None else joints[: len(people)]
    return SaliencyMap(side.pixels, _over_photograph(grids, side.pixels), people, shown)


def _over_photograph(grids: Sequence[NDArray[np.float64]], pixels: Pixels) -> NDArray[np.float32]:
    """Maps of towers, each of which is shown the whole of a photograph, added up over it."""
    height, width = pixels.shape[:2]
    corners = [(0.0, 0.0), (float(width), 0.0), (float(width), float(height)), (0.0, float(height))]
    maps = [placed(grid, corners, width, height) for grid in grids]
    return np.asarray(np.sum(maps, axis=0), dtype=np.float32)


def _from(model: ArrangementModel, own: Side, other: Side) -> Distances:
    """Distances of a photograph's place, in other pictures of it, to the place of another photograph."""
    who = persons(own.people, own.mask, model.space.people)

    def distances(pictures: list[Pixels]) -> NDArray[np.float64]:
        inputs = [
            np.concatenate([tower.inputs(picture, who, own.mask) for picture in pictures]) for tower in model.place
        ]
        vectors = np.repeat(own.vector[None], len(pictures), axis=0)
        vectors[:, : model.space.place_dim] = model.place_vectors(inputs)
        return model.space.part_distances(vectors, other.vector[None])[0]

    return distances
