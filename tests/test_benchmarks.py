"""Benchmarks follow the code: every one of them can at least be imported."""

from __future__ import annotations

import argparse
import re
import runpy
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


def test_every_benchmark_is_documented_and_run_by_make_bench() -> None:
    scripts = {file.name for file in BENCHMARKS.glob("*.py") if "__main__" in file.read_text(encoding="utf-8")}
    made = (BENCHMARKS.parent / "Makefile").read_text(encoding="utf-8")
    page = (BENCHMARKS.parent / "docs/benchmarks.md").read_text(encoding="utf-8")
    assert scripts - set(re.findall(r"benchmarks/(\w+\.py)", made)) == {"calibration.py"}
    assert scripts == set(re.findall(r"^\| `(\w+\.py)`", page, flags=re.MULTILINE))


def test_the_page_of_the_exercise_names_the_options_that_made_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the script are those of the command, in the page as in the code."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    changes = runpy.run_path(str(BENCHMARKS / "lookalike.py"))["changes"]
    given = argparse.Namespace(epochs=8, images=20, backbone=["small"], set=["optimiser.lr=1"])
    assert changes(given) == " --epochs 8 --images 20 --backbone small --set optimiser.lr=1"
    page = (BENCHMARKS.parent / "docs/lookalike.md").read_text(encoding="utf-8")
    script = re.search(r"`python benchmarks/lookalike.py --data DIR(.*?)`", page)
    command = re.search(r"`doppelgram reproduce lookalike .*? --out OUT(.*?)`", page)
    assert script is not None
    assert command is not None
    assert script[1] == command[1] != ""
