"""A job whose driver is killed at random moments; `benchmarks/kills.py` does more of it."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from doppelgram.catalog.store import Catalog

DRIVER = """
import sys
from doppelgram.cli import main
from doppelgram.scale import index, plan
plan.SMALLEST, index.COMMIT_SECONDS = 4, 0.0
main(sys.argv[1:])
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the system has no such signal")
def test_a_killed_driver_is_started_again(tmp_path: Path, model_folder: Path, draw_folder: Callable[..., Path]):
    photos, folder = draw_folder(tmp_path / "many", classes=4, images=20), tmp_path / "catalog"
    arguments = ["index", photos, "--model", model_folder, "--catalog", folder, "--engine", "local", "--workers", "1"]
    command = [sys.executable, "-c", DRIVER, *map(str, arguments)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    receipts = random.Random(time.time()).randint(1, 15)
    with subprocess.Popen(command, env=environment) as child:
        while child.poll() is None and len(list(folder.glob("plans/*/receipts/*.json"))) < receipts:
            time.sleep(0.01)
        child.send_signal(signal.SIGKILL)
    ids = Catalog.open(folder).rows(["id"])["id"]
    assert ids.is_unique
    assert len(ids) < 80
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout.split(" in ")[0]) == (0, "80 added"), done.stderr
    catalog = Catalog.open(folder)
    assert len(catalog) == len(catalog.hashes()) == 80
