"""The command line. Every command calls one function of `doppelgram.api`, imported when it is asked for."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from typing import Any

import typer

from doppelgram.cli import (  # they add commands
    catalog,
    learn,
    models,
    reproduce,
    role_models,
    search,
    serve,
    start,
    teach,
    understand,
)
from doppelgram.cli.app import app
from doppelgram.cli.spellings import explain
from doppelgram.errors import DoppelgramError, Interrupted

__all__ = [
    "app",
    "catalog",
    "learn",
    "main",
    "models",
    "reproduce",
    "role_models",
    "search",
    "serve",
    "start",
    "teach",
    "understand",
]

# Typer carries its own click, older Typers use the package: either way this is the ClickException that it raises.
_CommandLineError: Any = typer.BadParameter.__mro__[2]

_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; every error is one line on standard error.

    Exit status: 0 done, 2 something the user can mend, 130 interrupted, 1 a fault of the program.
    """
    try:
        words = list(sys.argv[1:] if arguments is None else arguments)
        # Without a network, a library that asks a model hub hangs for minutes; only this command wants it to.
        if words[:2] != ["weights", "pull"]:
            os.environ.setdefault("HF_HUB_OFFLINE", "1")
        for stream in (sys.stdout, sys.stderr):  # a terminal that cannot show a letter shows its number
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        status = app(args=words, standalone_mode=False)
        if status == _INTERRUPTED:  # newer Typers make this of Ctrl-C, and say nothing
            _fail("interrupted", _INTERRUPTED)
        sys.exit(status if isinstance(status, int) else 0)
    except DoppelgramError as problem:
        _fail(" ".join(str(problem).split()), _INTERRUPTED if isinstance(problem, Interrupted) else 2)
    except _CommandLineError as problem:
        if type(problem).__name__ == "NoArgsIsHelpError":  # its message is the help text
            typer.echo(problem.format_message())
            sys.exit(2)
        _fail(explain(problem), 2)
    except (KeyboardInterrupt, typer.Abort):
        _fail("interrupted", _INTERRUPTED)
    except OSError as problem:
        if isinstance(problem, BrokenPipeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(141)
        where = f"{problem.filename}: " if problem.filename else ""
        _fail(f"{where}{problem.strerror or problem}", 2)
    except MemoryError:
        _fail("there is not enough memory; use a smaller data.size, sampler.batch or model", 2)
    except Exception as problem:  # no traceback reaches a user who did not ask for one
        if os.environ.get("DOPPELGRAM_DEBUG"):
            raise
        text = " ".join(str(problem).split())[:300]
        _fail(f"a fault in the program: {type(problem).__name__}: {text} (DOPPELGRAM_DEBUG=1 shows where)", 1)


def _fail(message: str, status: int) -> None:
    typer.echo(f"error: {message}", err=True)
    sys.exit(status)
