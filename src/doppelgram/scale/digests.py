"""A set of SHA-256 digests in 32 bytes each, where a set of texts takes 150."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

_BYTES = 32


class Digests:
    """Digests that can be asked for, and kept as the bytes of a file.

    Args:
        data: the digests in ascending order, one after the other.
    """

    def __init__(self, data: bytes = b"") -> None:
        self.data = data
        self._sorted = np.frombuffer(data, dtype=f"S{_BYTES}")

    @classmethod
    def of(cls, digests: Iterable[str]) -> Digests:
        """Of digests in hexadecimal."""
        return cls(b"".join(sorted({bytes.fromhex(digest) for digest in digests})))

    def __contains__(self, digest: object) -> bool:
        wanted = bytes.fromhex(str(digest))
        place = int(np.searchsorted(self._sorted, np.array(wanted, dtype=f"S{_BYTES}")))
        start = place * _BYTES
        return len(wanted) == _BYTES and self.data[start : start + _BYTES] == wanted

    def __len__(self) -> int:
        return len(self._sorted)

    @property
    def key(self) -> str:
        """The same for the same set."""
        return hashlib.sha256(self.data).hexdigest()
