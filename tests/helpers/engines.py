"""Engines for tests: workers in this process, and what goes wrong at a chosen moment."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from doppelgram.scale.worker import Order, Worker


class Here:
    """One worker in this process; it stops after so many parts, as a killed one would."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.stop_after = stop_after
        self.done: list[str] = []

    def run(self, order: Order, parts: Sequence[str]) -> Generator[str, None, None]:
        worker = Worker(order)
        for number, part in enumerate(parts):
            if number == self.stop_after:
                raise KeyboardInterrupt
            self.done.append(worker.do(part))
            yield part
