"""Copies of a photograph: the same bytes, or files that look all but the same whatever the metric says of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doppelgram.errors import DoppelgramError
from doppelgram.space.euclidean import EuclideanSpace
from doppelgram.space.exact import Float32, Float64, Int64

GRID = 16
# Difference of appearance, in units of the pictures' own contrast, up to which two files count as one photograph.
# Crops of 64 pixels saved again as JPEG move by 0.02 (quality 90) to 0.09 (30), larger pictures by less; photographs of
# the same kind of sign in two places are seldom nearer than 0.11.
NEAR = 0.1
# Grey levels added to the contrast, so that noise does not decide about two flat pictures.
_FLAT = 4.0
_NEIGHBOURS = 8


@dataclass(frozen=True)
class CopyGroup:
    """Files that are one photograph.

    Attributes:
        rows: rows of the files, ascending, two or more.
        difference: largest difference of appearance by which the group hangs together; 0 for the same bytes.
        same_bytes: whether all files have the same content.
    """

    rows: tuple[int, ...]
    difference: float
    same_bytes: bool


def appearance(pixels: NDArray[np.uint8], *, block: int = 1024) -> Float32:
    """What a picture looks like from afar: its mean colours on a 16 x 16 grid, brightness and contrast evened out.

    Args:
        pixels: uint8 (n, height, width, 3) with sides of 16 or more.
        block: images handled at a time.

    Returns:
        (n, 768) float32, scaled so that the Euclidean distance of two rows is the root mean square difference of
        their colours in units of the pictures' contrast: 0 for equal pictures, about 1.4 for unrelated ones.

    Raises:
        DoppelgramError: the images are too small.
    """
    side = min(pixels.shape[1:3])
    if side < GRID:
        raise DoppelgramError(f"images of {side} pixels a side are too small to be compared; they need {GRID} or more")
    rows, columns = (np.linspace(0, size, GRID + 1).round().astype(np.int64) for size in pixels.shape[1:3])
    area = (np.diff(rows)[:, None] * np.diff(columns)[None, :])[None, :, :, None]
    found = np.empty((len(pixels), GRID * GRID * 3), dtype=np.float32)
    for start in range(0, len(pixels), block):
        part = pixels[start : start + block].astype(np.float32)
        sums = np.add.reduceat(np.add.reduceat(part, rows[:-1], axis=1), columns[:-1], axis=2)
        flat = (sums / area).reshape(len(part), -1)
        flat -= flat.mean(axis=1, keepdims=True)
        flat /= flat.std(axis=1, keepdims=True) + _FLAT
        found[start : start + len(part)] = flat / np.sqrt(flat.shape[1])
    return found


def copies(content: NDArray[Any], looks: Any, *, near: float = NEAR) -> list[CopyGroup]:
    """Group files that are copies of each other, exact or re-encoded.

    Each image is compared with the 8 that look most like it, so a chain of copies is followed from one to the next.
    Memory is O(block x n).

    Args:
        content: (n,) content hash of each file.
        looks: (n, d) as `appearance` gives it.
        near: difference of appearance up to which two files count as one photograph.

    Returns:
        Groups of two rows or more, by their first row.

    Raises:
        DoppelgramError: `looks` does not fit, or holds a NaN.
    """
    if len(content) != len(looks):
        raise DoppelgramError(f"there are {len(content)} content hashes but {len(looks)} pictures; give one for each")
    _, first, inverse = np.unique(content, return_index=True, return_inverse=True)
    one = np.asarray(looks)[first]
    rows = np.arange(len(one))
    found, distances, *_ = EuclideanSpace(one.shape[1]).index(one, rows).nearest(one, _NEIGHBOURS, query_ids=rows)
    left, place = np.nonzero(distances <= near)
    right, difference = found[left, place], distances[left, place].astype(np.float64)
    roots, worst = _components(len(one), left, right, difference)
    groups: dict[int, list[int]] = {}
    for row, root in enumerate(roots[inverse].tolist()):
        groups.setdefault(root, []).append(row)
    return [
        CopyGroup(tuple(rows), float(worst[root]), len(set(inverse[rows].tolist())) == 1)
        for root, rows in groups.items()
        if len(rows) > 1
    ]


def _components(n: int, left: Int64, right: Int64, length: Float64) -> tuple[Int64, Float64]:
    """Root of each of n items joined by edges, and for each root the longest edge that was needed to join it."""
    parent = list(range(n))
    worst = np.zeros(n)

    def root(item: int) -> int:
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    for edge in np.argsort(length, kind="stable").tolist():
        a, b = sorted((root(int(left[edge])), root(int(right[edge]))))
        if a != b:
            parent[b] = a
            worst[a] = max(worst[a], worst[b], length[edge])
    return np.array([root(item) for item in range(n)], dtype=np.int64), worst
