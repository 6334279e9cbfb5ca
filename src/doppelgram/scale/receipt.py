"""A receipt: the data files that a worker wrote for a part, and what became of each photograph."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from doppelgram.catalog.embed import Chunk
from doppelgram.catalog.rows import Entry, file_of
from doppelgram.errors import DoppelgramError
from doppelgram.images.report import FileOutcome
from doppelgram.scale.write_once import WriteOnceStore


@dataclass(frozen=True)
class Receipt:
    """What became of a part.

    Attributes:
        part: its id.
        fragments: what Lance says of the files with its rows, as JSON text each; none where no file gave a row.
        rows: rows that each photograph gave.
        chunk: outcomes and digests of the photographs, without rows.
    """

    part: str
    fragments: tuple[str, ...]
    rows: tuple[int, ...]
    chunk: Chunk

    @classmethod
    def of(cls, part: str, chunk: Chunk, fragments: Sequence[str]) -> Receipt:
        """The receipt of a chunk whose rows were written; only the first file of some content gave them."""
        count = Counter(file_of(row.entry.id) for row in chunk.rows)
        rows = tuple(count.pop(digest, 0) for digest in chunk.digests)
        return cls(part, tuple(fragments), rows, Chunk([], chunk.outcomes, chunk.digests, chunk.without_people))

    def to_json(self) -> bytes:
        """As it is kept; paths stand in the plan and are not repeated."""
        files = [
            [one.status, one.reason, one.faces, digest, rows]
            for one, digest, rows in zip(self.chunk.outcomes, self.chunk.digests, self.rows, strict=True)
        ]
        facts = {"fragments": self.fragments, "files": files, "without_people": self.chunk.without_people}
        return json.dumps(facts, separators=(",", ":")).encode("ascii")

    @classmethod
    def from_json(cls, part: str, data: bytes, entries: Sequence[Entry] | None = None) -> Receipt:
        """Read what `to_json` wrote; outcomes name the files where the part's entries are given."""
        facts = json.loads(data)
        files = facts["files"]
        paths = [entry.path for entry in entries] if entries is not None else [""] * len(files)
        outcomes = [FileOutcome(path, *one[:3]) for path, one in zip(paths, files, strict=True)]
        chunk = Chunk([], outcomes, [one[3] for one in files], facts["without_people"])
        return cls(part, tuple(facts["fragments"]), tuple(one[4] for one in files), chunk)


class Receipts:
    """The receipts of a plan; the first for a part is the one that counts.

    Args:
        store: of the catalog's folder of plans.
        plan: its id.
    """

    def __init__(self, store: WriteOnceStore, plan: str) -> None:
        self.store = store
        self._folder = f"{plan}/receipts"

    def parts(self) -> set[str]:
        """Ids of the parts that are done."""
        return {name.rpartition("/")[2].removesuffix(".json") for name in self.store.names(self._folder)}

    def put(self, receipt: Receipt) -> bool:
        """Keep a receipt, unless another worker was faster; returns whether it is kept."""
        return self.store.put(self._name(receipt.part), receipt.to_json())

    def has(self, part: str) -> bool:
        """Whether a part is done."""
        return self.store.has(self._name(part))

    def get(self, part: str, entries: Sequence[Entry] | None = None) -> Receipt:
        """A part's receipt; its outcomes name the files where the part's entries are given.

        Raises:
            DoppelgramError: there is none, or it is damaged.
        """
        try:
            return Receipt.from_json(part, self.store.get(self._name(part)) or b"", entries)
        except (ValueError, KeyError, TypeError, IndexError):
            raise DoppelgramError(
                f"{self.store.place}/{self._name(part)}: is missing or damaged; delete it, and its part is done again"
            ) from None

    def remove(self, part: str) -> None:
        """Take a receipt back, so that the part is done again."""
        self.store.remove([self._name(part)])

    def _name(self, part: str) -> str:
        return f"{self._folder}/{part}.json"
