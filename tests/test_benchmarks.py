"""Benchmarks follow the code: every one of them can at least be imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
_IMPORT_ALL = """
import runpy, sys
for file in sys.argv[1:]:
    try:
        runpy.run_path(file)
    except ImportError as problem:
        print(file, problem)
"""


@pytest.mark.slow
def test_every_benchmark_can_be_imported() -> None:
    files = sorted(str(file) for file in BENCHMARKS.glob("*.py"))
    assert files
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(BENCHMARKS)!r})\n{_IMPORT_ALL}", *files],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr
