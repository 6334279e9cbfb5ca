"""One job at a time in a catalog that is a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from doppelgram.errors import DoppelgramError


@contextmanager
def alone(place: str) -> Iterator[bool]:
    """Hold a lock on a folder of plans, which ends with this process however that ends.

    An object store has no such lock, nor has every system: two jobs at a time then do the work twice, and each takes
    out the rows that are there twice.

    Yields:
        Whether it is certain that nobody else is at work.

    Raises:
        DoppelgramError: another job is under way.
    """
    try:
        import fcntl
    except ImportError:
        fcntl = None  # type: ignore[assignment]
    if "://" in place or fcntl is None:
        yield False
        return
    Path(place).mkdir(parents=True, exist_ok=True)
    file = os.open(Path(place) / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            folder = Path(place).parent
            raise DoppelgramError(
                f"{folder}: another `doppelgram index` is at work in this catalog; wait until it has ended"
            ) from None
        yield True
    finally:
        os.close(file)
