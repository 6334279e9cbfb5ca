"""Workers that are processes of this machine."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
from collections import Counter, deque
from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import asdict

from doppelgram.errors import DoppelgramError
from doppelgram.scale.engine import TRIES, given_up
from doppelgram.scale.worker import Order

_PATIENCE = 10.0  # seconds that a process has to end by itself


class Processes:
    """An engine of so many processes. One that dies is replaced, and its part is done again.

    They are programs of their own that get parts by a pipe: they need nothing of this process's state, and end with
    it, even if it is killed, after the part at hand.

    Args:
        workers: how many, 1 or more.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def run(self, order: Order, parts: Sequence[str]) -> Generator[str, None, None]:
        """See `Engine`."""
        waiting, begun = deque(parts), Counter[str]()
        children = selectors.DefaultSelector()
        try:
            for slot in range(min(self.workers, len(parts))):
                self._start(children, order, slot, waiting.popleft())
            while children.get_map():
                for key, _ in children.select():
                    child: _Child = key.data
                    said = child.answer()
                    if said is None or "ended" in said:
                        children.unregister(key.fileobj)
                        ended = child.end()
                        reason = said["ended"] if said else ended
                        begun[child.part] += 1
                        if begun[child.part] == TRIES:
                            raise given_up(child.part, reason)
                        self._start(children, order, child.slot, child.part)
                        continue
                    if "error" in said:
                        raise DoppelgramError(said["error"])
                    done = child.part
                    if waiting:
                        child.give(waiting.popleft())
                    else:
                        children.unregister(key.fileobj)
                        child.end()
                    yield done
        finally:
            for key in list(children.get_map().values()):
                key.data.end(at_once=True)
            children.close()

    @staticmethod
    def _start(children: selectors.BaseSelector, order: Order, slot: int, part: str) -> None:
        child = _Child(order, slot)
        children.register(child.process.stdout, selectors.EVENT_READ, child)  # type: ignore[arg-type]
        child.give(part)


class _Child:
    """A worker's process, as its parent sees it."""

    def __init__(self, order: Order, slot: int) -> None:
        self.slot = slot
        self.part = ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "doppelgram.scale.child", json.dumps(asdict(order)), str(slot)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"OMP_NUM_THREADS": str(order.threads)},
            start_new_session=True,  # Ctrl-C is for the parent, which ends its children
        )

    def give(self, part: str) -> None:
        """Let it do a part. That it died is noticed when its answer is read."""
        self.part = part
        assert self.process.stdin is not None
        with suppress(OSError):
            self.process.stdin.write(f"{part}\n".encode())
            self.process.stdin.flush()

    def answer(self) -> dict[str, str] | None:
        """What it says when a part is done, or cannot be; None if it died."""
        assert self.process.stdout is not None
        with suppress(ValueError):
            return dict(json.loads(self.process.stdout.readline()))
        return None

    def end(self, at_once: bool = False) -> str:
        """End it; returns how it ended."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with suppress(OSError):
            self.process.stdin.close()
        if at_once:
            self.process.terminate()
        try:
            self.process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        status = self.process.returncode
        return f"signal {-status}" if status < 0 else f"exit status {status}"
