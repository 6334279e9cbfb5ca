"""Blocks of array work spread over the cores."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

# Each core holds a block of its own, so their number bounds the memory.
_MOST = 8


def cores() -> int:
    """Cores this process may use, where the system tells; otherwise those of the machine."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_parallel(work: Callable[[int], None], starts: Sequence[int]) -> None:
    """Call ``work`` with every start, on as many threads as there are cores (8 at most).

    NumPy lets go of the interpreter lock in its loops, so threads run side by side. Meanwhile BLAS is held to one
    thread a call: otherwise each core's matrix product would start threads on all the others and wait for them.
    """
    workers = min(cores(), _MOST, len(starts))
    if workers < 2:
        for start in starts:
            work(start)
        return
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    with threadpool_limits(limits=1, user_api="blas"), ThreadPoolExecutor(workers) as pool:
        for _ in pool.map(work, starts):
            pass
