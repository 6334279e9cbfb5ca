"""Skeletons as pictures: masks for networks, and coloured over a photograph for people."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from doppelgram.pose.skeleton import KEYPOINT_NAMES, LIMBS, present

RGB = tuple[int, int, int]

# The body's right side warm, its left side cool, head and neck between, so that a mirrored pose looks different. Okabe
# and Ito's colours, told apart by everybody.
_RIGHT_ARM, _RIGHT_LEG, _LEFT_ARM, _LEFT_LEG, _HEAD = (
    (230, 159, 0),
    (213, 94, 0),
    (86, 180, 233),
    (0, 114, 178),
    (204, 121, 167),
)
_INK: RGB = (22, 26, 32)
_PAPER: RGB = (255, 255, 255)
# Joints below this are drawn fainter.
_SURE = 0.3
_FAINT = 0.55
# Limbs are no thicker than this share of the person.
_PEN = 0.035
_ARM, _HEAD_JOINTS = ("shoulder", "elbow", "wrist"), (0, 1, 14, 15, 16, 17)


def limb_colour(limb: int) -> RGB:
    """Colour of one of `LIMBS`."""
    return joint_colour(LIMBS[limb][1])


def joint_colour(joint: int) -> RGB:
    """Colour of one of `KEYPOINT_NAMES`."""
    if joint in _HEAD_JOINTS:
        return _HEAD
    name = KEYPOINT_NAMES[joint]
    arm = name[2:] in _ARM
    if name[0] == "r":
        return _RIGHT_ARM if arm else _RIGHT_LEG
    return _LEFT_ARM if arm else _LEFT_LEG


def skeleton_mask(
    keypoints: NDArray[Any],
    frame: tuple[int, int],
    size: tuple[int, int],
    kind: Literal["rgb", "joints"] = "rgb",
    *,
    thickness: float = 0.02,
) -> NDArray[np.float32]:
    """Skeletons on black, with smooth edges, float32 (height, width, channels) from 0 to 1.

    Args:
        keypoints: people (p, 18, 3) in pixels of the photograph.
        frame: width and height of the photograph.
        size: width and height of the mask, into which the photograph is squashed.
        kind: ``rgb``, limbs and joints in their colours, people in front of one another as they are ranked; or
            ``joints``, 18 channels, each a disc at one joint.
        thickness: of a limb as a share of the mask's longer side.
    """
    width, height = size
    scale = np.array([width / frame[0], height / frame[1]])
    radius = max(0.5, thickness * max(size) / 2)
    channels = 3 if kind == "rgb" else len(KEYPOINT_NAMES)
    mask: NDArray[np.float32] = np.zeros((height, width, channels), dtype=np.float32)
    for person in np.asarray(keypoints, dtype=np.float64)[::-1]:  # the most prominent one is drawn last, on top
        points, known = person[:, :2] * scale, present(person)
        if kind == "joints":
            for joint in np.flatnonzero(known).tolist():
                _paint(mask[..., joint : joint + 1], points[joint], points[joint], 1.5 * radius, (255,), 1.0)
            continue
        for number, (start, end) in enumerate(LIMBS):
            if known[start] and known[end]:
                _paint(mask, points[start], points[end], radius, limb_colour(number), 1.0)
        for joint in np.flatnonzero(known).tolist():
            _paint(mask, points[joint], points[joint], 1.4 * radius, joint_colour(joint), 1.0)
    return mask


def overlay(
    image: Image.Image, keypoints: NDArray[Any], *, faint: NDArray[Any] | None = None, thickness: float = 0.014
) -> Image.Image:
    """A photograph with people's skeletons drawn over it, RGB.

    Limbs are coloured on a dark rim, to be seen before any ground; joints are white-rimmed dots. What the estimator
    doubts is drawn fainter.

    Args:
        image: the photograph, or a smaller copy: then scale the keypoints alike.
        keypoints: people (p, 18, 3) in pixels of ``image``, the most prominent first, who is drawn on top.
        faint: bool (p,), who is drawn fainter altogether; nobody by default.
        thickness: of a limb as a share of the picture's longer side.
    """
    canvas: NDArray[np.float32] = np.array(image.convert("RGB"), dtype=np.float32) / np.float32(255)
    people = np.asarray(keypoints, dtype=np.float64)
    for number in reversed(range(len(people))):
        person = people[number]
        known, points = present(person), person[:, :2]
        # Those who are small are drawn with a finer pen.
        tall = float(np.hypot(*np.ptp(points[known], axis=0))) if known.any() else 0.0
        radius = max(1.0, min(thickness * max(image.size), _PEN * tall) / 2)
        rim = radius + max(0.8, 0.45 * radius)
        strength = np.where(person[:, 2] >= _SURE, 1.0, _FAINT)
        if faint is not None and faint[number]:
            strength = strength * _FAINT
        limbs = [(limb, a, b) for limb, (a, b) in enumerate(LIMBS) if known[a] and known[b]]
        for _, start, end in limbs:
            opacity = 0.8 * min(strength[start], strength[end])
            _paint(canvas, points[start], points[end], rim, _INK, opacity)
        for limb, start, end in limbs:
            opacity = min(strength[start], strength[end])
            _paint(canvas, points[start], points[end], radius, limb_colour(limb), opacity)
        for joint in np.flatnonzero(known).tolist():
            # Eyes and ears lie close together.
            size = 1.0 if joint >= 14 else 1.45
            _paint(canvas, points[joint], points[joint], size * radius, _PAPER, strength[joint])
            _paint(canvas, points[joint], points[joint], size * radius * 0.66, joint_colour(joint), strength[joint])
    return Image.fromarray(np.rint(canvas * 255).astype(np.uint8))


def _paint(
    canvas: NDArray[np.float32],
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    radius: float,
    colour: tuple[int, ...],
    opacity: float,
) -> None:
    """Blend a line with round ends into (h, w, c), covering each pixel by how much of it lies inside."""
    height, width = canvas.shape[:2]
    left, top = (max(0, math.floor(min(start[axis], end[axis]) - radius - 1)) for axis in (0, 1))
    right = min(width, math.ceil(max(start[0], end[0]) + radius + 1))
    bottom = min(height, math.ceil(max(start[1], end[1]) + radius + 1))
    if left >= right or top >= bottom:
        return
    x = np.arange(left, right) + 0.5 - start[0]
    y = (np.arange(top, bottom) + 0.5 - start[1])[:, None]
    along = end - start
    length = float(along @ along)
    share = np.clip((x * along[0] + y * along[1]) / length, 0, 1) if length > 0 else np.zeros((y.size, x.size))
    distance = np.hypot(x - share * along[0], y - share * along[1])
    covered = (np.clip(radius - distance + 0.5, 0, 1) * opacity)[..., None].astype(np.float32)
    part = canvas[top:bottom, left:right]
    part += covered * (np.array(colour, dtype=np.float32) / 255 - part)
