"""Work in a process of its own: what crashes, hangs or eats memory there never takes the page with it."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from doppelgram.errors import DoppelgramError, Interrupted

# A fresh interpreter: a fork would copy locks that threads of the server hold.
_CONTEXT = multiprocessing.get_context("spawn")
_STOP_SECONDS = 5.0


class Child:
    """A process that runs one function and talks over a pipe.

    Args:
        target: a function of a module, called with the pipe's other end and ``arguments``; all must be picklable.
        arguments: of the function.
    """

    def __init__(self, target: Callable[..., None], *arguments: Any) -> None:
        self.connection, other = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(target=_run, args=(other, target, arguments), daemon=True)
        self._process.start()
        other.close()

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.is_alive()

    def interrupt(self) -> None:
        """What Ctrl-C does: the work ends in a state from which it can go on."""
        if self._process.pid is not None and self.alive:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGINT)

    def stop(self) -> None:
        """End the process, at once if it does not end by itself."""
        self.connection.close()
        if self.alive:
            self._process.terminate()
        self._process.join(_STOP_SECONDS)
        if self.alive:
            self._process.kill()
            self._process.join(_STOP_SECONDS)


def _run(connection: Connection, target: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    with suppress(EOFError, BrokenPipeError, ConnectionResetError, KeyboardInterrupt):
        target(connection, *arguments)


def plain(problem: BaseException) -> str:
    """One sentence for the person at the page."""
    if isinstance(problem, Interrupted | KeyboardInterrupt):
        return "stopped; what was finished is kept"
    if isinstance(problem, DoppelgramError):
        return str(problem)
    if isinstance(problem, MemoryError):
        return "there is not enough memory for this"
    return f"this failed unexpectedly ({type(problem).__name__}: {' '.join(str(problem).split())[:160]})"
