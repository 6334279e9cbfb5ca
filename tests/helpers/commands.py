"""The command line in this process, which is ten times as fast as one of its own: nothing is imported twice."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass

import torch

from doppelgram.cli import main


@dataclass(frozen=True)
class Answer:
    """What a command said, and its exit status."""

    status: int
    stdout: str
    stderr: str


def call(*arguments: object) -> Answer:
    """Run a command."""
    out, err = io.StringIO(), io.StringIO()
    status = 0
    with redirect_stdout(out), redirect_stderr(err):
        try:
            main(list(map(str, arguments)))
        except SystemExit as end:
            status = int(end.code or 0)
    return Answer(status, out.getvalue(), err.getvalue())


def call_with_one_thread(*arguments: object) -> Answer:
    """Run a command as a process does that was given one thread: their results can be compared bit for bit."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return call(*arguments)
    finally:
        torch.set_num_threads(before)
