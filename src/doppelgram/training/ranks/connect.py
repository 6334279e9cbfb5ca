"""How a process of a training finds the others, and sees that all machines train the same."""

from __future__ import annotations

import errno
import json
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch import distributed as dist
from torch.distributed import FileStore, PrefixStore, TCPStore  # type: ignore[attr-defined]

from doppelgram.errors import DoppelgramError
from doppelgram.files import written_whole
from doppelgram.learning.joint import Joint
from doppelgram.training.ranks.plan import Ranks, is_loopback

_LINGER = 10.0  # seconds that machine 0 waits for the others to read why nothing comes of it


def loopback_only() -> dict[str, str]:
    """Environment by which gloo and NCCL listen on this machine's own loopback interface alone."""
    name = next((name for _, name in socket.if_nameindex() if name.startswith("lo")), "lo")
    return {"GLOO_SOCKET_IFNAME": name, "NCCL_SOCKET_IFNAME": name}


def connect(ranks: Ranks, local: int, folder: Path, facts: Callable[[], dict[str, Any]]) -> Joint:
    """Join the other processes of a training.

    On one machine they meet by a file, and nothing listens but gloo, on the loopback interface. Several machines meet
    at the address of machine 0 and compare there what they are about to train.

    Args:
        ranks: who trains.
        local: number of this process on its machine.
        folder: of this machine's processes.
        facts: makes what has to be the same on all machines, by names; asked where there are several.

    Raises:
        DoppelgramError: the other machines do not come, or would train something else.
    """
    rank = ranks.node * ranks.devices + local
    store = FileStore(str(folder / "meeting"), ranks.world) if ranks.nodes == 1 else _meet(ranks, rank)
    if ranks.nodes > 1:
        if local == 0:
            compare(store, ranks, facts())
        await_all(store, ranks, rank)
    backend = "gloo"
    if torch.cuda.is_available():
        torch.cuda.set_device(local)
        backend = "nccl"
    patience = timedelta(seconds=ranks.patience)
    store.set_timeout(patience)
    dist.init_process_group(backend, store=store, rank=rank, world_size=ranks.world, timeout=patience)
    return Joint(rank, ranks.world)


def share_file(file: Path, ranks: Ranks, local: int) -> None:
    """Give the machines that do not write the run the file that machine 0 has; if it has none, they lose theirs."""
    device = torch.device("cuda") if torch.cuda.is_available() else torch.device("cpu")
    sends = ranks.leads and local == 0
    content = torch.zeros(0, dtype=torch.uint8)
    if sends and file.is_file():
        content = torch.frombuffer(bytearray(file.read_bytes()), dtype=torch.uint8)
    size = torch.tensor([len(content)], device=device)
    dist.broadcast(size, 0)
    receives = not ranks.leads and local == 0
    if not int(size):
        if receives:
            file.unlink(missing_ok=True)  # of an earlier training: this machine alone would go on from it
        dist.barrier()
        return
    received: Tensor = content.to(device) if sends else torch.empty(int(size), dtype=torch.uint8, device=device)
    dist.broadcast(received, 0)
    if receives:
        with written_whole(file) as aside:
            aside.write_bytes(received.cpu().numpy().tobytes())
    dist.barrier()


def _meet(ranks: Ranks, rank: int) -> Any:
    """The store at the address of machine 0; its first process, or torchrun, holds it."""
    waits = timedelta(seconds=ranks.meeting)
    holds = rank == 0 and os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True"
    listening = _listen(ranks) if holds else None
    try:
        store = TCPStore(
            ranks.address,
            ranks.port,
            is_master=holds,
            timeout=waits,
            wait_for_workers=False,
            master_listen_fd=listening,
        )
    except (RuntimeError, ValueError):
        raise DoppelgramError(
            f"machine 0 cannot be reached at {ranks.address}, port {ranks.port}; see that the command runs there, and "
            "that MASTER_ADDR and MASTER_PORT are the same on all machines"
        ) from None
    # Torchrun keeps its store, and what was said in it, when it starts the processes again.
    return PrefixStore(f"doppelgram {os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}", store)


def _listen(ranks: Ranks) -> int | None:
    """A socket that listens at the address that the others were given, and not at all of this machine's.

    None where the address is not this machine's own, as behind a router: the store then listens at all.
    """
    try:
        return socket.create_server((socket.gethostbyname(ranks.address), ranks.port), backlog=128).detach()
    except OSError as problem:
        if problem.errno == errno.EADDRNOTAVAIL and not is_loopback(ranks.address):
            return None
        raise DoppelgramError(
            f"cannot listen at MASTER_ADDR {ranks.address}, MASTER_PORT {ranks.port}: {problem.strerror}"
        ) from None


def compare(store: Any, ranks: Ranks, facts: dict[str, Any]) -> None:
    """Raise DoppelgramError unless all machines say the same of what they are about to train."""
    facts = {"--devices or --num-nodes": [ranks.devices, ranks.nodes], **facts}
    if store.add(f"{ranks.node} comes", 1) > 1:
        raise DoppelgramError(f"two machines say that they are NODE_RANK {ranks.node}; number them from 0")
    store.set(f"{ranks.node} trains", json.dumps(facts))
    try:
        for other in range(ranks.nodes):
            theirs = json.loads(_said(store, other, ranks))
            differing = [name for name in facts if facts[name] != theirs.get(name)]
            if differing:
                raise DoppelgramError(
                    f"machine {ranks.node} and machine {other} do not train the same: {', '.join(differing)} differ; "
                    "give all machines the same command, files and versions"
                )
    finally:
        store.set(f"{ranks.node} has read", "")
        if ranks.leads:  # it holds the store, from which the others read yet
            with suppress(RuntimeError):
                store.wait([f"{node} has read" for node in range(ranks.nodes)], timedelta(seconds=_LINGER))


def await_all(store: Any, ranks: Ranks, rank: int) -> None:
    """Wait until the processes of all machines are there: once they connect, they have less patience.

    Raises:
        DoppelgramError: they do not come, or machine 0 has gone.
    """
    store.set(f"process {rank} comes", "")
    try:
        store.wait([f"process {other} comes" for other in range(ranks.world)], timedelta(seconds=ranks.meeting))
    except RuntimeError:
        raise DoppelgramError(
            f"not all of the {ranks.world} processes came within {ranks.meeting / 60:.0f} minutes, or machine 0 went "
            "away; start the same command on all machines"
        ) from None


def _said(store: Any, other: int, ranks: Ranks) -> bytes:
    try:
        store.wait([f"{other} trains"], timedelta(seconds=ranks.meeting))
        said: bytes = store.get(f"{other} trains")
    except RuntimeError:
        raise DoppelgramError(
            f"machine {other} of {ranks.nodes} did not come within {ranks.meeting / 60:.0f} minutes, or went away; "
            f"start the same command there with NODE_RANK={other}"
        ) from None
    return said
