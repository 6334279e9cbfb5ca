"""Rows into a catalog while the next ones are computed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from doppelgram.catalog.embed import Chunk
from doppelgram.catalog.store import Catalog


class Writer:
    """Appends chunks to a catalog in a thread of its own, one at a time and in order.

    Leaving the context waits for the append that is under way, also where an interruption leaves it: an append is
    whole or not there at all.
    """

    def __init__(self, catalog: Catalog, written: Callable[[Chunk, int], None]) -> None:
        """Take the catalog, and what is called, in the caller's thread, with each chunk and how many rows were new."""
        self._catalog, self._written = catalog, written
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="catalog")
        self._pending: tuple[Chunk, Future[int]] | None = None

    def put(self, chunk: Chunk) -> None:
        """Append a chunk when the one before is written.

        Raises:
            DoppelgramError: the one before could not be written.
        """
        self._settle()
        self._pending = chunk, self._pool.submit(self._catalog.add, chunk.rows)

    def _settle(self) -> None:
        if self._pending is not None:
            chunk, inserted = self._pending
            self._pending = None
            self._written(chunk, inserted.result())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._settle()
        finally:
            self._pool.shutdown(wait=True)
