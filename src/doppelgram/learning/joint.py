"""One batch on several processes: each embeds its share of the rows, and each computes the loss of all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch import distributed as dist

T = TypeVar("T")
S = TypeVar("S")


@dataclass
class Joint:
    """This process among those that train together.

    Row i of a batch belongs to process i modulo ``world``. All processes draw the same random numbers, for the whole
    batch, and keep those of their own rows; so nothing that is random depends on how many there are.

    Attributes:
        rank: number of this process, from 0.
        world: how many there are; one alone needs no connection.
        count: rows of the joint batch at hand.
        apart: whether layers of the network draw for the own rows alone; see `join_layers`.
    """

    rank: int = 0
    world: int = 1
    count: int = 0
    apart: bool = False

    def share(self, rows: T) -> T:
        """The own rows of a joint batch, an array (b, ...), which becomes the batch at hand."""
        batch: Any = rows
        self.count = len(batch)
        return self.own(rows)

    def own(self, whole: T) -> T:
        """The own rows of something that has one for each of the joint batch."""
        rows: Any = whole
        mine: T = rows[self.rank :: self.world] if self.world > 1 else rows
        return mine

    def gather(self, mine: Tensor) -> Tensor:
        """All rows of the joint batch, (count, ...), in its order, from each process's own, with a gradient.

        Every process computes the same loss L of all rows e. Backwards each keeps dL/de of its own rows, times
        ``world``: the mean over processes, which distributed training takes of every parameter's gradient, then is
        the sum over all rows, the gradient of one process. Of a loss's own parameters every process already has the
        whole gradient, and the mean is the same again.

        What is drawn after this, for all rows, every process draws alike.
        """
        if self.world == 1:
            return mine
        if self.apart:
            _draw_alike(mine.device)
        rows: Tensor = _Gather.apply(mine, self)  # type: ignore[no-untyped-call]
        return rows

    def each(self, items: Sequence[S], work: Callable[[S], T]) -> list[T]:
        """What some work makes of each item, in their order; the items are divided among the processes.

        The results have to be small enough to be held by every process, and without a gradient.
        """
        if self.world == 1:
            return [work(item) for item in items]
        mine = [work(item) for item in self.own(items)]
        everyone: list[Any] = [None] * self.world
        dist.all_gather_object(everyone, mine)
        return [everyone[place % self.world][place // self.world] for place in range(len(items))]


def _draw_alike(device: torch.device) -> None:
    """Set torch's generators to the first process's: where shares are of different sizes they may have parted."""
    cards = [(torch.cuda.get_rng_state, torch.cuda.set_rng_state)] if device.type == "cuda" else []
    for state_of, set_state in [(torch.get_rng_state, torch.set_rng_state), *cards]:
        state = state_of().to(device)
        dist.broadcast(state, 0)
        set_state(state.cpu())


class _Gather(torch.autograd.Function):
    """See `Joint.gather`."""

    @staticmethod
    def forward(ctx: Any, mine: Tensor, joint: Joint) -> Tensor:
        ctx.rank, ctx.world = joint.rank, joint.world
        # Where the rows cannot be divided evenly, the last processes have one less, and send one that is ignored.
        most = -(-joint.count // joint.world)
        sent = mine.new_zeros(most, *mine.shape[1:])
        sent[: len(mine)] = mine
        received = [torch.empty_like(sent) for _ in range(joint.world)]
        dist.all_gather(received, sent)
        rows = mine.new_empty(joint.count, *mine.shape[1:])
        for rank, part in enumerate(received):
            rows[rank :: joint.world] = part[: len(range(rank, joint.count, joint.world))]
        return rows

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient[ctx.rank :: ctx.world] * ctx.world, None
