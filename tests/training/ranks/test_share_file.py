"""The checkpoint of machine 0 reaches the others; where it has none, an old one of theirs is not taken for it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from torch import distributed as dist
from torch.multiprocessing import spawn

from doppelgram.training.ranks.connect import share_file
from doppelgram.training.ranks.plan import Ranks


def shares(rank: int, folder: str) -> None:
    """One of two machines, each with one process and a folder of its own."""
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    share_file(Path(folder) / f"machine-{rank}" / "last.ckpt", Ranks(nodes=2, node=rank), 0)


@pytest.mark.slow
@pytest.mark.parametrize("kept", [b"of this training", None])
def test_all_machines_resume_from_the_same(tmp_path: Path, kept: bytes | None) -> None:
    for rank, content in enumerate((kept, b"of an earlier training")):
        (tmp_path / f"machine-{rank}").mkdir()
        if content is not None:
            (tmp_path / f"machine-{rank}" / "last.ckpt").write_bytes(content)
    spawn(shares, (str(tmp_path),), nprocs=2)
    files = [tmp_path / f"machine-{rank}" / "last.ckpt" for rank in (0, 1)]
    assert [file.read_bytes() if file.is_file() else None for file in files] == [kept, kept]
    assert all(len(list(file.parent.iterdir())) == (kept is not None) for file in files), "nothing is left beside it"
