"""The one process of a job that makes rows visible: what has a receipt and is not in the table is appended."""

from __future__ import annotations

import time
from collections.abc import Iterable

from doppelgram.errors import DoppelgramError
from doppelgram.scale.receipt import Receipts
from doppelgram.scale.table import Table

_TRIES = 5
_PAUSE = 0.2  # seconds before the second try; doubled for each further one


class Committer:
    """Appends parts, each once.

    Lance takes the same data files twice, and compaction gives their rows new files: only the column ``part`` tells
    whether a part is in the table. It is read at the start, and again after every commit that did not say that it
    succeeded: the rows may be in all the same.

    Args:
        table: of the catalog.
        receipts: of the plan.
    """

    def __init__(self, table: Table, receipts: Receipts) -> None:
        self._table = table
        self._receipts = receipts
        self._there = table.parts()

    def commit(self, parts: Iterable[str]) -> list[str]:
        """Append what is not there of these parts, in one commit.

        Returns:
            Parts whose data files are gone, with their receipts: they have to be done again.

        Raises:
            DoppelgramError: the table cannot be written.
        """
        wanted, lost = {}, []
        for part in parts:
            if part in self._there:
                continue
            fragments = self._receipts.get(part).fragments
            if self._table.has_all(fragments):
                wanted[part] = fragments
            else:
                self._receipts.remove(part)
                lost.append(part)
        for number in range(_TRIES):
            missing = {part: named for part, named in wanted.items() if named and part not in self._there}
            if not missing:
                break
            try:
                self._table.append([text for named in missing.values() for text in named])
                self._there.update(missing)
            except Exception as problem:  # whatever was raised, only the table tells whether the rows are in
                if number == _TRIES - 1:
                    reason = " ".join(str(problem).split())[:200]
                    raise DoppelgramError(f"{self._table.catalog}: the catalog cannot be written: {reason}") from None
                time.sleep(_PAUSE * 2**number)
                self._there = self._table.parts()
        return lost
