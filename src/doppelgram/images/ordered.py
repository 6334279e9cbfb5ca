"""A function applied to many files in threads, results in the order of the input."""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

S = TypeVar("S")
T = TypeVar("T")

# Enough to keep every thread busy while results are taken, and few enough to bound the memory they hold.
AHEAD = 4


def processors() -> int:
    """Number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_order(
    function: Callable[[S], T], items: Iterable[S], workers: int | None = None, ahead: int = 0
) -> Generator[T, None, None]:
    """Apply a function in threads and yield the results in order, with a bounded number of them under way.

    Args:
        function: what is done to each item; Pillow and hashing release the interpreter's lock.
        items: the input.
        workers: number of threads; one a processor by default.
        ahead: results that may lie ready while nobody takes one; at least four a thread.
    """
    count = workers or processors()
    most = max(AHEAD * count, ahead)
    pool = ThreadPoolExecutor(count, thread_name_prefix="images")
    pending: deque[Future[T]] = deque()
    try:
        for item in items:
            pending.append(pool.submit(function, item))
            if len(pending) >= most:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        # After an interruption nothing new is begun, and the files under way are not waited for.
        pool.shutdown(wait=False, cancel_futures=True)
