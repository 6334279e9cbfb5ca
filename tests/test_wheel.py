"""The script that tries the wheel knows every extra; what it does takes minutes, and is done by `make wheel`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def test_every_extra_is_asked_for_by_a_command_or_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import try_wheel

    extras = set(try_wheel.project()["optional-dependencies"]) - try_wheel.JOINT
    assert {try_wheel.steps_without(extra).says for extra in try_wheel.extras_of_commands()} == {
        f"doppelgram[{extra}]" for extra in extras - set(try_wheel.FOR_PYTHON)
    }
    assert set(try_wheel.FOR_PYTHON) <= extras


def test_a_call_without_its_extra_prints_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import try_wheel

    for extra, call in try_wheel.FOR_PYTHON.items():
        absent = f"import sys; sys.modules[{extra!r}] = None\n{try_wheel.asking(call)}"
        done = subprocess.run([sys.executable, "-c", absent], capture_output=True, text=True, check=True)
        assert f"doppelgram[{extra}]" in done.stdout
