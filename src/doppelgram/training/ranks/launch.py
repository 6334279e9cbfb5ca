"""The processes of one machine: started, heard, and ended together."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from doppelgram.console import Progress
from doppelgram.errors import DivergedError, DoppelgramError
from doppelgram.training.ranks.connect import loopback_only
from doppelgram.training.ranks.messages import Shown
from doppelgram.training.ranks.order import Order
from doppelgram.training.ranks.plan import Ranks

_ENDING = 20.0  # seconds that processes have to end by themselves after Ctrl-C
_REASONS = 2.0  # seconds in which the others may still say why one of them ended


def run_ranks(
    order: Order, ranks: Ranks, progress: Progress, epoch_done: Callable[[], None] | None = None
) -> dict[str, Any] | None:
    """Train on this machine's processes, until all have ended.

    They are programs of their own, which need nothing of this process's state, and end when it does, even if it is
    killed.

    Args:
        order: what is trained.
        ranks: who trains.
        progress: where the progress that the first process tells of is shown.
        epoch_done: called after each epoch, on machine 0.

    Returns:
        What the first process of machine 0 said in the end; None on the other machines.

    Raises:
        KeyboardInterrupt: Ctrl-C here; all processes have ended.
        DoppelgramError: a process failed or died, or waited in vain; all have ended.
    """
    with TemporaryDirectory(prefix="doppelgram-") as folder:
        order.write(Path(folder))
        children: list[_Child] = []
        try:
            for local in range(ranks.devices):
                children.append(_Child(ranks, local, folder))
            with Shown(progress) as shown:
                return _listen(children, shown, epoch_done)
        except KeyboardInterrupt:
            _interrupt(children)
            raise
        finally:
            for child in children:
                child.kill()


def threads_of(ranks: Ranks) -> int:
    """Threads of each process: those of this machine, divided."""
    return max(1, torch.get_num_threads() // ranks.devices)


class _Child:
    """One process, as the one that started it sees it.

    Attributes:
        name: for messages.
        done: whether it has ended as it should.
        result: what it said in the end.
    """

    def __init__(self, ranks: Ranks, local: int, folder: str) -> None:
        self.name = f"process {ranks.node * ranks.devices + local} of {ranks.world}"
        self.done = False
        self._heard = b""
        self.result: dict[str, Any] | None = None
        environment = os.environ | dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(threads_of(ranks)))
        # What was put into the order is imported from the same places.
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        if ranks.on_loopback:
            environment |= loopback_only()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "doppelgram.training.rank", json.dumps(asdict(ranks)), str(local), folder],
            stdin=subprocess.PIPE,  # that it is closed says that nobody waits for an answer any more
            stdout=subprocess.PIPE,
            stderr=None if os.environ.get("DOPPELGRAM_DEBUG") else subprocess.DEVNULL,
            env=environment,
            start_new_session=True,  # Ctrl-C is for the parent, which ends its children
        )

    def hear(self) -> list[dict[str, Any]] | None:
        """The messages that have come; None if there will be no more."""
        assert self.process.stdout is not None
        data = os.read(self.process.stdout.fileno(), 1 << 16)
        if not data:
            return None
        *lines, self._heard = (self._heard + data).split(b"\n")
        return [json.loads(line) for line in lines]

    def take(self, said: dict[str, Any]) -> list[_Problem]:
        """Note how it ended, if a message is about that; the problem, if there is one."""
        if "result" in said:
            self.result = said["result"]
        elif "error" in said:
            problem = _Problem(0, said["error"])
        elif "failed" in said:
            problem = _Problem(2 if said["lost"] else 0, f"{self.name} {said['failed']}")
        else:
            return []
        self.done = True
        return [] if "result" in said else [problem]

    def ended(self) -> str:
        """How it ended, having said nothing of it."""
        try:
            status = self.process.wait(_ENDING)
        except subprocess.TimeoutExpired:
            return "says nothing any more"
        if status == -signal.SIGKILL:
            return "was killed, most likely for lack of memory"
        return f"ended by signal {-status}" if status < 0 else f"ended with status {status}"

    def kill(self) -> None:
        """End it at once."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        with suppress(OSError):
            self.process.stdin.close()
        self.process.stdout.close()


def _listen(
    children: list[_Child], shown: Shown, epoch_done: Callable[[], None] | None = None
) -> dict[str, Any] | None:
    """Hear all processes until they are done; raises DoppelgramError as soon as one is not."""
    problems: list[_Problem] = []
    until: float | None = None
    with selectors.DefaultSelector() as heard:
        for one in children:
            heard.register(one.process.stdout, selectors.EVENT_READ, one)  # type: ignore[arg-type]
        while heard.get_map() and (until is None or time.monotonic() < until):
            for key, _ in heard.select(None if until is None else max(0.0, until - time.monotonic())):
                child: _Child = key.data
                messages = child.hear()
                if messages is None:
                    heard.unregister(key.fileobj)
                    problems += [] if child.done else [_Problem(1, f"{child.name} {child.ended()}")]
                for said in messages or []:
                    if "epoch_done" not in said:
                        problems += child.take(said)
                        shown.take(said)
                    elif epoch_done:
                        epoch_done()
            if problems and until is None:
                until = time.monotonic() + (_REASONS if min(problems).distance else 0.0)
    if problems:
        raise min(problems).error()
    return children[0].result


@dataclass(frozen=True, order=True)
class _Problem:
    """Why a training ended; of several the one at the smallest distance from the cause is told."""

    distance: int
    sentence: str

    def error(self) -> DoppelgramError:
        diverged = DivergedError()
        return diverged if self.sentence == str(diverged) else DoppelgramError(self.sentence)


def _interrupt(children: list[_Child]) -> None:
    """What Ctrl-C does, for every process: each leaves the files whole and ends."""
    for child in children:
        with suppress(ProcessLookupError):
            child.process.send_signal(signal.SIGINT)
    until = time.monotonic() + _ENDING
    for child in children:
        with suppress(subprocess.TimeoutExpired):
            child.process.wait(max(0.0, until - time.monotonic()))
