"""What does the parts of a plan: processes of this machine, or a cluster."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Protocol

from doppelgram.errors import DoppelgramError
from doppelgram.scale.worker import Order

TRIES = 3
"""How often a part is begun that ends its worker each time."""


class Engine(Protocol):
    """Workers, wherever they are."""

    def run(self, order: Order, parts: Sequence[str]) -> Generator[str, None, None]:
        """Do parts, in any order.

        Yields:
            The id of a part once its receipt is kept.

        Raises:
            DoppelgramError: a part cannot be done; whoever closes the iterator early ends the workers.
        """
        ...


def given_up(part: str, reason: str) -> DoppelgramError:
    """What is said of a part that cannot be done."""
    return DoppelgramError(
        f"part {part} of the plan ended its worker {TRIES} times ({reason}); the files of the part are listed in "
        f"plans/*/parts/{part}.json of the catalog; what is done is kept, and the same command goes on from here"
    )
