"""The words of `compare-images`: verdicts, reasons and captions."""

from __future__ import annotations

from collections.abc import Sequence

from doppelgram.pose.people import People
from doppelgram.pose.reasons import ALIKE, DIFFERENT, PoseReasons, in_words, seen
from doppelgram.pose.skeleton import KEYPOINT_NAMES

# From here to an even chance something else is said to be likelier, but not for certain.
_UNSURE = 0.25


def in_short(same: bool, place: float, pose: float | None) -> str:
    """The verdict on two photographs.

    Args:
        same: whether they count as the same arrangement.
        place: probability of the same place.
        pose: of the same pose; None where it is not known, so that nothing can be said of the arrangement.
    """
    if pose is None:
        return f"{_which(place, 'place').capitalize()}; the pose is unknown"
    if same:
        unsure = [name for name, share in (("place", place), ("pose", pose)) if share < 0.5]
        if unsure:
            return f"Perhaps the same, but the {' and the '.join(unsure)} cannot be told surely"
        return "Same pose before the same place"
    if place >= 0.5 and pose >= 0.5:
        return "Not the same: place and pose are close, but not both close enough"
    return f"Not the same: {_which(place, 'place')}, {_which(pose, 'pose')}"


def _which(share: float, what: str) -> str:
    if share >= 0.5:
        return f"the same {what}"
    return f"{'perhaps ' if share >= _UNSURE else ''}another {what}"


def contradicts(reasons: PoseReasons, pose: float) -> bool:
    """Whether a person who looks at the limbs would wonder about this probability of the same pose."""
    return (reasons.mean <= ALIKE and pose < 0.3) or (reasons.mean >= (ALIKE + DIFFERENT) / 2 and pose > 0.7)


def pose_words(counts: Sequence[int], skeletons: Sequence[int], reasons: PoseReasons | None) -> list[str]:
    """What is to be said of the poses, in sentences.

    Args:
        counts: of people in both photographs whose pose counts.
        skeletons: of how many of them a skeleton was found.
        reasons: limb by limb; None where nobody can be compared so.
    """
    nobody = [letter for letter, count in zip("AB", counts, strict=True) if not count]
    if nobody:
        return [f"Pose: nobody was found in {' or '.join(nobody)}."]
    outlines = [letter for letter, count in zip("AB", skeletons, strict=True) if not count]
    if outlines:
        where = " and ".join(outlines)
        return [f"In {where} a person's outline was found but no skeleton, so that limbs cannot be compared."]
    if reasons is None or not reasons.degrees:
        return ["Pose: no part of the body is seen in both photographs."]
    words = [f"{reasons.joints} of {len(KEYPOINT_NAMES)} joints are seen in both photographs."]
    if reasons.mirrored:
        words.append("B fits better as in a mirror, left and right exchanged, and is compared so.")
    alike, different = reasons.alike(), reasons.different()
    if alike:
        words.append(f"Most alike: {in_words(alike)}.")
    if different:
        words.append(f"Most different: {in_words(different)}.")
    elif len(reasons.degrees) > 3:
        words.append(f"No part of the body is turned by {DIFFERENT:.0f}° or more.")
    return [" ".join(words)]


def summary_line(probability: float | None, reasons: PoseReasons | None, *, unknown: bool = False) -> str:
    """The line below the verdict; ``unknown`` where a model has no pose to compare."""
    if unknown:
        return "Whether the pose is the same cannot be told: nobody was found in one of the two, or in either"
    if probability is not None:
        return f"{percent(probability)} likely to show the same pose before the same place"
    if reasons is None or not reasons.degrees:
        return "Nobody to compare"
    return f"Directions of {len(reasons.degrees)} body parts differ by {reasons.mean:.0f}° on average"


def caption(count: int, people: People) -> str:
    """How many people count, in words, and of how many of their joints something is known."""
    if not count:
        return "nobody found"
    if not len(people):
        return "one person, by the outline only"
    joints = " and ".join(str(int(number)) for number in seen(people.keypoints).sum(-1))
    return f"{'one person' if count == 1 else f'{count} people'}, {joints} joints"


def percent(share: float) -> str:
    """A share as a person reads it: never 0 % or 100 % by rounding."""
    if 0 < share < 0.005:
        return "under 1 %"
    if 0.995 < share < 1:
        return "over 99 %"
    return f"{100 * share:.0f} %"
