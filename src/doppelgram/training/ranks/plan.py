"""Which processes train together, on this machine and on others."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass

from doppelgram.errors import DoppelgramError
from doppelgram.numbers import count

DEFAULT_PORT = 29500  # as torchrun has it


@dataclass(frozen=True)
class Ranks:
    """The processes of one training; its ranks, in the words of torch.distributed.

    Attributes:
        devices: processes on each machine: one a graphics card, or so many on the processors.
        nodes: machines.
        node: number of this machine, from 0; machine 0 writes the run.
        address, port: where machine 0 waits for the others.
        patience: seconds that a process waits for the others in the middle of a training.
        meeting: seconds that machines wait for one another at the start, when each reads its images.
    """

    devices: int = 1
    nodes: int = 1
    node: int = 0
    address: str = ""
    port: int = DEFAULT_PORT
    patience: float = 600.0
    meeting: float = 3600.0

    @property
    def world(self) -> int:
        """How many processes there are in all."""
        return self.devices * self.nodes

    @property
    def leads(self) -> bool:
        """Whether the run is written on this machine."""
        return self.node == 0

    @property
    def on_loopback(self) -> bool:
        """Whether nothing but this machine has to be heard."""
        return self.nodes == 1 or is_loopback(self.address)


def planned_ranks(devices: int, nodes: int, environment: Mapping[str, str] | None = None) -> Ranks:
    """The processes that somebody asks for.

    Args:
        devices: processes on each machine.
        nodes: machines. With more than one the environment names machine 0 (``MASTER_ADDR``, ``MASTER_PORT``) and the
            number of this one (``NODE_RANK``, or torchrun's ``GROUP_RANK``).
        environment: the process's own if None.

    Raises:
        DoppelgramError: the numbers or the environment cannot be used, or there are fewer graphics cards.
    """
    environment = os.environ if environment is None else environment
    if devices < 1 or nodes < 1:
        raise DoppelgramError(f"--devices {devices} --num-nodes {nodes}: give 1 or more of both")
    if _number(environment, "LOCAL_WORLD_SIZE", "1", 1, 2**31) > 1:
        raise DoppelgramError(
            "torchrun has started several processes on this machine; start one (--nproc-per-node 1) and say with "
            "--devices how many train"
        )
    machines = _number(environment, "GROUP_WORLD_SIZE", str(nodes), 1, 2**31)
    if machines != nodes:
        raise DoppelgramError(f"torchrun has started this on {count(machines, 'machine')}; give --num-nodes {machines}")
    cards = _graphics_cards() if devices * nodes > 1 else 0
    if cards and devices > cards:
        raise DoppelgramError(f"--devices {devices}: this machine has {cards} graphics cards; give {cards} or fewer")
    if nodes == 1:
        return Ranks(devices)
    address = environment.get("MASTER_ADDR", "").strip()
    if not address:
        raise DoppelgramError(
            f"--num-nodes {nodes}: set MASTER_ADDR (where machine 0 is), MASTER_PORT and NODE_RANK on each machine"
        )
    port = _number(environment, "MASTER_PORT", str(DEFAULT_PORT), 1, 65535)
    name = "NODE_RANK" if environment.get("NODE_RANK") else "GROUP_RANK"
    if not environment.get(name):
        raise DoppelgramError(f"--num-nodes {nodes}: set NODE_RANK to the number of this machine, 0 to {nodes - 1}")
    return Ranks(devices, nodes, _number(environment, name, "", 0, nodes - 1), address, port)


def is_loopback(address: str) -> bool:
    """Whether an address or a host's name means this machine alone."""
    try:
        return ipaddress.ip_address(socket.gethostbyname(address)).is_loopback
    except (OSError, ValueError):
        return False


def _number(environment: Mapping[str, str], name: str, default: str, least: int, most: int) -> int:
    text = environment.get(name) or default
    if not text.isdecimal() or not least <= int(text) <= most:
        raise DoppelgramError(f"{name} is '{text}'; it should be a number from {least} to {most}")
    return int(text)


def _graphics_cards() -> int:
    import torch

    return torch.cuda.device_count() if torch.cuda.is_available() else 0
