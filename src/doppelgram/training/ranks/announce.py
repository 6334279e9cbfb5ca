"""What is said, and refused, before several processes train a task."""

from __future__ import annotations

import torch

from doppelgram.console import Progress
from doppelgram.errors import DoppelgramError
from doppelgram.learning.joint_layers import apart_layers
from doppelgram.numbers import count
from doppelgram.training.ranks.launch import threads_of
from doppelgram.training.ranks.plan import Ranks
from doppelgram.training.task import Task


def announce_ranks(ranks: Ranks, task: Task, progress: Progress) -> None:
    """Say how a training is divided, and what about it differs from one in one process.

    Raises:
        DoppelgramError: a batch is too small for so many processes.
    """
    smallest = min((len(batch) for batch in task.plan.epoch_batches(0)), default=0)
    if smallest < 2 * ranks.world:
        raise DoppelgramError(
            f"a batch of {smallest} images cannot be divided among {ranks.world} processes, which need two each; take "
            "a larger sampler.batch, or fewer --devices or --num-nodes"
        )
    where = f" on {ranks.nodes} machines, of which this is number {ranks.node}" if ranks.nodes > 1 else ""
    what = "a graphics card each" if torch.cuda.is_available() else f"{count(threads_of(ranks), 'thread')} each"
    progress.note(f"{ranks.world} processes train together{where}, {what}; they divide each batch")
    if ranks.nodes > 1:
        progress.note(
            f"machines meet at {ranks.address}, port {ranks.port}; they wait {ranks.meeting / 60:.0f} minutes for one "
            "another"
        )
    if kinds := apart_layers(task.network):
        progress.warning(
            f"{' and '.join(kinds)} work in each process apart, so the result differs a little from that of one process"
        )
