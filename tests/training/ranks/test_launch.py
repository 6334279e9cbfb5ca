"""Trainings on two processes, from the one that starts them: figures, resumption, and every way to end."""

from __future__ import annotations

import io
import os
import re
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console

from doppelgram.console import Progress, SilentProgress, TerminalProgress
from doppelgram.errors import DoppelgramError
from doppelgram.training.ranks.plan import Ranks
from doppelgram.training.trainer import Fitted, Place, fit
from helpers.processes import running
from helpers.ranks import TroubledTask, small_recipe, small_task

pytestmark = pytest.mark.slow
TWO = Ranks(2, patience=60)


def train(
    folder: Path, ranks: Ranks, *, epochs: int = 4, trouble: str = "", progress: Progress | None = None, **more: Any
) -> tuple[Fitted, TroubledTask]:
    # Of a bias before a batch norm the gradient is zero, and AdamW makes steps of whatever rounding leaves of it.
    recipe = small_recipe("semi-hard", model={"batch_norm": False}, optimiser={"epochs": epochs, "average": 0.9})
    task = small_task(recipe, TroubledTask)
    assert isinstance(task, TroubledTask)
    task.trouble = trouble
    task.ports = str(folder.with_suffix(".ports"))
    place = Place.of_run(folder)
    fitted = fit(task, recipe.stopping, place, progress or SilentProgress(), ranks=ranks, **more)
    return fitted, task


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Fitted, TroubledTask, str]:
    folder, out = tmp_path_factory.mktemp("two") / "run", io.StringIO()
    fitted, task = train(folder, TWO, progress=TerminalProgress(Console(file=out, width=200)))
    return folder, fitted, task, out.getvalue()


def state(folder: Path) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = torch.load(folder / "checkpoints/last.ckpt", weights_only=True)["state_dict"]
    return found


def test_two_processes_train_as_one_does(two: tuple[Path, Fitted, TroubledTask, str], tmp_path: Path) -> None:
    folder, fitted, task, printed = two
    alone, same = train(tmp_path / "one", Ranks())
    assert len(fitted.history) == len(alone.history) == 4
    for mine, theirs in zip(fitted.history, alone.history, strict=True):
        assert set(mine) == set(theirs)
        for name in ("train_loss", "val_loss", "val_spread", "train_positive_distance"):
            assert mine[name] == pytest.approx(theirs[name], abs=1e-4), name
    assert fitted.best_epoch == alone.best_epoch
    for name, value in task.network.state_dict().items():
        torch.testing.assert_close(value, same.network.state_dict()[name], atol=1e-3, rtol=1e-3)
    assert [line[:11] for line in printed.splitlines()] == [f"epoch   {epoch}/4" for epoch in (1, 2, 3, 4)]
    assert len((folder / "log/metrics.csv").read_text().splitlines()) == 5


@pytest.mark.skipif(not Path("/proc/self/net/tcp").is_file(), reason="the system has no such table")
def test_one_machine_listens_to_itself_alone(two: tuple[Path, Fitted, TroubledTask, str]) -> None:
    addresses = re.findall(r'"(\w+)"', two[0].with_suffix(".ports").read_text())
    assert addresses
    assert set(addresses) == {"0100007F"}  # 127.0.0.1


def test_a_resumed_training_ends_with_the_same_bits(
    two: tuple[Path, Fitted, TroubledTask, str], tmp_path: Path
) -> None:
    first, _ = train(tmp_path / "run", TWO, epoch_done=stop_after(2))
    assert first.interrupted
    assert 1 <= len(first.history) < 4
    fitted, task = train(tmp_path / "run", TWO, resume=True)
    assert [epoch["epoch"] for epoch in fitted.history] == [1, 2, 3, 4]
    for name, value in state(two[0]).items():
        assert torch.equal(state(tmp_path / "run")[name], value), name
    for name, value in two[2].network.state_dict().items():
        assert torch.equal(task.network.state_dict()[name], value), name


def test_one_process_goes_on_where_two_stopped(two: tuple[Path, Fitted, TroubledTask, str], tmp_path: Path) -> None:
    shutil.copytree(two[0], tmp_path / "run")
    fitted, _ = train(tmp_path / "run", Ranks(), epochs=5, resume=True)
    assert fitted.history[:4] == two[1].history
    assert [epoch["epoch"] for epoch in fitted.history] == [1, 2, 3, 4, 5]


def stop_after(epochs: int) -> Any:
    """Have the process that starts the others get Ctrl-C once so many epochs are done."""
    left = [epochs]

    def done() -> None:
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGINT)

    return done


@pytest.mark.parametrize(
    ("trouble", "sentence"),
    [
        ("raises", r"process 1 of 2 failed \(ValueError: the fourth batch is unlucky\)"),
        ("dies", r"process 1 of 2 was killed"),
        ("hangs", r"process 0 of 2 waited in vain for another one for 5 s"),
    ],
)
def test_a_process_in_trouble_ends_all_with_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: str, sentence: str
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    started = time.monotonic()
    with pytest.raises(DoppelgramError, match=sentence):
        train(tmp_path / "run", Ranks(2, patience=5), trouble=trouble)
    assert time.monotonic() - started < 200
    assert running(tmp_path) == []
    assert not list(tmp_path.glob("doppelgram-*"))
