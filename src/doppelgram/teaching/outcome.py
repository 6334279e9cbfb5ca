"""What became of answers and names that were given."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from doppelgram.numbers import count


@dataclass(frozen=True)
class Answered:
    """What became of an answer, a name or an undo.

    Attributes:
        number: of the entry in the log; 0 where a question was skipped.
        accepted: whether it counts; one that contradicts earlier answers is kept aside.
        sentence: that in words.
        settled: pairs of photographs that are certain now and were not before, below 0 after an undo.
    """

    number: int
    accepted: bool
    sentence: str
    settled: int


@dataclass(frozen=True)
class Added:
    """What became of a table of answers or names.

    Attributes:
        added: entries that are new in the log.
        known: rows, or names, that followed already.
        problems: a sentence for each row that could not be used, and for each answer that was kept aside.
    """

    added: int
    known: int
    problems: list[str]

    def sentence(self, file: Path, what: str) -> str:
        """In words what became of a file of answers or names."""
        known = f", {self.known:,} known already" if self.known else ""
        return f"{file}: {count(self.added, what)} taken in{known}."
