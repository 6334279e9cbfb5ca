"""A progress that writes down what it is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from doppelgram.console import Advance


@dataclass
class RecordingProgress:
    """Bars as ``[what, total, done]``, notes and warnings as they came."""

    bars: list[tuple[str, int, int]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @contextmanager
    def bar(self, what: str, total: int) -> Iterator[Advance]:
        done = [0]

        def advance(steps: int, about: str = "", /) -> None:
            done[0] += steps

        yield advance
        self.bars.append((what, total, done[0]))

    def note(self, text: str) -> None:
        self.notes.append(text)

    def warning(self, text: str) -> None:
        self.warnings.append(text)
