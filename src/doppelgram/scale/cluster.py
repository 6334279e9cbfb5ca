"""Workers that are actors of Ray, on one machine or many."""

from __future__ import annotations

import logging
import math
import os
import secrets
import shutil
import sys
import tempfile
import time
import warnings
from collections import Counter, deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from doppelgram.errors import DoppelgramError
from doppelgram.scale.engine import TRIES, given_up
from doppelgram.scale.worker import Order, Worker

_LOOK = 1.0  # seconds after which workers that have nothing to do are looked at again
_TOO_LONG = 3.0  # times the longest time of a part
_AHEAD = 2  # parts that a worker has at a time, so that it does not wait while the driver commits


class Cluster:
    """An engine of actors. Ray starts one that died again, here or on another machine, and gives it its parts again.

    Args:
        workers: how many; 0: as many as the cluster has room for at the start.
        address: of a running cluster, as Ray spells it; empty: one is started on this machine, and ended afterwards.

    Raises:
        DoppelgramError: Ray is not installed.
    """

    def __init__(self, workers: int = 0, address: str = "") -> None:
        self.workers = workers
        self.address = address
        self._ray = _import_ray(address)

    def run(self, order: Order, parts: Sequence[str]) -> Generator[str, None, None]:
        """See `Engine`."""
        with self._connected(order.threads):
            yield from _Run(self._ray, order, self._count(order, len(parts))).parts(parts)

    def _count(self, order: Order, parts: int) -> int:
        there = int(self._ray.cluster_resources().get("CPU", 1)) // order.threads
        return max(1, min(self.workers or there, parts))

    @contextmanager
    def _connected(self, threads: int) -> Iterator[None]:
        """Ray, without its page, its statistics and its remarks; what is started here takes a token."""
        if self._ray.is_initialized():  # to end it would end what others do with it
            raise DoppelgramError("this process uses Ray already; call ray.shutdown() first, or take another engine")
        # Ray's sockets lie in its folder, and the name of a socket has to be short.
        folder = "" if self.address else tempfile.mkdtemp(prefix="ray-", dir="/tmp" if os.path.isdir("/tmp") else None)
        quiet = {"log_to_driver": False, "logging_level": logging.ERROR, "configure_logging": False}
        local = {"include_dashboard": False, "_temp_dir": folder}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of Lance, about the processes that Ray starts
                if self.address:
                    self._ray.init(address=self.address, **quiet)
                else:
                    self._ray.init(address="local", num_cpus=self.workers * threads or None, **local, **quiet)
            yield
        except (ConnectionError, OSError, RuntimeError, ValueError) as problem:
            reason = " ".join(str(problem).split())[:200]
            raise DoppelgramError(f"Ray at '{self.address or 'this machine'}' does not answer: {reason}") from problem
        finally:
            with _unheard():
                self._ray.shutdown()
            if folder:
                shutil.rmtree(folder, ignore_errors=True)


class _Run:
    """The actors of one job, and which parts they have."""

    def __init__(self, ray: Any, order: Order, workers: int) -> None:
        self._ray = ray
        kind = ray.remote(Worker).options(
            num_cpus=order.threads, max_restarts=-1, max_task_retries=TRIES - 1, scheduling_strategy="SPREAD"
        )
        self._actors = [kind.remote(order) for _ in range(workers)]
        self._ready: list[Any] = []  # those that have said where they are
        self._under_way: dict[Any, tuple[Any, str, float]] = {}  # answers that are waited for
        self._slots: Counter[str] = Counter()  # workers on each machine
        self._longest = 0.0  # seconds that a part took

    def parts(self, parts: Sequence[str]) -> Generator[str, None, None]:
        """Have parts done; a worker gets its first one once it has said where it is."""
        waiting, left = deque(parts), set(parts)
        where = {actor.where.remote(): actor for actor in self._actors}
        while left:
            answered, _ = self._ray.wait([*where, *self._under_way], num_returns=1, timeout=_LOOK)
            for answer in answered:
                if answer in where:
                    self._welcome(where.pop(answer), self._answer(answer, ""))
                    continue
                _, part, begun = self._under_way.pop(answer)
                self._answer(answer, part)
                self._longest = max(self._longest, time.monotonic() - begun)
                if part in left:
                    left.remove(part)
                    yield part
            for actor in self._ready:
                self._feed(actor, waiting, left)

    def _welcome(self, actor: Any, machine: str) -> None:
        actor.pin.remote(self._slots[machine])
        self._slots[machine] += 1
        self._ready.append(actor)

    def _feed(self, actor: Any, waiting: deque[str], left: set[str]) -> None:
        """Give a worker parts until it has enough; where none are left, one that another worker has had too long."""
        has = sum(other is actor for other, _, _ in self._under_way.values())
        while has < _AHEAD and waiting:
            self._give(actor, waiting.popleft())
            has += 1
        if not has:
            # The other one's machine may be gone. Doing a part twice does no harm.
            holders = Counter(part for _, part, _ in self._under_way.values())
            late = [(begun, part) for _, part, begun in self._under_way.values() if part in left]
            begun, part = min(late, default=(math.inf, ""))
            if holders[part] == 1 and time.monotonic() - begun > _TOO_LONG * self._longest:
                self._give(actor, part)

    def _give(self, actor: Any, part: str) -> None:
        self._under_way[actor.do.remote(part)] = (actor, part, time.monotonic())

    def _answer(self, answer: Any, part: str) -> str:
        errors = self._ray.exceptions
        try:
            return str(self._ray.get(answer))
        except errors.RayTaskError as problem:
            if isinstance(problem.cause, DoppelgramError):
                raise DoppelgramError(str(problem.cause)) from None
            raise _failed(part, f"{type(problem.cause).__name__}: {problem.cause}") from None
        except errors.RayError as problem:
            raise _failed(part, type(problem).__name__) from None


def _failed(part: str, reason: str) -> DoppelgramError:
    """What is said of a worker that could not do a part, or not even start."""
    if part:
        return given_up(part, reason)
    return DoppelgramError(
        f"a worker of Ray does not start ({reason}); see that every machine of the cluster has this program, in the "
        "same version"
    )


@contextmanager
def _unheard() -> Iterator[None]:
    """Without what Ray's own threads write on standard error about work that was given up."""
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


def _import_ray(address: str) -> Any:
    """Ray, told before it starts that nothing about its use may be sent anywhere."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    if not address and "ray" not in sys.modules:  # it reads this once
        # Other users of this machine stay out, and no token is left in the user's home.
        os.environ.setdefault("RAY_AUTH_MODE", "token")
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    try:
        import ray
    except ImportError:
        raise DoppelgramError(
            "--engine ray needs Ray: pip install 'doppelgram[cluster]', on every machine of the cluster"
        ) from None
    return ray
