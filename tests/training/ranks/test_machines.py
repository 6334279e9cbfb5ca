"""The command on several machines, played by processes of this one, and what Ctrl-C does to it."""

from __future__ import annotations

import csv
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from doppelgram.api.train import train
from doppelgram.console import SilentProgress
from doppelgram.errors import DoppelgramError
from doppelgram.samples.signs import render_signs
from doppelgram.training.checkpoints import read_checkpoint
from helpers.processes import running

SMALL = ["data.size=24", "sampler.batch=16", "optimiser.precision=32"]


@pytest.fixture(scope="module")
def signs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("signs") / "signs"
    render_signs(folder, classes=4, per_class=12, size=24, seed=0)
    return folder


def start(signs: Path, out: Path, *words: str, **environment: str) -> subprocess.Popen[str]:
    changes = [word for change in SMALL for word in ("--set", change)]
    command = [sys.executable, "-m", "doppelgram", "train", str(signs), "--recipe", "triplet", "--out", str(out)]
    return subprocess.Popen(
        [*command, *changes, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ
        | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "TMPDIR": str(out.parent)}
        | environment,
    )


def losses(run: Path) -> list[float]:
    with (run / "log/metrics.csv").open(newline="", encoding="utf-8") as file:
        return [float(row["train_loss"]) for row in csv.DictReader(file)]


@pytest.mark.slow
def test_two_machines_train_as_one_does(signs: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    machines = [
        start(
            signs,
            tmp_path / f"run-{node}",
            *("--num-nodes", "2", "--set", "epochs=2"),
            MASTER_ADDR="127.0.0.1",
            MASTER_PORT=port,
            NODE_RANK=str(node),
        )
        for node in range(2)
    ]
    said = [machine.communicate(timeout=500) for machine in machines]
    assert [machine.returncode for machine in machines] == [0, 0], said
    assert "best epoch" in said[0][0]
    assert said[1][0].startswith(f"{tmp_path / 'run-1'}: done here")
    assert not (tmp_path / "run-1").exists()
    assert json.loads((tmp_path / "run-0/run.json").read_text())["processes"] == 2
    alone = train(signs, "triplet", tmp_path / "alone", overrides=[*SMALL, "epochs=2"], progress=SilentProgress())
    assert losses(tmp_path / "run-0") == pytest.approx(losses(alone.folder), abs=1e-4)
    assert running(tmp_path) == []


@pytest.mark.slow
def test_ctrl_c_ends_all_processes_and_keeps_what_was_finished(signs: Path, tmp_path: Path) -> None:
    command = start(signs, tmp_path / "run", "--devices", "2", "--set", "epochs=500")
    try:
        until = time.monotonic() + 400
        while not (tmp_path / "run/checkpoints/last.ckpt").is_file():
            assert command.poll() is None, command.communicate()
            assert time.monotonic() < until
            time.sleep(0.2)
        assert len(running(tmp_path)) == (2 if Path("/proc/self/cmdline").is_file() else 0)
        command.send_signal(signal.SIGINT)
        _, error = command.communicate(timeout=200)
    finally:
        command.kill()
    assert command.returncode == 130
    assert error.strip().splitlines()[-1].startswith(f"error: {tmp_path / 'run'}: stopped after ")
    assert "Traceback" not in error
    assert running(tmp_path) == []
    assert not list(tmp_path.glob("doppelgram-*"))
    assert read_checkpoint(tmp_path / "run/checkpoints/last.ckpt")["epoch"] >= 0


def test_what_is_not_divided_is_refused_before_anything_is_made(signs: Path, tmp_path: Path) -> None:
    quiet = SilentProgress()
    with pytest.raises(DoppelgramError, match=r"task 'arrangements', which one process trains"):
        train(signs, "posts", tmp_path / "run", devices=2, progress=quiet)
    with pytest.raises(DoppelgramError, match="set MASTER_ADDR"):
        train(signs, "triplet", tmp_path / "run", num_nodes=2, progress=quiet)
    with pytest.raises(DoppelgramError, match=r"a batch of \d+ images cannot be divided among 9 processes"):
        train(signs, "triplet", tmp_path / "run", overrides=SMALL, devices=9, progress=quiet)
    assert not (tmp_path / "run").exists()
