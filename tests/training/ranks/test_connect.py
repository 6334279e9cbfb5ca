"""How the first process of machine 0 listens, and how those of all machines wait for one another."""

from __future__ import annotations

import errno
import os
import socket
import threading
from datetime import timedelta
from typing import Any

import pytest
from torch import distributed as dist

from doppelgram.errors import DoppelgramError
from doppelgram.training.ranks import connect
from doppelgram.training.ranks.connect import await_all, compare
from doppelgram.training.ranks.plan import Ranks


@pytest.mark.parametrize(
    ("address", "reason"),
    [("192.0.2.7", errno.EACCES), ("192.0.2.7", errno.EADDRINUSE), ("127.0.0.1", errno.EADDRNOTAVAIL)],
)
def test_why_it_cannot_listen_is_said(address: str, reason: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any, **__: Any) -> None:
        raise OSError(reason, os.strerror(reason))

    monkeypatch.setattr(socket, "create_server", refused)
    with pytest.raises(DoppelgramError, match=f"cannot listen at MASTER_ADDR {address}.*{os.strerror(reason)}"):
        connect._listen(Ranks(1, 2, 0, address, 80))


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(DoppelgramError, match=f"MASTER_PORT {port}.*in use"):
            connect._listen(Ranks(1, 2, 0, "127.0.0.1", port))


def test_an_address_behind_a_router_is_left_to_the_store() -> None:
    assert connect._listen(Ranks(1, 2, 0, "192.0.2.7", 0)) is None  # an address for examples, which nobody has


def test_processes_that_torchrun_starts_again_find_nothing_of_the_first_time(monkeypatch: pytest.MonkeyPatch) -> None:
    store = dist.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    monkeypatch.setenv("TORCHELASTIC_USE_AGENT_STORE", "True")
    ranks = Ranks(address="127.0.0.1", port=store.port)
    for restarts in ("0", "1"):
        monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", restarts)
        compare(connect._meet(ranks, 0), ranks, {"seed": "1"})
    with pytest.raises(DoppelgramError, match="two machines say that they are NODE_RANK 0"):
        compare(connect._meet(ranks, 0), ranks, {"seed": "1"})


def test_no_process_connects_before_all_have_come() -> None:
    """Connecting has ten minutes of patience, and the other machine may read its images for longer."""
    store, ranks, last = dist.HashStore(), Ranks(2, 2, 0, "127.0.0.1", meeting=60), 3
    others = [threading.Thread(target=await_all, args=(store, ranks, rank)) for rank in range(last)]
    for one in others:
        one.start()
    store.wait([f"process {rank} comes" for rank in range(last)], timedelta(seconds=60))
    assert all(one.is_alive() for one in others)
    await_all(store, ranks, last)
    for one in others:
        one.join(60)
    assert not any(one.is_alive() for one in others)


def test_processes_that_do_not_come_are_told() -> None:
    with pytest.raises(DoppelgramError, match="not all of the 2 processes came"):
        await_all(dist.HashStore(), Ranks(1, 2, 0, "127.0.0.1", meeting=0.05), 0)
