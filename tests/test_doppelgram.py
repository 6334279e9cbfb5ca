"""What ``import doppelgram`` offers."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import doppelgram


def test_every_name_is_there_and_is_what_type_checkers_see() -> None:
    assert all(getattr(doppelgram, name) is not None for name in doppelgram.__all__)
    tree = ast.parse(Path(doppelgram.__file__).read_text(encoding="utf-8"))
    seen = {
        alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("doppelgram.")
        for alias in node.names
    }
    assert seen == doppelgram._MODULES
    assert set(dir(doppelgram)) == set(doppelgram.__all__)


def test_importing_costs_nothing() -> None:
    code = "import sys, doppelgram; print([name for name in sys.modules if name.startswith('doppelgram.')])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
