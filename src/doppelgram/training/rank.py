"""One process of a training that runs on several: started by `ranks.launch`, it takes part and says how it went."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.plugins.environments import ClusterEnvironment
from lightning.pytorch.strategies import DDPStrategy
from torch import distributed as dist

from doppelgram.console import SilentProgress
from doppelgram.errors import DoppelgramError
from doppelgram.learning.joint import Joint
from doppelgram.learning.joint_layers import join_layers
from doppelgram.training.ranks.connect import connect, share_file
from doppelgram.training.ranks.messages import Say, SentProgress, encoded
from doppelgram.training.ranks.order import Order
from doppelgram.training.ranks.plan import Ranks
from doppelgram.training.trainer import LAST, Place, run_epochs


def main() -> None:
    """Take part in the training whose order lies in a folder; what goes wrong is said, not raised."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    say = _speaker()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    ranks, local, folder = Ranks(**json.loads(sys.argv[1])), int(sys.argv[2]), Path(sys.argv[3])
    try:
        result = take_part(ranks, local, folder, say)
        dist.barrier()  # whoever leaves first would look to the others as if it had died
        say({"result": result})
    except DoppelgramError as problem:
        say({"error": str(problem)})
    except (KeyboardInterrupt, SystemExit):
        say({"failed": "was interrupted", "lost": True})
    except MemoryError:
        say({"failed": "has not enough memory; use a smaller data.size, sampler.batch or model", "lost": False})
    except Exception as problem:  # of whatever kind: the one that waits for an answer has to hear of it
        if os.environ.get("DOPPELGRAM_DEBUG"):
            import traceback

            traceback.print_exc()
        say(_failure(problem, ranks))
    # Not by the usual way, on which a connection to processes that are gone may be waited for.
    sys.stderr.flush()
    os._exit(0)


def take_part(ranks: Ranks, local: int, folder: Path, say: Say) -> dict[str, Any] | None:
    """Train with the others.

    Returns:
        History and warnings, in the first process of all; None in the others.
    """
    order = Order.read(folder)
    joint = connect(ranks, local, folder, order.facts)
    task = order.task
    task.joint = joint
    join_layers(task.network, joint)
    place = Place(order.checkpoints, order.log, order.title)
    if order.resume and ranks.nodes > 1:
        share_file(place.checkpoints / LAST, ranks, local)
    first = joint.rank == 0
    fitted = run_epochs(
        task,
        order.stopping,
        place,
        SentProgress(say) if first else SilentProgress(),
        resume=order.resume,
        epoch_done=(lambda: say({"epoch_done": True})) if first else None,
        strategy=_strategy(ranks, joint),
    )
    if fitted.interrupted:
        raise KeyboardInterrupt
    return {"history": fitted.history, "warnings": fitted.warnings} if first else None


class RankEnvironment(ClusterEnvironment):  # type: ignore[misc]
    """What Lightning asks of a process that is connected already."""

    def __init__(self, ranks: Ranks, joint: Joint) -> None:
        super().__init__()
        self.ranks, self.joint = ranks, joint

    @property
    def creates_processes_externally(self) -> bool:
        """Whether somebody else starts the processes: `ranks.launch` does."""
        return True

    @property
    def main_address(self) -> str:
        """Where the processes would meet, if they had not."""
        return self.ranks.address

    @property
    def main_port(self) -> int:
        """The port of the same."""
        return self.ranks.port

    @staticmethod
    def detect() -> bool:
        """Never chosen unasked."""
        return False

    def world_size(self) -> int:
        """How many processes there are."""
        return self.joint.world

    def set_world_size(self, size: int) -> None:
        """It is known."""

    def global_rank(self) -> int:
        """Number of this process."""
        return self.joint.rank

    def set_global_rank(self, rank: int) -> None:
        """It is known."""

    def local_rank(self) -> int:
        """Number of this process on its machine."""
        return self.joint.rank % self.ranks.devices

    def node_rank(self) -> int:
        """Number of this machine."""
        return self.ranks.node


def _strategy(ranks: Ranks, joint: Joint) -> dict[str, Any]:
    """Arguments of Lightning's Trainer for a process among others."""
    return {
        "accelerator": "cuda" if torch.cuda.is_available() else "cpu",
        "devices": ranks.devices,
        "num_nodes": ranks.nodes,
        # Backbones have weights that no image passes, such as the token of a hidden patch. Buffers are alike already.
        "strategy": DDPStrategy(find_unused_parameters=True, broadcast_buffers=False),
        "plugins": [RankEnvironment(ranks, joint)],
    }


def _speaker() -> Callable[[dict[str, Any]], None]:
    """Sends messages on standard output; what libraries print there goes to standard error instead."""
    channel = os.dup(1)
    os.dup2(2, 1)

    def say(said: dict[str, Any]) -> None:
        data = encoded(said)
        while data:
            data = data[os.write(channel, data) :]

    return say


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


def _failure(problem: Exception, ranks: Ranks) -> dict[str, Any]:
    """A message about what went wrong here, or was noticed here of what went wrong elsewhere."""
    text = " ".join(str(problem).split())
    lost = isinstance(problem, dist.DistError) or "gloo" in text.lower() or "nccl" in text.lower()
    if not lost:
        return {"failed": f"failed ({type(problem).__name__}: {text[:300]})", "lost": False}
    how = "waited in vain for another one" if "timed out" in text.lower() else "lost the connection to another one"
    minutes = f" for {ranks.patience:g} s" if "timed out" in text.lower() else ""
    return {"failed": f"{how}{minutes}; what was finished is kept, --resume goes on", "lost": True}


if __name__ == "__main__":
    main()
