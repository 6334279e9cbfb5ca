import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest

from doppelgram.catalog.store import Catalog
from doppelgram.dataset.read import read_collection
from doppelgram.errors import DoppelgramError
from doppelgram.scale import plan as plan_module
from doppelgram.scale.cluster import Cluster
from doppelgram.scale.index import Means, index_in_parts
from doppelgram.scale.worker import Order

Draw = Callable[..., Path]


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed")
def test_ray_gives_the_same_rows_though_a_worker_is_killed(
    monkeypatch: pytest.MonkeyPatch, draw_folder: Draw, tmp_path: Path, catalog: Catalog
):
    monkeypatch.setattr(plan_module, "SMALLEST", 2)
    folder = draw_folder(tmp_path / "many", classes=4, images=6)
    # Workers are new processes: what they import has to be where they look.
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    killed: list[int] = []

    def kill_one(files: int) -> None:
        if files and not killed:
            workers = subprocess.run(["pgrep", "-f", "^ray::Worker"], capture_output=True)
            mine = [int(pid) for pid in workers.stdout.split() if _is_below(int(pid))]
            os.kill(mine[0], signal.SIGKILL)
            killed.append(mine[0])

    report = index_in_parts(read_collection(folder), catalog, Means(Cluster(1)), progress=kill_one)
    assert killed
    assert report.added == len(catalog) == len(catalog.hashes()) == 24
    assert not sys.modules["ray"].is_initialized()


def _is_below(process: int) -> bool:
    """Whether a process was started by this one, however far below."""
    while process > 1:
        process = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
        if process == os.getpid():
            return True
    return False


def test_ray_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(DoppelgramError, match=r"pip install 'doppelgram\[cluster\]'"):
        Cluster()


def test_a_ray_that_others_use_is_left_alone(monkeypatch: pytest.MonkeyPatch):
    ray = MagicMock()
    ray.is_initialized.return_value = True
    ray.init.side_effect = RuntimeError("Maybe you called ray.init twice by accident?")
    monkeypatch.setitem(sys.modules, "ray", ray)
    with pytest.raises(DoppelgramError, match=r"uses Ray already; call ray\.shutdown\(\) first"):
        next(Cluster(1).run(Order("catalog", "plan"), ["part"]))
    ray.shutdown.assert_not_called()


def test_a_worker_that_cannot_start_is_not_told_as_a_part(monkeypatch: pytest.MonkeyPatch):
    """As on a machine of the cluster that has Ray, but not this program."""
    lost, ray = type("ActorDiedError", (Exception,), {}), MagicMock()
    ray.exceptions = SimpleNamespace(RayTaskError=type("RayTaskError", (Exception,), {}), RayError=lost)
    ray.is_initialized.return_value = False
    ray.cluster_resources.return_value = {"CPU": 1}
    ray.wait.side_effect = lambda answers, **_: (answers, [])
    ray.get.side_effect = lost
    monkeypatch.setitem(sys.modules, "ray", ray)
    with pytest.raises(DoppelgramError, match=r"does not start \(ActorDiedError\).*the same version"):
        next(Cluster(1).run(Order("catalog", "plan"), ["part"]))
