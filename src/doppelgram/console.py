"""How long work says how far it is: one small interface that a terminal, a notebook and a page can each implement."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress


class Advance(Protocol):
    """Moves a bar."""

    def __call__(self, steps: int, about: str = "", /) -> None:
        """So many more steps are finished; ``about`` is shown beside the bar in place of what stood there."""


class Progress(Protocol):
    """Where long work reports to. Every function of the program that takes long has an argument of this kind."""

    def bar(self, what: str, total: int) -> AbstractContextManager[Advance]:
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
    def bar(self, what: str, total: int) -> Iterator[Advance]:
        """Show nothing."""
        yield lambda steps, about="": None

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

    @contextmanager
    def bar(self, what: str, total: int) -> Iterator[Advance]:
        """A bar where somebody watches; nothing where the output goes to a file."""
        columns = (
            TextColumn("{task.description}"),
            BarColumn(32),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[about]}", markup=False),
        )
        with RichProgress(*columns, console=self.console, transient=True, disable=not can_animate(self.console)) as bar:
            task = bar.add_task(escape(what), total=total or None, about="")
            yield lambda steps, about="": bar.update(task, advance=steps, about=about)

    def note(self, text: str) -> None:
        """One line, never broken, so that a file of notes can be searched."""
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)

    def warning(self, text: str) -> None:
        """One line that begins with "warning:"."""
        self.console.print(f"warning: {text}", style="yellow", highlight=False, markup=False, soft_wrap=True)


def can_animate(console: Console) -> bool:
    """Whether what was written can be written over: in a terminal, and in a notebook that has ipywidgets."""
    if console.is_jupyter:
        return importlib.util.find_spec("ipywidgets") is not None
    return console.is_terminal
