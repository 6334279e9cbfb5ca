"""The body: named poses as limb angles, and where its points come to lie.

A limb's direction has two angles in degrees: ``swing`` in the picture plane, from straight down (0) outwards to the
side (90) to straight up (180), and ``forward`` out of that plane towards the viewer. A body faces the viewer, so its
right side is on the left of the picture. Lengths are shares of the body's height.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from doppelgram.samples.canvas import Floats
from doppelgram.samples.solids import yawed

LIMBS = ("r_upper_arm", "r_forearm", "l_upper_arm", "l_forearm", "r_thigh", "r_shin", "l_thigh", "l_shin")
LENGTHS = {"upper_arm": 0.165, "forearm": 0.155, "thigh": 0.24, "shin": 0.235}
_ARM, _LEG = ("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle")
_LIMB_POINTS = tuple(f"{side}_{point}" for limb in (_ARM, _LEG) for side in "rl" for point in limb)
KEYPOINT_NAMES = ("nose", "neck", *_LIMB_POINTS, "r_eye", "l_eye", "r_ear", "l_ear")
_SWAP = [KEYPOINT_NAMES.index({"r": "l", "l": "r"}[k[0]] + k[1:] if k[1] == "_" else k) for k in KEYPOINT_NAMES]

Angles = tuple[float, float]


@dataclass(frozen=True)
class Pose:
    """A body's angles in degrees, and how far (in body heights) it is off the ground: ``lift``.

    The trunk has ``lean`` to the picture's right and ``bow`` towards the viewer; ``head`` tilts the head; ``turn`` of
    the whole body and ``look`` of the head are about the upright axis.
    """

    limbs: Mapping[str, Angles]
    lean: float = 0.0
    bow: float = 0.0
    head: float = 0.0
    turn: float = 0.0
    look: float = 0.0
    lift: float = 0.0


def _pose(
    arms: tuple[Angles, Angles, Angles, Angles], legs: tuple[Angles, Angles, Angles, Angles], **rest: float
) -> Pose:
    return Pose(dict(zip(LIMBS, (*arms, *legs), strict=True)), **rest)


_STAND = ((6.0, 0.0), (4.0, -2.0), (6.0, 0.0), (4.0, -2.0))
POSES: dict[str, Pose] = {
    "arms_up": _pose(((148, 5), (166, 8), (148, 5), (166, 8)), ((10, 0), (7, 0), (10, 0), (7, 0))),
    "tree": _pose(((150, 0), (205, 10), (150, 0), (205, 10)), ((62, 18), (-58, -12), (3, 0), (2, 0))),
    "warrior": _pose(((92, 0), (90, 0), (92, 0), (90, 0)), ((72, 8), (4, -8), (48, -4), (48, -4)), look=-55),
    "mountain": _pose(((14, 4), (8, 10), (14, 4), (8, 10)), _STAND),
    "point": _pose(((34, 4), (-62, 30), (126, 4), (128, 4)), ((10, 0), (6, 0), (14, 4), (10, -6)), head=-6, look=28),
    "star": _pose(((112, 0), (116, 0), (112, 0), (116, 0)), ((30, 0), (30, 0), (30, 0), (30, 0))),
    "dancer": _pose(
        ((76, 10), (74, 10), (132, 0), (136, 0)), ((4, 0), (2, 0), (68, -10), (132, -10)), lean=-24, head=-8, look=-35
    ),
    "sit": _pose(((30, 20), (38, 36), (30, 20), (38, 36)), ((66, 56), (-78, 6), (66, 56), (-74, -4)), bow=-4),
    "lean": _pose(((-30, 35), (-92, 18), (96, 6), (98, 0)), ((4, 0), (2, 0), (26, 0), (20, 0)), lean=14, look=38),
    "jump": _pose(((138, 4), (150, 10), (138, 4), (150, 10)), ((40, 30), (6, -58), (44, 24), (10, -62)), lift=0.14),
}
WALK = (
    _pose(((16, 16), (10, 30), (14, -14), (8, 8)), ((5, 20), (3, 4), (4, -16), (3, -26)), turn=35),
    _pose(((12, 6), (10, 14), (12, 6), (-30, 50)), ((6, 0), (4, 0), (9, 2), (5, -3)), turn=-20),
    _pose(((20, 0), (-40, 25), (20, 0), (-40, 25)), ((9, 0), (6, 0), (9, 0), (6, 0))),
    _pose(((14, -16), (10, 6), (16, 16), (12, 34)), ((4, -18), (3, -28), (5, 20), (3, 2)), turn=-60),
)


def jitter(pose: Pose, rng: np.random.Generator, spread: float) -> Pose:
    """A pose with normal noise of ``spread`` degrees in every angle (less in the trunk, more in turning)."""
    limbs = {
        name: (swing + float(rng.normal(0, spread)), forward + float(rng.normal(0, spread * 0.7)))
        for name, (swing, forward) in pose.limbs.items()
    }
    noise = rng.normal(0, spread, 5)
    return replace(
        pose,
        limbs=limbs,
        lean=pose.lean + 0.35 * float(noise[0]),
        bow=pose.bow + 0.25 * float(noise[1]),
        head=pose.head + 0.5 * float(noise[2]),
        turn=pose.turn + 1.3 * float(noise[3]),
        look=pose.look + 1.3 * float(noise[4]),
    )


def mirrored(pose: Pose) -> Pose:
    """The pose with right and left exchanged, as a mirror shows it."""
    limbs = {("l" if name[0] == "r" else "r") + name[1:]: angles for name, angles in pose.limbs.items()}
    return replace(pose, limbs=limbs, lean=-pose.lean, head=-pose.head, turn=-pose.turn, look=-pose.look)


@dataclass(frozen=True)
class Build:
    """Body proportions as factors of the usual ones."""

    shoulders: float = 1.0
    hips: float = 1.0
    arms: float = 1.0
    legs: float = 1.0
    head: float = 1.0
    girth: float = 1.0


def body_points(pose: Pose, build: Build) -> dict[str, Floats]:
    """Positions of the named points of a body (x right, y up, z towards the viewer), in body heights.

    The lowest point stands on y = ``pose.lift`` and the hips are at x = z = 0.
    """

    def along(angles: Angles, side: float) -> Floats:
        swing, forward = np.radians(angles)
        return np.array([side * np.sin(swing) * np.cos(forward), -np.cos(swing) * np.cos(forward), np.sin(forward)])

    tilt, bow = np.radians(pose.lean), np.radians(pose.bow)
    up = np.array([np.sin(tilt) * np.cos(bow), np.cos(tilt) * np.cos(bow), np.sin(bow)])
    across = np.array([np.cos(tilt), -np.sin(tilt), 0.0])
    at: dict[str, Floats] = {"pelvis": np.zeros(3)}
    at["neck"] = up * 0.3
    for name, side in (("r", -1.0), ("l", 1.0)):
        at[f"{name}_hip"] = across * (side * 0.058 * build.hips)
        at[f"{name}_shoulder"] = at["neck"] + across * (side * 0.102 * build.shoulders) - up * 0.012
        chain = (
            ("shoulder", "upper_arm", "elbow", build.arms),
            ("elbow", "forearm", "wrist", build.arms),
            ("hip", "thigh", "knee", build.legs),
            ("knee", "shin", "ankle", build.legs),
        )
        for start, limb, end, factor in chain:
            step = along(pose.limbs[f"{name}_{limb}"], side)
            at[f"{name}_{end}"] = at[f"{name}_{start}"] + step * (LENGTHS[limb] * factor)
        shin = at[f"{name}_ankle"] - at[f"{name}_knee"]
        shin = shin / np.linalg.norm(shin)
        toe = np.array([side * 0.42, -0.12, 0.9])
        toe = toe - shin * min(0.0, float(toe @ shin)) if shin[1] < -0.5 else toe * 0.2 + shin
        at[f"{name}_toe"] = at[f"{name}_ankle"] + toe / np.linalg.norm(toe) * 0.075
        hand = at[f"{name}_wrist"] - at[f"{name}_elbow"]
        at[f"{name}_hand"] = at[f"{name}_wrist"] + hand / np.linalg.norm(hand) * 0.04
    nod = tilt * 0.6 + np.radians(pose.head)
    head_up = np.array([np.sin(nod), np.cos(nod), 0.25 * up[2]])
    at["head"] = at["neck"] + up * 0.035 + head_up * (0.085 * build.head)
    frame = np.stack([np.array([np.cos(nod), -np.sin(nod), 0.0]), head_up, np.array([0.0, 0.0, 1.0])], axis=1)
    frame = frame @ yawed(pose.look)
    r = 0.07 * build.head
    for name, spot in (
        ("nose", (0, -0.12, 1.0)),
        ("r_eye", (-0.36, 0.16, 0.86)),
        ("l_eye", (0.36, 0.16, 0.86)),
        ("r_ear", (-0.96, 0.0, 0.0)),
        ("l_ear", (0.96, 0.0, 0.0)),
        ("chin", (0, -0.86, 0.5)),
        ("crown", (0, 1.0, 0.0)),
        ("nape", (0, -0.5, -0.9)),
    ):
        at[name] = at["head"] + frame @ np.array(spot) * r
    spin = yawed(pose.turn)
    turned = {name: spin @ point for name, point in at.items()}
    floor = min(
        min(float(turned[f"{s}_ankle"][1]) - 0.035 for s in "rl"),
        min(float(turned[f"{s}_toe"][1]) - 0.012 for s in "rl"),
        min(float(turned[f"{s}_knee"][1]) - 0.05 for s in "rl"),
        -0.085,
    )
    return {name: point - np.array([0.0, floor - pose.lift, 0.0]) for name, point in turned.items()}


def keypoints(at: Mapping[str, Floats]) -> Floats:
    """The 18 keypoints (18, 3) in OpenPose's order; the neck is the middle of the shoulders."""
    middle = (at["r_shoulder"] + at["l_shoulder"]) / 2
    return np.array([middle if name == "neck" else at[name] for name in KEYPOINT_NAMES])


def flip(points: Floats, width: float) -> Floats:
    """Keypoints (18, 2) of the mirrored picture: x reversed, and right and left renamed as a viewer would."""
    return np.stack([width - points[:, 0], points[:, 1]], axis=1)[_SWAP]
