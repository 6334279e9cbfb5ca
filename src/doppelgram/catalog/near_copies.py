"""Which images of a catalog show the same photograph, by the small pictures that it keeps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from doppelgram.catalog.store import Catalog
from doppelgram.images.near_copies import WORDS, hash_of_jpeg, same_photograph

_AT_ONCE = 256


def photograph_numbers(store: Catalog, ids: Sequence[str]) -> NDArray[np.int64]:
    """A number for each id, the same for copies and near-copies of one photograph, (n,); see `same_photograph`."""
    known: dict[str, NDArray[np.uint64]] = {}
    once = sorted(set(ids))
    for start in range(0, len(once), _AT_ONCE):
        stored = store.find(once[start : start + _AT_ONCE], ["thumbnail"])["thumbnail"]
        known |= {str(one): hash_of_jpeg(data) for one, data in stored.items()}
    nothing = np.zeros(WORDS, dtype=np.uint64)
    hashes = np.array([known.get(one, nothing) for one in ids], dtype=np.uint64).reshape(-1, WORDS)
    return same_photograph(hashes, list(ids))
