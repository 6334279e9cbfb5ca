"""People cut out of photographs and set before others, so that a network learns to look past whoever stands there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import label

from doppelgram.images.read import Photograph
from doppelgram.pose.extras import MASK

Pixels = NDArray[np.uint8]
# Outlines smaller or larger than these shares of a photograph are crumbs, or crowds and close-ups.
_SMALLEST, _LARGEST = 0.01, 0.6
# Height of a person who is set before a photograph, as a share of the photograph's.
_HEIGHTS = (0.35, 0.95)
# People before one photograph, and how often each number is drawn.
_COUNTS, _SHARES = (0, 1, 2), (0.15, 0.65, 0.2)
_KEPT = 320


@dataclass(frozen=True)
class CutOut:
    """One person without what is behind.

    Attributes:
        pixels: uint8 (h, w, 4), the last channel being the outline.
    """

    pixels: Pixels


def cut_outs(photographs: Iterable[Photograph]) -> list[CutOut]:
    """The largest person of each photograph, by its `MASK`; photographs without one of a usable size give none."""
    found = []
    for photograph in photographs:
        if photograph.pixels is None or MASK not in photograph.extras:
            continue
        height, width = photograph.pixels.shape[:2]
        parts, count = label(photograph.extras[MASK].at(width, height))
        if not count:
            continue
        sizes = np.bincount(parts.ravel())[1:]
        largest = parts == int(sizes.argmax()) + 1
        if not _SMALLEST <= largest.mean() <= _LARGEST:
            continue
        rows, columns = np.flatnonzero(largest.any(1)), np.flatnonzero(largest.any(0))
        box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        person = np.dstack([photograph.pixels[box], largest[box].astype(np.uint8) * 255])
        image = Image.fromarray(person)
        image.thumbnail((_KEPT, _KEPT))
        found.append(CutOut(np.asarray(image)))
    return found


def with_people(pixels: Pixels, people: Sequence[CutOut], generator: np.random.Generator) -> Pixels:
    """Photographs with people set before them at random: mostly one, standing on the lower edge or near it.

    Args:
        pixels: uint8 (n, side, side, 3).
        people: to draw from.
        generator: decides who stands where.

    Returns:
        A changed copy.
    """
    found = pixels.copy()
    side = pixels.shape[1]
    for image in found:
        for _ in range(generator.choice(_COUNTS, p=_SHARES)):
            person = Image.fromarray(people[int(generator.integers(len(people)))].pixels)
            if generator.random() < 0.5:
                person = person.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
            scale = generator.uniform(*_HEIGHTS) * side / max(person.size)
            size = [max(1, round(length * scale)) for length in person.size]
            drawn = np.asarray(person.resize((size[0], size[1])), dtype=np.float32)
            left = int(generator.integers(-size[0] // 4, max(1, side - size[0] * 3 // 4)))
            top = side - size[1] - int(generator.integers(0, max(1, (side - size[1]) // 3 + 1)))
            inside = image[max(top, 0) : top + size[1], max(left, 0) : left + size[0]]
            drawn = drawn[max(-top, 0) :, max(-left, 0) :][: inside.shape[0], : inside.shape[1]]
            alpha = drawn[:, :, 3:] / 255
            inside[:] = (alpha * drawn[:, :, :3] + (1 - alpha) * inside).round().astype(np.uint8)
    return found
