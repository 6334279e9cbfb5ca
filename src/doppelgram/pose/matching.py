"""The poses of two photographs compared: people matched to people, mirror images on request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from doppelgram.errors import DoppelgramError
from doppelgram.pose.normalise import normalised
from doppelgram.pose.people import People
from doppelgram.pose.similarity import coverage, limb_cosine, oks, pck
from doppelgram.pose.skeleton import mirrored

Measure: TypeAlias = Literal["oks", "pck", "limbs"]
MEASURES: tuple[Measure, ...] = ("oks", "pck", "limbs")

# In units of the trunk, about what somebody who stands covers (`similarity.areas`) and is high. They are the same for
# everybody, so that a spread pose is not forgiven more than a crouched one.
AREA = 2.5
HEIGHT = 3.2


@dataclass(frozen=True)
class PoseMatch:
    """How alike the poses of two photographs are.

    Attributes:
        similarity: mean over the matched people; NaN where a photograph shows nobody or they have no joint in common.
        pairs: positions of matched people, (in the first photograph, in the second).
        each: similarity of each of these.
        joints: how many joints each of these was compared by.
        unmatched: how many of the people in either photograph are left without a partner.
        mirrored: whether the second photograph was taken mirrored.
    """

    similarity: float
    pairs: tuple[tuple[int, int], ...]
    each: tuple[float, ...]
    joints: tuple[int, ...]
    unmatched: int
    mirrored: bool = False


def pose_similarity(
    a: NDArray[Any], b: NDArray[Any], measure: Measure = "oks", *, mirror: bool = False
) -> NDArray[np.float64]:
    """Similarity of normalised poses (..., 18, 3), by numpy's rules of broadcasting; NaN where no joint is in common.

    Args:
        a: people in pixels.
        b: others.
        measure: ``oks`` or ``pck`` (0 to 1), or ``limbs``, the mean cosine of limb angles (-1 to 1).
        mirror: also try the mirror image of ``b``, and take the better.
    """
    first, second = normalised(a), normalised(b)
    found = _measured(first, second, measure)
    if mirror:
        found = np.fmax(found, _measured(first, mirrored(second), measure))
    return found


def match_people(a: People, b: People, measure: Measure = "oks", *, count: int = 2, mirror: bool = False) -> PoseMatch:
    """Match the most prominent people of two photographs so that their mean similarity is greatest.

    Args:
        a: people of the first photograph.
        b: of the second.
        measure: as for `pose_similarity`.
        count: how many people of a photograph count, passers-by aside.
        mirror: also compare with the second photograph mirrored as a whole, and take the better.
    """
    first, second = (people.most_prominent(count).keypoints for people in (a, b))
    match = _match(first, second, measure)
    if mirror:
        other = _match(first, mirrored(second), measure)
        if not match.similarity >= other.similarity and not np.isnan(other.similarity):
            return PoseMatch(other.similarity, other.pairs, other.each, other.joints, other.unmatched, mirrored=True)
    return match


def _match(a: NDArray[Any], b: NDArray[Any], measure: Measure) -> PoseMatch:
    from scipy.optimize import linear_sum_assignment

    if not len(a) or not len(b):
        return PoseMatch(float("nan"), (), (), (), len(a) + len(b))
    table = pose_similarity(a[:, None], b[None], measure)
    known = np.isfinite(table)
    # Whoever cannot be compared is matched last.
    rows, columns = linear_sum_assignment(np.where(known, table, -2.0), maximize=True)
    pairs = tuple((int(i), int(j)) for i, j in zip(rows, columns, strict=True) if known[i, j])
    each = tuple(float(table[pair]) for pair in pairs)
    joints = tuple(int(coverage(a[i], b[j])) for i, j in pairs)
    return PoseMatch(
        float(np.mean(each)) if each else float("nan"), pairs, each, joints, len(a) + len(b) - 2 * len(pairs)
    )


def _measured(first: NDArray[Any], second: NDArray[Any], measure: Measure) -> NDArray[np.float64]:
    if measure == "oks":
        return oks(first, second, AREA)
    if measure == "pck":
        return pck(first, second, size=HEIGHT)
    if measure == "limbs":
        return limb_cosine(first, second)
    raise DoppelgramError(f"there is no pose measure '{measure}'; there are {', '.join(MEASURES)}")
