"""What one process of several does alone: it tidies up after a parent that is gone, and says what went wrong."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import pytest
from torch import distributed as dist

from doppelgram.errors import DoppelgramError
from doppelgram.training import rank
from doppelgram.training.rank import _end_with_parent, _failure
from doppelgram.training.ranks.plan import Ranks

CLOSED = "[/pytorch/third_party/gloo/gloo/transport/tcp/pair.cc:547] Connection closed by peer [127.0.0.1]:5112"
LATE = "[/pytorch/third_party/gloo/gloo/transport/tcp/unbound_buffer.cc:78] Timed out waiting 8000ms for recv operation"


def test_the_folder_of_a_parent_that_is_gone_goes_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []
    monkeypatch.setattr(os, "_exit", ended.append)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO()))
    folder = tmp_path / "doppelgram-abc"
    folder.mkdir()
    (folder / "0.npy").write_bytes(b"pixels")
    _end_with_parent(folder)
    assert ended == [1]
    assert not folder.exists()


def test_ctrl_c_ends_at_once_what_waits_for_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting takes up to an hour, in torch's own code, which asks no handler of Python's."""
    before, found, said = signal.getsignal(signal.SIGINT), [], []

    def never(*_: object) -> None:
        found.append(signal.getsignal(signal.SIGINT))
        raise DoppelgramError("nobody came")

    for name, value in {"connect": never, "_speaker": lambda: said.append, "_end_with_parent": lambda _: None}.items():
        monkeypatch.setattr(rank, name, value)
    monkeypatch.setattr(rank.Order, "read", lambda _: SimpleNamespace(facts=dict))
    monkeypatch.setattr(os, "_exit", lambda _: None)
    monkeypatch.setattr(sys, "argv", ["rank", json.dumps(asdict(Ranks(2))), "0", str(tmp_path)])
    try:
        rank.main()
    finally:
        signal.signal(signal.SIGINT, before)
    assert found == [signal.SIG_DFL]
    assert said == [{"error": "nobody came"}]


@pytest.mark.parametrize(
    ("problem", "lost"),
    [
        (FileNotFoundError(2, "No such file or directory", "/photos/gloomy/gloo/7.jpg"), False),
        (ValueError("backbone 'nccl-net' takes no images of 64"), False),
        (RuntimeError("cannot read /photos/gloo/7.jpg"), False),
        (RuntimeError(CLOSED), True),
        (RuntimeError(f"Gloo connectFullMesh failed with {CLOSED}"), True),
        (dist.DistBackendError("NCCL error in: ProcessGroupNCCL.cpp:1234, remote process exited"), True),
    ],
)
def test_only_what_comes_of_the_connection_is_told_as_lost(
    problem: Exception, lost: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dist, "is_initialized", lambda: True)
    said = _failure(problem, Ranks(2))
    assert said["lost"] == lost
    assert ("lost the connection" if lost else type(problem).__name__) in said["failed"]


@pytest.mark.parametrize(
    "problem", [RuntimeError(LATE), dist.DistStoreError("wait timeout after 8000ms, keys: /default_pg/0")]
)
def test_waiting_in_vain_is_told_as_such(problem: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dist, "is_initialized", lambda: True)
    assert "waited in vain for another one for 8 s" in _failure(problem, Ranks(2, patience=8))["failed"]


def test_a_connection_that_never_came_about_is_not_told_as_lost() -> None:
    said = _failure(RuntimeError(f"Gloo connectFullMesh failed with {CLOSED}"), Ranks(1, 2, 0, "10.0.0.5"))
    assert said["lost"]
    assert "cannot connect" in said["failed"]
    assert "GLOO_SOCKET_IFNAME" in said["failed"]
