"""What the towers of an arrangement model are shown of a photograph: the place without people, one person cut out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from doppelgram.images.framing import Framing
from doppelgram.pose.people import People
from doppelgram.pose.segmenter import enlarged
from doppelgram.pose.skeleton import KEYPOINT_NAMES, present

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]

# A person's square is this much larger than the box of what is known of the person.
MARGIN = 1.2
# Joints end at eyes, wrists and ankles: where the person's outline is known, the box is grown to it, by at most this
# share of its longer side on each side, since an outline may hold several people.
GROWN = 0.35
# An outline belongs to a person if at least so many joints lie on it.
_JOINTS_ON_IT = 3
# An outline without a skeleton counts as a person from this share of the photograph on.
SMALLEST_OUTLINE = 0.01
# Outlines are drawn this share of the long side wider before they are painted over: hair and shadows tell of people.
WIDER = 0.02
# Beyond the photograph's edge lies grey, which after normalisation is close to "no signal".
_GREY = 128
# Joints of less confidence do not count for a box, unless there are hardly any others.
_SURE = 0.2
# Outlines need no more pixels than that along their long side.
_COARSE = 256


@dataclass(frozen=True)
class Person:
    """One person as the pose towers see one.

    Attributes:
        keypoints: (18, 3) in pixels of the photograph; all missing for a person of whom only the outline was found.
        x: middle of the square that is cut out.
        y: middle of the square.
        side: of the square in pixels.
    """

    keypoints: NDArray[Any]
    x: float
    y: float
    side: float


def without_people(pixels: Pixels, mask: Mask) -> Pixels:
    """The photograph with its people painted over in the mean colour of all the rest.

    Args:
        pixels: uint8 (h, w, 3).
        mask: bool (h, w), true where a person is; it is widened by `WIDER`. Where it then is true everywhere the
            photograph stays as it is.

    Returns:
        uint8 (h, w, 3); the input itself where nothing is covered.
    """
    if not mask.any():
        return pixels
    mask = widened(mask)
    if mask.all():
        return pixels
    covered = pixels.copy()
    covered[mask] = pixels[~mask].mean(axis=0).round().astype(np.uint8)
    return covered


def widened(mask: Mask) -> Mask:
    """The mask, bool (h, w), drawn wider by `WIDER` of its long side."""
    from scipy.ndimage import maximum_filter

    height, width = mask.shape
    small = _coarse(mask)
    reach = round(WIDER * max(small.shape))
    return enlarged(maximum_filter(small, 2 * reach + 1), width, height) | mask


def persons(people: People, mask: Mask | None, most: int) -> list[Person]:
    """Those whose poses are embedded: at most ``most`` people, or the largest outline where nobody was found.

    Args:
        people: found in a photograph, in its pixels.
        mask: bool (h, w), where people cover it; None where nobody looked.
        most: how many.
    """
    outlines = _outlines(mask) if mask is not None and mask.any() else None
    found = []
    for keypoints in people.most_prominent(most).keypoints:
        low, high = _box_of_joints(keypoints)
        if outlines is not None:
            low, high = _grown(low, high, keypoints, *outlines)
        found.append(_person(keypoints, low, high))
    if not found and outlines is not None and mask is not None:
        labels, scale = outlines
        sizes = np.bincount(labels.ravel())[1:]
        if sizes.max() >= SMALLEST_OUTLINE * labels.size:
            low, high = _box_of_outline(labels, int(sizes.argmax()) + 1, scale)
            nothing = np.full((len(KEYPOINT_NAMES), 3), np.nan, dtype=np.float32)
            nothing[:, 2] = 0
            found.append(_person(nothing, low, high))
    return found


def person_view(pixels: Pixels, person: Person, framing: Framing) -> Pixels:
    """One person cut out as a square of ``framing.size`` pixels, grey beyond the photograph's edge."""
    height, width = pixels.shape[:2]
    # Wherever joints are said to be, the square touches the photograph and is at most three times as large.
    side = min(person.side, 3.0 * max(width, height))
    x, y = min(max(person.x, 0.0), float(width)), min(max(person.y, 0.0), float(height))
    left, top, right, bottom = (round(v) for v in (x - side / 2, y - side / 2, x + side / 2, y + side / 2))
    canvas = np.full((bottom - top, right - left, 3), _GREY, dtype=np.uint8)
    inside = pixels[max(top, 0) : min(bottom, height), max(left, 0) : min(right, width)]
    if inside.size:
        at_y, at_x = max(top, 0) - top, max(left, 0) - left
        canvas[at_y : at_y + inside.shape[0], at_x : at_x + inside.shape[1]] = inside
    return framing.apply(Image.fromarray(canvas))


def _person(keypoints: NDArray[Any], low: NDArray[np.float64], high: NDArray[np.float64]) -> Person:
    x, y = (low + high) / 2
    return Person(keypoints, float(x), float(y), max(8.0, MARGIN * float((high - low).max())))


def _box_of_joints(keypoints: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    known = present(keypoints)
    sure = known & (keypoints[:, 2] >= _SURE)
    points = keypoints[sure if sure.sum() > _JOINTS_ON_IT else known, :2].astype(np.float64)
    return points.min(axis=0), points.max(axis=0)


def _coarse(mask: Mask) -> Mask:
    height, width = mask.shape
    scale = min(1.0, _COARSE / max(height, width))
    return enlarged(mask, max(1, round(width * scale)), max(1, round(height * scale)))


def _outlines(mask: Mask) -> tuple[NDArray[np.int32], NDArray[np.float64]] | None:
    """Connected parts of a mask, numbered from 1, on a coarser grid, and pixels to one of its cells along x and y."""
    from scipy.ndimage import label

    small = _coarse(mask)
    if not small.any():
        return None
    labels = np.asarray(label(small)[0], dtype=np.int32)
    return labels, np.array([mask.shape[1] / small.shape[1], mask.shape[0] / small.shape[0]])


def _box_of_outline(
    labels: NDArray[np.int32], number: int, scale: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rows, columns = np.nonzero(labels == number)
    low, high = np.array([columns.min(), rows.min()]), np.array([columns.max() + 1, rows.max() + 1])
    return low * scale, high * scale


def _grown(
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    keypoints: NDArray[Any],
    labels: NDArray[np.int32],
    scale: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A box of joints grown towards the outline on which most of them lie."""
    points = keypoints[present(keypoints), :2].astype(np.float64)
    columns, rows = np.clip((points / scale).astype(int), 0, np.array(labels.shape[::-1]) - 1).T
    votes = np.bincount(labels[rows, columns], minlength=2)
    votes[0] = 0
    if votes.max() < _JOINTS_ON_IT:
        return low, high
    outer_low, outer_high = _box_of_outline(labels, int(votes.argmax()), scale)
    reach = GROWN * float((high - low).max())
    return np.maximum(np.minimum(low, outer_low), low - reach), np.minimum(np.maximum(high, outer_high), high + reach)
