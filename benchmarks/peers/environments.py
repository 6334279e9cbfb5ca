"""An environment for each tool, in a folder that the user names, and running a program in it while it is measured."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
TOOLS = HERE / "tools"
SOURCES = HERE.parents[1] / "src"
INSTALL_SECONDS = 1200
# One thread each, ours too, so that seconds are seconds of one core.
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"), "1"
)


class CannotRun(Exception):
    """A tool that did not do what it was asked; the message says what stood in the way."""


@dataclass(frozen=True)
class Used:
    """What a program took: seconds by the clock and of the processor, and the most memory in megabytes."""

    seconds: float
    processor: float
    peak_mb: float


def requirements(name: str) -> Path:
    """The committed file with the exact versions of an environment."""
    return HERE / f"{name}.txt"


def environment(name: str, folder: Path) -> Path:
    """The Python of an environment, made and filled on first use; nothing is fetched when it is there already.

    Raises:
        CannotRun: it could not be installed; with the last line of the installer.
    """
    home = folder.resolve() / name
    python, mark = home / "bin" / "python", home / "installed"
    wanted = hashlib.sha256(requirements(name).read_bytes()).hexdigest()
    if mark.is_file() and mark.read_text(encoding="utf-8") == wanted:
        return python
    print(f"installing {name} into {home}", flush=True)
    _quiet([sys.executable, "-m", "venv", "--clear", str(home)], name)
    # The files name everything, so that nothing is left to be resolved.
    _quiet([str(python), "-m", "pip", "install", "-q", "--no-deps", "-r", str(requirements(name))], name)
    mark.write_text(wanted, encoding="utf-8")
    return python


def _quiet(command: list[str], name: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        raise CannotRun(f"{name} cannot be installed: that took more than {INSTALL_SECONDS:g} s") from None
    if done.returncode:
        raise CannotRun(f"{name} cannot be installed: {last_line(done.stderr)}")


def versions(name: str, *packages: str) -> str:
    """The pinned version of each package in an environment's file; with the package's name from the second on."""
    pinned = dict(
        line.split("==") for line in requirements(name).read_text(encoding="utf-8").splitlines() if "==" in line
    )
    return ", ".join(
        f"{package} {pinned[package]}" if place else pinned[package] for place, package in enumerate(packages)
    )


def run_tool(
    python: Path, script: str, job: dict[str, Any], folder: Path, seconds: float = 900, **extra: str
) -> tuple[dict[str, Any], Used]:
    """Run ``tools/<script>`` with a job and return what it wrote to ``answer.json``, and what it took.

    Args:
        python: of the environment.
        script: file name; it is called with the file of the job.
        job: what it is told; ``out`` is set to the folder.
        folder: for its files.
        seconds: after which it is stopped.
        extra: further variables of the environment.

    Raises:
        CannotRun: it failed, or took too long.
    """
    folder.mkdir(parents=True, exist_ok=True)
    order = folder / "job.json"
    order.write_text(json.dumps({**job, "out": str(folder)}), encoding="utf-8")
    used = measured([str(python), str(TOOLS / script), str(order)], folder, seconds, PYTHONPATH=str(SOURCES), **extra)
    answer: dict[str, Any] = json.loads((folder / "answer.json").read_text(encoding="utf-8"))
    return answer, used


def measured(command: list[str], folder: Path, seconds: float = 900, cwd: Path | None = None, **extra: str) -> Used:
    """Run a command in the folder, or in ``cwd``, its output kept in ``log.txt`` of the folder.

    Raises:
        CannotRun: it failed, or took too long.
    """
    log = folder / "log.txt"
    # Nothing of the machine's own settings, and no network: what is not there is missing, not fetched.
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    home = folder / "home"
    home.mkdir(exist_ok=True)
    offline = {"HF_HUB_OFFLINE": "1", "NO_ALBUMENTATIONS_UPDATE": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "HOME": str(home)}
    usage = folder / "usage.json"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, str(TOOLS / "measure.py"), str(usage), *command],
            cwd=cwd or folder,
            stdout=sink,
            stderr=subprocess.STDOUT,
            env={**kept, **ONE_THREAD, **offline, **extra},
            start_new_session=True,
        )
        try:
            status = process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise CannotRun(f"took more than {seconds:g} s") from None
    if status:
        raise CannotRun(last_line(log.read_text(encoding="utf-8", errors="replace")))
    return Used(**json.loads(usage.read_text(encoding="utf-8")))


def last_line(text: str) -> str:
    """What a failed program said last, without addresses."""
    lines = [re.sub(r"https?://\S+", "[address]", line).strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "nothing was said"


def written_lines(*files: Path) -> int:
    """Lines that a tool's user writes: code between ``# begin`` and ``# end``; of other files, all.

    Empty lines and comments do not count.
    """
    total = 0
    for file in files:
        lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
        if "# begin" in lines:
            inside, kept = False, []
            for line in lines:
                inside = (inside or line == "# begin") and line != "# end"
                kept += [line] if inside else []
            lines = kept
        total += sum(bool(line) and not line.startswith("#") for line in lines)
    return total
