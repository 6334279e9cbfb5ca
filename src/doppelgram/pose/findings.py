"""A comparison of two photographs in sentences: verdicts, what the poses share, and captions."""

from __future__ import annotations

from collections.abc import Sequence

from doppelgram.numbers import count, listing, probability
from doppelgram.pose.people import People
from doppelgram.pose.reasons import ALIKE, DIFFERENT, PoseReasons, visible
from doppelgram.pose.skeleton import KEYPOINT_NAMES

# From here to an even chance something else is said to be likelier, but not for certain.
_UNSURE = 0.25


def summary(same: bool, place: float, pose: float | None) -> str:
    """The verdict on two photographs.

    Args:
        same: whether they count as the same arrangement.
        place: probability of the same place.
        pose: of the same pose; None where it is not known, so that nothing can be said of the arrangement.
    """
    if pose is None:
        return f"{_likelier(place, 'place').capitalize()}; the pose is unknown"
    if same:
        unsure = [name for name, share in (("place", place), ("pose", pose)) if share < 0.5]
        if unsure:
            return f"Perhaps the same, but the {' and the '.join(unsure)} cannot be told surely"
        return "Same pose before the same place"
    if place >= 0.5 and pose >= 0.5:
        return "Not the same: place and pose are close, but not both close enough"
    return f"Not the same: {_likelier(place, 'place')}, {_likelier(pose, 'pose')}"


def _likelier(share: float, what: str) -> str:
    if share >= 0.5:
        return f"the same {what}"
    return f"{'perhaps ' if share >= _UNSURE else ''}another {what}"


def contradicts(reasons: PoseReasons, pose: float) -> bool:
    """Whether a person who looks at the limbs would doubt this probability of the same pose."""
    return (reasons.mean <= ALIKE and pose < 0.3) or (reasons.mean >= (ALIKE + DIFFERENT) / 2 and pose > 0.7)


def pose_sentences(people: Sequence[int], skeletons: Sequence[int], reasons: PoseReasons | None) -> list[str]:
    """What can be said of two poses.

    Args:
        people: how many people count in either photograph.
        skeletons: how many of them have keypoints.
        reasons: limb by limb; None where nobody can be compared so.
    """
    nobody = [letter for letter, number in zip("AB", people, strict=True) if not number]
    if nobody:
        return [f"Pose: nobody was found in {' or '.join(nobody)}."]
    outlines = [letter for letter, number in zip("AB", skeletons, strict=True) if not number]
    if outlines:
        where = " and ".join(outlines)
        return [f"In {where} a person's outline was found but no skeleton, so that limbs cannot be compared."]
    if reasons is None or not reasons.degrees:
        return ["Pose: no part of the body is visible in both photographs."]
    sentences = [f"{reasons.keypoints} of {len(KEYPOINT_NAMES)} keypoints are visible in both photographs."]
    if reasons.mirrored:
        sentences.append("B fits better as in a mirror, left and right exchanged, and is compared so.")
    alike, different = reasons.alike(), reasons.different()
    if alike:
        sentences.append(f"Most alike: {parts_listed(alike)}.")
    if different:
        sentences.append(f"Most different: {parts_listed(different)}.")
    elif len(reasons.degrees) > 3:
        sentences.append(f"No part of the body is turned by {DIFFERENT:.0f}° or more.")
    return [" ".join(sentences)]


def parts_listed(parts: Sequence[tuple[str, float]]) -> str:
    """Body parts and their angles: ``left thigh (4°), head (9°) and trunk (12°)``."""
    return listing([f"{name} ({degrees:.0f}°)" for name, degrees in parts])


def subtitle(chance: float | None, reasons: PoseReasons | None, *, unknown: bool = False) -> str:
    """The line below the verdict.

    Args:
        chance: probability of the same arrangement; None without a model.
        reasons: limb by limb; None where nobody can be compared so.
        unknown: whether a model was asked but has no pose to compare.
    """
    if unknown:
        return "Whether the pose is the same cannot be told: nobody was found in one of the two, or in either"
    if chance is not None:
        return f"{probability(chance)} likely to show the same pose before the same place"
    if reasons is None or not reasons.degrees:
        return "Nobody to compare"
    return f"Directions of {count(len(reasons.degrees), 'body part')} differ by {reasons.mean:.0f}° on average"


def caption(number: int, people: People) -> str:
    """How many people count, and how many keypoints each of them has: ``2 people, 18 and 12 keypoints``."""
    if not number:
        return "nobody found"
    if not len(people):
        return "1 person, by the outline only"
    keypoints = listing([int(each) for each in visible(people.keypoints).sum(-1)])
    return f"{count(number, 'person', 'people')}, {keypoints} keypoints"
