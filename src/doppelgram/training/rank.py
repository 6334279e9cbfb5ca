"""One process of a training that runs on several: started by `ranks.launch`, it takes part and says how it went."""

from __future__ import annotations

import json
import os
import re
import shutil
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

_OF_GLOO = re.compile(r"gloo/\S+\.(cc|h):\d")
_TIMED_OUT = re.compile(r"tim(ed|e|ing)[ -]?out", re.IGNORECASE)


def main() -> None:
    """Take part in the training whose order lies in a folder; what goes wrong is said, not raised."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # no handler is asked while torch waits for the others
    say = _speaker()
    ranks, local, folder = Ranks(**json.loads(sys.argv[1])), int(sys.argv[2]), Path(sys.argv[3])
    threading.Thread(target=_end_with_parent, args=(folder,), daemon=True).start()
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
    signal.signal(signal.SIGINT, signal.default_int_handler)  # from now on there is something to finish
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


def _end_with_parent(folder: Path) -> None:
    """Wait until the process that started this one is gone; take away its folder, which it no longer can, and end."""
    sys.stdin.buffer.read()
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


def _failure(problem: Exception, ranks: Ranks) -> dict[str, Any]:
    """A message about what went wrong here, or was noticed here of what went wrong elsewhere."""
    text = " ".join(str(problem).split())
    # NCCL and the stores have errors of their own; those of gloo are known by the place in its source that they name.
    if not isinstance(problem, dist.DistError) and not (isinstance(problem, RuntimeError) and _OF_GLOO.search(text)):
        return {"failed": f"failed ({type(problem).__name__}: {text[:300]})", "lost": False}
    if not dist.is_initialized():
        networks = (
            "; where a machine has several networks, GLOO_SOCKET_IFNAME or NCCL_SOCKET_IFNAME names the one to use"
        )
        return {"failed": f"cannot connect to the others{networks if ranks.nodes > 1 else ''}", "lost": True}
    how = "lost the connection to another one"
    if _TIMED_OUT.search(text):
        how = f"waited in vain for another one for {ranks.patience:g} s"
    return {"failed": f"{how}; what was finished is kept, --resume goes on", "lost": True}


if __name__ == "__main__":
    main()
