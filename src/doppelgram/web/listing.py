"""What a catalog holds, in memory: the facts of its photographs, and with them their vectors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from doppelgram.errors import DoppelgramError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from doppelgram.catalog.search.searcher import Searcher

_MOST_NAMED = 500


class Missing(DoppelgramError):
    """What was asked for by its name is not there, or not any more."""


@dataclass(frozen=True)
class Listing:
    """What a catalog knew of its photographs at one moment.

    Attributes:
        facts: ``id``, ``name``, ``label``, ``author``, ``timestamp``, in the order of the ids.
    """

    facts: pd.DataFrame

    @cached_property
    def position(self) -> Mapping[str, int]:
        """Where each id stands."""
        return {id_: row for row, id_ in enumerate(self.facts["id"].tolist())}

    def most_frequent(self, column: str) -> list[str]:
        """Values of a column, the most frequent first."""
        found = Counter(value for value in self.facts[column].tolist() if value)
        return [value for value, _ in found.most_common(_MOST_NAMED)]

    def among(
        self, label: str = "", author: str = "", since: datetime | None = None, until: datetime | None = None
    ) -> NDArray[np.bool_] | None:
        """Which rows (n,) pass the filters; None where all do."""
        if not (label or author or since or until):
            return None
        allowed = np.ones(len(self.facts), dtype=bool)
        for column, wanted in (("label", label), ("author", author)):
            if wanted:
                allowed &= (self.facts[column] == wanted).to_numpy()
        if since is not None:
            allowed &= (self.facts["timestamp"] >= since).to_numpy()
        if until is not None:
            allowed &= (self.facts["timestamp"] <= until).to_numpy()
        return allowed


@dataclass(frozen=True)
class Opened(Listing):
    """The same with its vectors, ready to be searched.

    Attributes:
        searcher: the vectors, in the same order.
    """

    searcher: Searcher
