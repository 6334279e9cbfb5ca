"""Long work of the page: each job in a process of its own, with progress, and a way to stop it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from multiprocessing.connection import Connection
from typing import Any

from doppelgram.console import Advance
from doppelgram.errors import DoppelgramError, Interrupted
from doppelgram.web.child import Child, plain

RUNNING, DONE, STOPPED, FAILED = "running", "done", "stopped", "failed"
_KEPT = 50


class Busy(DoppelgramError):
    """Work of this kind is going on already."""


@dataclass
class Job:
    """One piece of long work.

    Attributes:
        number: 1 for the first of this server.
        kind: such as ``index``.
        title: what a person reads.
        state: ``running``, ``done``, ``stopped`` or ``failed``.
        step: what is being done at the moment.
        done: how many of the step's parts are finished.
        total: of how many; 0 if that is not known.
        message: how it ended, or the last remark.
        notes: remarks on the way.
        result: what the work gave, for the server itself.
    """

    number: int
    kind: str
    title: str
    state: str = RUNNING
    step: str = "starting"
    done: int = 0
    total: int = 0
    message: str = ""
    notes: list[str] = field(default_factory=list)
    result: Any = None


class Jobs:
    """The jobs of a server: one of a kind at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = count(1)
        self._jobs: dict[int, Job] = {}
        self._children: dict[int, Child] = {}

    def all(self) -> list[Job]:
        """The jobs, oldest first."""
        with self._lock:
            return list(self._jobs.values())

    def running(self, kind: str) -> Job | None:
        """The job of this kind that is going on."""
        return next((job for job in self.all() if job.kind == kind and job.state == RUNNING), None)

    def get(self, number: int) -> Job | None:
        """The job with this number."""
        with self._lock:
            return self._jobs.get(number)

    def start(
        self,
        kind: str,
        title: str,
        work: Callable[..., Any],
        *arguments: Any,
        after: Callable[[Any], str | None] | None = None,
        meanwhile: Callable[[], None] | None = None,
    ) -> Job:
        """Begin a job.

        Args:
            kind: of work.
            title: for people.
            work: a function of a module, called with a `Progress` and the arguments in a process of its own.
            arguments: of the work; picklable.
            after: called in this process with what the work gave; what it returns is the job's last message.
            meanwhile: called in this process now and then while the work goes on.

        Raises:
            Busy: a job of this kind is running.
        """
        with self._lock:
            if any(job.kind == kind and job.state == RUNNING for job in self._jobs.values()):
                raise Busy(f"such work is going on already ({title}); wait for it or stop it")
            job = Job(next(self._numbers), kind, title)
            self._jobs[job.number] = job
            for old in [number for number, one in self._jobs.items() if one.state != RUNNING][:-_KEPT]:
                del self._jobs[old]
            child = self._children[job.number] = Child(_work, work, arguments)
        threading.Thread(target=self._follow, args=(job, child, after, meanwhile), daemon=True).start()
        return job

    def cancel(self, number: int) -> Job | None:
        """Stop a job as Ctrl-C would; it ends a little later."""
        job = self.get(number)
        child = self._children.get(number)
        if job is not None and child is not None and job.state == RUNNING:
            child.interrupt()
        return job

    def close(self) -> None:
        """Stop all that is running."""
        for child in list(self._children.values()):
            child.interrupt()
        for child in list(self._children.values()):
            child.stop()

    def _follow(
        self,
        job: Job,
        child: Child,
        after: Callable[[Any], str | None] | None,
        meanwhile: Callable[[], None] | None,
    ) -> None:
        state, message = FAILED, "the process that did this work ended by itself; is there memory enough?"
        looked = time.monotonic()
        try:
            while True:
                spoke = child.connection.poll(1.0)
                if meanwhile is not None and time.monotonic() - looked >= 1.0:
                    meanwhile()
                    looked = time.monotonic()
                if not spoke:
                    if not child.alive and not child.connection.poll():
                        break
                    continue
                what, value = child.connection.recv()
                if what == "step":
                    job.step, job.done, job.total = value
                elif what == "advance":
                    job.done += value
                elif what == "note":
                    job.notes.append(value)
                    job.message = value
                elif what == "result":
                    job.result = value
                    state, message = DONE, (after(value) if after is not None else None) or job.message
                    break
                else:
                    state, message = (STOPPED if what == "stopped" else FAILED), value
                    break
        except (EOFError, OSError):
            pass
        except DoppelgramError as problem:  # what follows the work can be refused, too
            message = str(problem)
        finally:
            child.stop()
            self._children.pop(job.number, None)
            job.message, job.state = message, state


class PipeProgress:
    """Progress that is sent over a pipe."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @contextmanager
    def bar(self, what: str, total: int) -> Iterator[Advance]:
        """Say what begins, and then how far it is."""
        self._connection.send(("step", (what, 0, total)))

        def advance(steps: int, about: str = "", /) -> None:
            self._connection.send(("advance", steps))

        yield advance

    def note(self, text: str) -> None:
        """Send a remark."""
        self._connection.send(("note", text))

    def warning(self, text: str) -> None:
        """Send a remark that needs care."""
        self._connection.send(("note", text))


def _work(connection: Connection, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    try:
        connection.send(("result", work(PipeProgress(connection), *arguments)))
    except KeyboardInterrupt as problem:
        connection.send(("stopped", plain(problem)))
    except Exception as problem:
        connection.send(("stopped" if isinstance(problem, Interrupted) else "failed", plain(problem)))
