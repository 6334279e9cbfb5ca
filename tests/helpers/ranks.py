"""Small tasks for trainings on several processes: one to compare, and those in which a process fails."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch import distributed as dist
from torch.nn.parallel import DistributedDataParallel

from doppelgram.evaluation.retrieval import precision_at_1_and_map
from doppelgram.learning.joint import Joint
from doppelgram.learning.joint_layers import join_layers
from doppelgram.models.backbones.registry import SmallNet
from doppelgram.models.networks.embedding import EmbeddingHead, EmbeddingNetwork
from doppelgram.training.data import Part
from doppelgram.training.recipes.schema import MetricRecipe, make_recipe
from doppelgram.training.tasks.metric import MetricTask

# Loss, its parameters, miner, further sections. With batch norm, dropout and augmentation.
CASES: dict[str, tuple[str, dict[str, Any], str, dict[str, Any]]] = {
    "batch-hard": ("triplet", {"margin": 0.2}, "batchhard", {}),
    "semi-hard": ("triplet", {"margin": 0.2}, "semihard", {}),
    "random triplets": ("triplet", {"margin": 0.2}, "none", {}),
    "contrastive": ("contrastive", {"negative_margin": 0.5}, "", {}),
    "learned threshold": ("bce", {}, "", {}),
    "class weights": ("cosface", {}, "", {}),
    "proxies": ("proxy_anchor", {}, "", {}),
    "memory": ("triplet", {"margin": 0.2}, "batchhard", {"loss": {"cross_batch": 40}}),
}


def small_parts(classes: int = 5, images: int = 12, size: int = 16) -> tuple[Part, Part]:
    """Squares of a class's own colour under noise, divided into training and validation."""
    rng = np.random.default_rng(0)
    colours = rng.integers(40, 215, (classes, 3))
    codes = np.repeat(np.arange(classes), images)
    pixels = colours[codes][:, None, None] + rng.normal(0, 60, (len(codes), size, size, 3))
    pixels = pixels.clip(0, 255).astype(np.uint8)
    held = np.arange(len(codes)) % 3 == 0
    train, val = np.flatnonzero(~held), np.flatnonzero(held)
    return Part(pixels, codes[train], train), Part(pixels, codes[val], val)


def small_recipe(case: str = "semi-hard", **sections: dict[str, Any]) -> MetricRecipe:
    """A recipe of `CASES`; sections add to it."""
    loss, params, miner, more = CASES[case]
    base: dict[str, dict[str, Any]] = {
        "data": {"size": 16},
        "model": {"dim": 6, "dropout": 0.2, "batch_norm": True},
        "loss": {"name": loss, "params": params},
        "miner": {"name": miner},
        "sampler": {"batch": 20},
        "optimiser": {"epochs": 4, "lr": 0.01, "precision": "32"},
        "augment": {"brightness": 0.2, "flip": True, "shift": 0.1, "erase": 0.3},
    }
    for section, keys in (*more.items(), *sections.items()):
        base[section] = {**base.get(section, {}), **keys}
    return make_recipe(base)


def small_task(recipe: MetricRecipe, kind: type[MetricTask] = MetricTask, seed: int = 3) -> MetricTask:
    """A task on `small_parts`."""
    torch.manual_seed(seed)
    head = EmbeddingHead(32, recipe.model.dim, dropout=recipe.model.dropout, batch_norm=recipe.model.batch_norm)
    network = EmbeddingNetwork(SmallNet(4), head)
    return kind(network, *small_parts(), recipe, seed=seed, validate=precision_at_1_and_map)


class _Loss(nn.Module):
    def __init__(self, task: MetricTask) -> None:
        super().__init__()
        self.task = task

    def forward(self, batch: Tensor) -> Tensor:
        return self.task.batch_loss(batch, 0)[0]


def two_steps(case: str, joint: Joint | None = None) -> dict[str, Tensor]:
    """Loss, gradients and buffers after two batches, of 20 rows and of 13, by names.

    The network is in double precision, so that rounding cannot be taken for a difference; gradients reach 50.
    """
    task = small_task(small_recipe(case)).train()
    task.network.double()
    model: nn.Module = _Loss(task)
    if joint is not None:
        task.joint = joint
        join_layers(task.network, joint)
        model = DistributedDataParallel(model, find_unused_parameters=True, broadcast_buffers=False)
    torch.manual_seed(11)
    task.generator.manual_seed(12)
    rows = torch.from_numpy(np.concatenate(task.plan.epoch_batches(0)))
    found: dict[str, Tensor] = {}
    for step, batch in enumerate((rows[:20], rows[20:33])):
        model.zero_grad()
        loss = model(batch)
        loss.backward()
        found[f"loss {step}"] = loss.detach()
        named = {name: value.grad for name, value in task.named_parameters() if value.requires_grad}
        found |= {f"{name} {step}": value for name, value in named.items() if value is not None}
    found |= {name: value.clone() for name, value in task.named_buffers()}
    return found


def all_cases(rank: int, world: int, folder: str) -> None:
    """One of several processes: the first keeps what `two_steps` finds of every case."""
    torch.set_num_threads(1)
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=world)
    for case in CASES:
        found = two_steps(case, Joint(rank, world))
        if rank == 0:
            torch.save(found, Path(folder) / f"{case}.pt")
    torch.save(loss_with_apart_layers(Joint(rank, world)), Path(folder) / f"apart-{rank}.pt")
    dist.barrier()


class DropPath(nn.Module):
    """Drops some rows, as networks of transformers do; every process draws for its own."""

    drop_prob = 0.3

    def forward(self, rows: Tensor) -> Tensor:
        """Rows, some of them zero."""
        return rows * (torch.rand(len(rows), 1) > self.drop_prob)


def loss_with_apart_layers(joint: Joint) -> Tensor:
    """The loss of 13 rows, which two processes cannot divide evenly, with a miner that draws after such a layer."""
    task = small_task(small_recipe("random triplets")).train()
    task.network.head.layers.insert(0, DropPath())
    task.joint = joint
    join_layers(task.network, joint)
    torch.manual_seed(11)
    return task.batch_loss(torch.from_numpy(np.concatenate(task.plan.epoch_batches(0))[:13]), 0)[0].detach()


class TroubledTask(MetricTask):
    """A task in which process 1 gets into trouble at its fourth batch.

    Attributes:
        trouble: ``raises``, ``dies``, ``hangs``, or nothing.
        ports: file in which process 0 notes the addresses at which it listens.
    """

    trouble = ""
    ports = ""
    _batches = 0

    def batch_loss(self, batch: Tensor, number: int) -> tuple[Tensor, dict[str, Any]]:
        """The loss, before which something may happen."""
        self._batches += 1
        if self.ports and self.joint.rank == 0:
            Path(self.ports).write_text(json.dumps(listening_addresses()), encoding="utf-8")
        if self.joint.rank == 1 and self._batches == 4:
            if self.trouble == "raises":
                raise ValueError("the fourth batch is unlucky")
            if self.trouble == "dies":
                os.kill(os.getpid(), 9)
            if self.trouble == "hangs":
                time.sleep(1000)
        return super().batch_loss(batch, number)


def listening_addresses() -> list[str]:
    """Addresses at which this process listens, as hexadecimal numbers of the system's tables."""
    own = set()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            own.add(os.readlink(entry))
        except OSError:
            continue
    found = []
    for table in ("tcp", "tcp6"):
        file = Path("/proc/self/net") / table
        for line in file.read_text(encoding="ascii").splitlines()[1:] if file.is_file() else []:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in own:
                found.append(fields[1].partition(":")[0])
    return found
