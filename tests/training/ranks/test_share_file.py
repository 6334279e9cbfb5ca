"""The checkpoint of machine 0 reaches the others; where it has none, an old one of theirs is not taken for it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from torch import distributed as dist
from torch.multiprocessing import spawn

from doppelgram.training.ranks.connect import share_file
from doppelgram.training.ranks.plan import Ranks

KEPT = (b"of this training", None)


def shares(rank: int, folder: str) -> None:
    """One of two machines, each with one process and a folder of its own for every case."""
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    for case in range(len(KEPT)):
        share_file(Path(folder) / f"{case}-machine-{rank}" / "last.ckpt", Ranks(nodes=2, node=rank), 0)
    # Whoever ends first closes the connection, which the other may still be reading from.
    ended = [Path(folder) / f"ended-{each}" for each in (0, 1)]
    ended[rank].touch()
    while not all(file.exists() for file in ended):
        time.sleep(0.01)
    os._exit(0)  # as a process of a training does: the usual way aborts now and then, while a connection is closed


@pytest.mark.slow
def test_all_machines_resume_from_the_same(tmp_path: Path) -> None:
    files = {}
    for case, kept in enumerate(KEPT):
        for rank, content in enumerate((kept, b"of an earlier training")):
            files[case, rank] = file = tmp_path / f"{case}-machine-{rank}" / "last.ckpt"
            file.parent.mkdir()
            if content is not None:
                file.write_bytes(content)
    spawn(shares, (str(tmp_path),), nprocs=2)
    for (case, _), file in files.items():
        assert (file.read_bytes() if file.is_file() else None) == KEPT[case]
        assert len(list(file.parent.iterdir())) == (KEPT[case] is not None), "nothing is left beside it"
