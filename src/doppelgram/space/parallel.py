"""Blocks of array work spread over the cores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from doppelgram.images.ordered import processors

# Each core holds a block of its own, so their number bounds the memory.
_MOST = 8
# Blocks from which on threads are worth starting where a block takes a millisecond or less.
_WORTH = 128


def in_parallel(work: Callable[[int], None], starts: Sequence[int]) -> None:
    """Call ``work`` with every start, on as many threads as there are cores (8 at most).

    NumPy lets go of the interpreter lock in its loops, so threads run side by side. Meanwhile BLAS is held to one
    thread a call: otherwise each core's matrix product would start threads on all the others and wait for them.
    """
    workers = min(processors(), _MOST, len(starts))
    if workers < 2:
        for start in starts:
            work(start)
        return
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    with threadpool_limits(limits=1, user_api="blas"), ThreadPoolExecutor(workers) as pool:
        for _ in pool.map(work, starts):
            pass


def in_blocks(work: Callable[[int], None], starts: Sequence[int]) -> None:
    """Call ``work`` with every start; on threads where there are many. For short work without matrix products."""
    workers = min(processors(), _MOST) if len(starts) >= _WORTH else 1
    if workers < 2:
        for start in starts:
            work(start)
        return
    share = -(-len(starts) // workers)

    def some(first: int) -> None:
        for start in starts[first : first + share]:
            work(start)

    with ThreadPoolExecutor(workers) as pool:
        for _ in pool.map(some, range(0, len(starts), share)):
            pass
