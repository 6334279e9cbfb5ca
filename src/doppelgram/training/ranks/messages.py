"""What a process of a training says to the one that started it: one line of JSON a message."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from doppelgram.console import Advance, Progress

Say = Callable[[dict[str, Any]], None]


class SentProgress:
    """Progress that is told to another process, which shows it; see `Shown`."""

    def __init__(self, say: Say) -> None:
        self.say = say
        self._bars = 0

    @contextmanager
    def bar(self, what: str, total: int) -> Iterator[Advance]:
        """A bar there."""
        self._bars += 1
        number = self._bars
        self.say({"bar": number, "what": what, "total": total})
        try:
            yield lambda steps, about="": self.say({"moved": number, "steps": steps, "text": about})
        finally:
            self.say({"closed": number})

    def note(self, text: str) -> None:
        """A remark there."""
        self.say({"note": text})

    def warning(self, text: str) -> None:
        """A warning there."""
        self.say({"warning": text})


class Shown:
    """Shows what `SentProgress` tells; as a context it takes all bars away in the end."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self._bars: dict[int, tuple[ExitStack, Advance]] = {}

    def __enter__(self) -> Shown:
        return self

    def __exit__(self, *_: object) -> None:
        for stack, _advance in self._bars.values():
            stack.close()

    def take(self, said: dict[str, Any]) -> None:
        """Show a message; one that is not about progress is passed over."""
        if "bar" in said:
            stack = ExitStack()
            self._bars[said["bar"]] = stack, stack.enter_context(self.progress.bar(said["what"], said["total"]))
        elif "moved" in said:
            self._bars[said["moved"]][1](said["steps"], said["text"])
        elif "closed" in said:
            self._bars.pop(said["closed"])[0].close()
        elif "note" in said:
            self.progress.note(said["note"])
        elif "warning" in said:
            self.progress.warning(said["warning"])


def encoded(said: dict[str, Any]) -> bytes:
    """A message as it is sent."""
    return (json.dumps(said) + "\n").encode("ascii")
