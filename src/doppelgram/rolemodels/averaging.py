"""Places averaged with their nearest neighbours: many photographs of a place say more of it than one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from doppelgram.rolemodels.candidates import blocks
from doppelgram.rolemodels.scoring import Float32
from doppelgram.space.arrangement import ArrangementSpace
from doppelgram.space.parallel import in_parallel

# Chosen on the shared posts: docs/decisions.md.
NEIGHBOURS, ROUNDS = 16, 2
# A place has about so many posts in a collection of 50 times as many; fewer neighbours are taken of fewer posts.
_SHARE = 50
_POWER = 2
_PAIRS = 20_000


def neighbours_of(posts: int, space: ArrangementSpace) -> int:
    """How many neighbours each place is averaged with; 0 where the space was trained on these places or ones alike."""
    return min(NEIGHBOURS, posts // _SHARE) if space.offset else 0


def averaged_places(
    vectors: Float32, space: ArrangementSpace, *, exact: bool, seed: int
) -> tuple[Float32, ArrangementSpace]:
    """Vectors whose places are averaged with their neighbours', and the space in which they are compared.

    Each place becomes the mean of itself and of its nearest neighbours by place, weighed by the square of the cosine,
    twice over: database-side feature augmentation (Turcot and Lowe, ICCV-LAVD 2009; Arandjelovic and Zisserman, CVPR
    2012). Averages lie nearer each other than what they were made of. The distances are therefore moved and stretched
    until random pairs have the mean and the deviation that they had before, so that the calibration goes on to hold.

    Args:
        vectors: (n, space.dim).
        space: adapted to them; one without an offset, of trained places, is given back as it is.
        exact: whether all pairs are compared in search of neighbours.
        seed: of the random pairs, and of the cells where not all are compared.
    """
    few = neighbours_of(len(vectors), space)
    if not few:
        return vectors, space
    before = place = np.ascontiguousarray(space.split(vectors)[0])
    for _ in range(ROUNDS):
        place = _averaged(place, few, exact, seed)
    moved = np.array(vectors, dtype=np.float32)
    moved[:, : space.place_dim] = place
    return moved, _stretched(space, before, place, seed)


def _averaged(place: Float32, few: int, exact: bool, seed: int) -> Float32:
    found = np.empty_like(place)
    jobs = list(blocks(place, exact=exact, seed=seed))

    def average(job: int) -> None:
        rows, columns = jobs[job]
        alike = place[rows] @ place[columns].T
        # A place is among its own neighbours, with the weight of a likeness of one.
        count = min(few + 1, len(columns))
        best = np.argpartition(-alike, count - 1, axis=1)[:, :count]
        weight = np.maximum(np.take_along_axis(alike, best, 1), 0) ** _POWER
        found[rows] = np.einsum("rk,rkd->rd", weight, place[columns[best]])

    in_parallel(average, range(len(jobs)))
    length = np.linalg.norm(found, axis=1, keepdims=True)
    return np.asarray(found / np.where(length > 0, length, 1), dtype=np.float32)


def _stretched(space: ArrangementSpace, before: Float32, after: Float32, seed: int) -> ArrangementSpace:
    """The space with a calibration of places that means by a distance now what it meant by one before."""
    rng = np.random.default_rng([seed, 23])
    left = rng.integers(0, len(before), _PAIRS)
    right = (left + rng.integers(1, len(before), _PAIRS)) % len(before)
    old, new = (np.linalg.norm(place[left] - place[right], axis=1) for place in (before, after))
    stretch = float(old.std() / new.std()) if new.std() > 0 else 1.0
    calibration = space.calibration.place
    moved = replace(
        calibration,
        slope=calibration.slope * stretch,
        intercept=calibration.intercept - calibration.slope * float(old.mean() - stretch * new.mean()),
    )
    return replace(space, offset=(), shift=(), calibration=replace(space.calibration, place=moved))
