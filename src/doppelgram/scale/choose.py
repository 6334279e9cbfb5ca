"""Which workers do a job: this process alone, processes of this machine, or a cluster."""

from __future__ import annotations

import os
from pathlib import Path

from doppelgram.errors import DoppelgramError
from doppelgram.images.ordered import processors
from doppelgram.scale.cluster import Cluster
from doppelgram.scale.engine import Engine
from doppelgram.scale.index import Means
from doppelgram.scale.processes import Processes

LOCAL, RAY = "local", "ray"
# From so many files on, the seconds that each process takes to load the model are no matter.
MANY = 10_000


def chosen_means(
    files: int,
    engine: str = "",
    *,
    address: str = "",
    workers: int = 0,
    weights: Path | str | None = None,
    keypoints: Path | str | None = None,
) -> Means | None:
    """By what to embed files; None: by this process alone, without a plan.

    Args:
        files: how many.
        engine: ``local`` or ``ray``; empty: ``ray`` for an address, ``local`` for a number of workers or many files.
        address: of a running cluster of Ray, for instance ``auto`` or ``ray://head:10001``.
        workers: how many; 0: as many as there are processors, or as the cluster has room for.
        weights: folder in which pretrained weights are looked up first; on every machine.
        keypoints: file of ready-made keypoints; on every machine.

    Raises:
        DoppelgramError: what is asked for does not go together, or Ray is not installed.
    """
    if engine not in ("", LOCAL, RAY):
        raise DoppelgramError(f"--engine is '{engine}'; it is {LOCAL} or {RAY}")
    if address and engine == LOCAL:
        raise DoppelgramError(f"--address goes with --engine {RAY}")
    if workers < 0:
        raise DoppelgramError(f"--workers is {workers}; it must be 1 or more")
    here = processors()
    if not engine:
        engine = RAY if address else LOCAL if workers > 1 or (not workers and files >= MANY and here > 1) else ""
    if not engine:
        return None
    doing: Engine = Cluster(workers, address) if engine == RAY else Processes(workers or here)
    # A worker of a cluster has one processor, as Ray counts; on this machine all processors are dealt out.
    threads = 1 if engine == RAY else max(1, here // (workers or here))
    given = (weights, keypoints)
    folder, file = (None if one is None else os.path.abspath(Path(one).expanduser()) for one in given)
    return Means(doing, threads, folder, file)
