"""What a terminal, a file and a notebook show of long work."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from doppelgram import console as module
from doppelgram.console import Progress, SilentProgress, TerminalProgress, can_animate
from helpers.progress import RecordingProgress


def work(progress: Progress) -> None:
    progress.note("3 images [a]")
    with progress.bar("reading", 3) as advance:
        for _ in range(3):
            advance(1)
    progress.warning("one is dark")


def test_a_file_gets_the_remarks_and_no_bar() -> None:
    file = io.StringIO()
    work(TerminalProgress(Console(file=file, width=8)))
    assert file.getvalue().splitlines() == ["3 images [a]", "warning: one is dark"]


def test_a_terminal_gets_a_bar() -> None:
    file = io.StringIO()
    work(TerminalProgress(Console(file=file, force_terminal=True, width=80)))
    assert "reading" in file.getvalue()
    assert "3/3" in file.getvalue()


def test_silence(capfd: pytest.CaptureFixture[str]) -> None:
    work(SilentProgress())
    assert capfd.readouterr() == ("", "")


def test_any_other_place_can_be_written_to() -> None:
    recording = RecordingProgress()
    work(recording)
    assert recording == RecordingProgress([("reading", 3, 3)], ["3 images [a]"], ["one is dark"])


@pytest.mark.parametrize("widgets", [True, False])
def test_a_notebook_gets_a_bar_where_widgets_are_installed(widgets: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: object() if widgets else None)
    assert can_animate(Console(file=io.StringIO(), force_jupyter=True)) is widgets


def test_a_bar_of_unknown_length() -> None:
    file = io.StringIO()
    with TerminalProgress(Console(file=file, force_terminal=True, width=80)).bar("fetching", 0) as advance:
        advance(5)
    assert "fetching" in file.getvalue()
