"""The same photograph posted again: perceptual hashes of small pictures, and which of them are next to equal.

A copy is made smaller, compressed anew, made brighter or given another tone. What stays is the sign of its low
frequencies: 256 of them, from the discrete cosine transform of 64x64 grey values, each 1 where it is above the median.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_SIDE, _KEPT = 64, 16
WORDS = _KEPT * _KEPT // 64
# Bits, of 256, in which copies may differ. Measured on rendered posts and on photographs of one place: see
# docs/decisions.md.
MOST_DIFFERENT = 32
# Standard deviation of grey values under which a picture has nothing to tell.
_FLAT = 4.0
# Comparisons of one block: 64 MB of products.
_BLOCK = 16_000_000


def perceptual_hash(image: Image.Image) -> NDArray[np.uint64]:
    """256 bits of an image, uint64 (WORDS,); zeros for one that is of one tone."""
    grey = np.asarray(image.convert("L").resize((_SIDE, _SIDE), Image.Resampling.BOX), dtype=np.float64)
    if grey.std() < _FLAT:
        return np.zeros(WORDS, dtype=np.uint64)
    low = (_COSINES @ grey @ _COSINES.T).ravel()
    bits = low > np.median(low[1:])
    return np.packbits(bits).view(np.uint64)


def hash_of_jpeg(data: bytes) -> NDArray[np.uint64]:
    """The hash of a small JPEG's bytes; zeros where there is no picture in them."""
    try:
        with Image.open(BytesIO(data), formats=["JPEG"]) as image:
            image.draft("L", (_SIDE, _SIDE))
            return perceptual_hash(image)
    except OSError:
        return np.zeros(WORDS, dtype=np.uint64)


def differing_bits(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> NDArray[np.int64]:
    """In how many bits (m,) the hashes of pairs differ, (m, WORDS) each."""
    return np.asarray(np.bitwise_count(one ^ other).sum(axis=1, dtype=np.int64))


def same_photograph(hashes: NDArray[np.uint64], digests: Sequence[str] = ()) -> NDArray[np.int64]:
    """A number for each photograph, the same for copies, (n,).

    Files with the same bytes are copies, and pictures whose hashes differ in `MOST_DIFFERENT` bits at most. All pairs
    are compared: by every second bit first, by matrix products (two rows of signs differ in (128 - their product) / 2
    places), and by all bits where those alone do not differ too much, which is rare among different photographs.

    Args:
        hashes: uint64 (n, WORDS); zeros are like nothing.
        digests: (n,) of the files' contents, if known.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(hashes)
    known = np.flatnonzero(hashes.any(axis=1)) if n else np.empty(0, dtype=np.int64)
    packed = np.ascontiguousarray(hashes[known]).view(np.uint8).reshape(len(known), 8 * WORDS)
    signs = np.unpackbits(packed, axis=1)[:, ::2].astype(np.float32) * 2 - 1
    left, right = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    rows = max(1, _BLOCK // max(len(known), 1))
    for start in range(0, len(known), rows):
        near = signs[start : start + rows] @ signs[start:].T >= signs.shape[1] - 2 * MOST_DIFFERENT
        one, other = (known[start + positions] for positions in np.nonzero(near))
        close = differing_bits(hashes[one], hashes[other]) <= MOST_DIFFERENT
        left.append(one[close])
        right.append(other[close])
    if len(digests):
        _, first, inverse = np.unique(np.asarray(digests, dtype=str), return_index=True, return_inverse=True)
        left.append(np.arange(n))
        right.append(first[inverse])
    ends = np.concatenate(left), np.concatenate(right)
    graph = coo_array((np.ones(len(ends[0])), ends), shape=(n, n))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def _cosines() -> NDArray[np.float64]:
    frequency, place = np.arange(_KEPT)[:, None], np.arange(_SIDE)[None]
    return np.asarray(np.cos(np.pi * frequency * (place + 0.5) / _SIDE))


_COSINES = _cosines()
