"""How long work says how far it is: one small interface that a terminal, a notebook and a page can each implement."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress


class Progress(Protocol):
    """Where long work reports to. Every function of the program that takes long has an argument of this kind."""

    def bar(self, what: str, total: int) -> AbstractContextManager[Callable[[int], None]]:
        """A bar for one piece of work.

        Args:
            what: what is done, such as "reading images".
            total: number of steps; 0 if it is not known.

        Returns:
            A context that yields the function to call with the number of steps that were just finished.
        """
        ...

    def note(self, text: str) -> None:
        """A remark that needs no action."""
        ...

    def warning(self, text: str) -> None:
        """A remark that the user should act on."""
        ...


class SilentProgress:
    """Progress that nobody sees."""

    @contextmanager
    def bar(self, what: str, total: int) -> Iterator[Callable[[int], None]]:
        """Show nothing."""
        yield lambda steps: None

    def note(self, text: str) -> None:
        """Say nothing."""

    def warning(self, text: str) -> None:
        """Say nothing."""


class TerminalProgress:
    """Progress in a terminal or a notebook, on standard error, so that standard output is the answer alone.

    Args:
        console: where it is written, if not to standard error.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True)

    def bar(self, what: str, total: int) -> AbstractContextManager[Callable[[int], None]]:
        """A bar where somebody watches; nothing where the output goes to a file."""
        return progress_bar(self.console, what, total)

    def note(self, text: str) -> None:
        """One line, never broken, so that a file of notes can be searched."""
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)

    def warning(self, text: str) -> None:
        """One line that begins with "warning:"."""
        self.console.print(f"warning: {text}", style="yellow", highlight=False, markup=False, soft_wrap=True)


@contextmanager
def progress_bar(console: Console, what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on the console, if somebody watches it; yields the function that moves it by a number of steps."""
    columns = (TextColumn("{task.description}"), BarColumn(32), MofNCompleteColumn(), TimeRemainingColumn())
    with RichProgress(*columns, console=console, transient=True, disable=not can_animate(console)) as bar:
        task = bar.add_task(what, total=total or None)
        yield lambda steps: bar.update(task, advance=steps)


def can_animate(console: Console) -> bool:
    """Whether what was written can be written over: in a terminal, and in a notebook that has ipywidgets."""
    if console.is_jupyter:
        return importlib.util.find_spec("ipywidgets") is not None
    return console.is_terminal


def rich_console(progress: Progress) -> Console:
    """The console behind a progress, for functions that still take a console; a quiet one where there is none."""
    return progress.console if isinstance(progress, TerminalProgress) else Console(quiet=True)
