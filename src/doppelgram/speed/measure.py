"""Rates of a machine, each measured alone for a few seconds."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from doppelgram.errors import DoppelgramError
from doppelgram.images.read import Want, read
from doppelgram.models.model import Model
from doppelgram.models.runtime import Runtime
from doppelgram.space.euclidean import EuclideanSpace

SEARCHED, SEARCHED_DIM = 1_000_000, 64
_SECONDS = 4.0
_MOST_PHOTOGRAPHS = 20_000
_PIECE = 64
_WRITTEN = 256 * 1024 * 1024


def repeated(work: Callable[[], int], seconds: float = _SECONDS) -> float:
    """Units of work a second, repeated for so long; the first time, in which things are prepared, does not count."""
    work()
    done, start = 0, time.perf_counter()
    while True:
        done += work()
        passed = time.perf_counter() - start
        if passed >= seconds:
            return done / passed


def reading_rate(paths: Sequence[Path], want: Want, seconds: float = _SECONDS) -> float:
    """Photographs read, decoded and framed a second, by all processors.

    Raises:
        DoppelgramError: none of them can be read.
    """
    done, start = 0, time.perf_counter()
    repeats = list(islice(cycle(paths), _MOST_PHOTOGRAPHS))
    # Copies are wanted: the same files are read again and again.
    with closing(read(repeats, want, keep_duplicates=True, ahead=_PIECE)) as photographs:
        for number, photograph in enumerate(photographs, start=1):
            done += photograph.usable
            if time.perf_counter() - start > seconds and number >= len(paths[:_PIECE]):
                break
    if not done:
        raise DoppelgramError("none of the photographs can be read")
    return done / (time.perf_counter() - start)


def embedding_rate(model: Model, pixels: NDArray[np.uint8], runtime: Runtime, seconds: float = _SECONDS) -> float:
    """Images a second that a model embeds by a runtime; ``pixels`` are framed, uint8 (n, size, size, 3)."""
    tower = model.with_runtime(runtime).tower

    def work() -> int:
        tower.run(pixels)
        return len(pixels)

    return repeated(work, seconds)


def searching_rate(rows: int = SEARCHED, dim: int = SEARCHED_DIM, seconds: float = _SECONDS) -> float:
    """Questions a second, one at a time, that are answered exactly among so many vectors."""
    generator = np.random.default_rng(0)
    gallery = generator.standard_normal((rows, dim), dtype=np.float32)
    index = EuclideanSpace(dim).index(gallery)

    def work() -> int:
        index.nearest(gallery[:1], 10)
        return 1

    return repeated(work, seconds)


def writing_rate(folder: Path, size: int = _WRITTEN) -> float:
    """Bytes a second that reach the disk of a folder, in a file that is deleted afterwards.

    Raises:
        DoppelgramError: nothing can be written there.
    """
    file = folder / f".doppelgram-bench-{os.getpid()}"
    block = np.random.default_rng(0).bytes(min(size, 4 * 1024 * 1024))
    try:
        start = time.perf_counter()
        with file.open("wb", buffering=0) as stream:
            for _ in range(max(1, size // len(block))):
                stream.write(block)
            os.fsync(stream.fileno())
        return max(1, size // len(block)) * len(block) / (time.perf_counter() - start)
    except OSError as problem:
        raise DoppelgramError(f"{folder}: cannot be written to: {problem.strerror or problem}") from None
    finally:
        file.unlink(missing_ok=True)
