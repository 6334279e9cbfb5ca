"""The words of `compare-images`: verdicts, reasons and captions."""

from __future__ import annotations

from collections.abc import Sequence

from doppelgram.api.pose_reasons import ALIKE, DIFFERENT, PoseReasons, in_words
from doppelgram.pose.people import People
from doppelgram.pose.skeleton import JOINTS, present


def difference(place: float, pose: float | None) -> str:
    """The verdict on two photographs that do not count as the same; the pose is None where it is not known."""
    if pose is None:
        return f"Not the same: {'the same' if place >= 0.5 else 'another'} place, pose unknown"
    if place >= 0.5 and pose >= 0.5:
        return "Not the same: place and pose are close, but not both close enough"
    where = "the same place" if place >= 0.5 else "another place"
    return f"Not the same: {where}, {'the same pose' if pose >= 0.5 else 'another pose'}"


def contradicts(reasons: PoseReasons, pose: float) -> bool:
    """Whether a person who looks at the limbs would wonder about this probability of the same pose."""
    return (reasons.mean <= ALIKE and pose < 0.3) or (reasons.mean >= DIFFERENT and pose > 0.7)


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
    words = [f"{reasons.joints} of {len(JOINTS)} joints are seen in both photographs."]
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


def summary_line(probability: float | None, reasons: PoseReasons | None) -> str:
    """The line below the verdict."""
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
    joints = " and ".join(str(int(number)) for number in present(people.keypoints).sum(-1))
    return f"{'one person' if count == 1 else f'{count} people'}, {joints} joints"


def percent(share: float) -> str:
    """A share as a person reads it: never 0 % or 100 % by rounding."""
    if 0 < share < 0.005:
        return "under 1 %"
    if 0.995 < share < 1:
        return "over 99 %"
    return f"{100 * share:.0f} %"
