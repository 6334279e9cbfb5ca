import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from doppelgram.catalog.store import Catalog
from doppelgram.dataset.read import read_collection
from doppelgram.errors import DoppelgramError
from doppelgram.scale import plan as plan_module
from doppelgram.scale.cluster import Cluster
from doppelgram.scale.index import Means, index_in_parts

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
