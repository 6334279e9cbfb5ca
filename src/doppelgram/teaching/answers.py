"""The log of what people answered about the photographs of a catalog: nothing that stands in it is ever lost."""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from doppelgram.catalog.folder import DATABASE_FOLDER, plain_errors
from doppelgram.catalog.rows import connect, is_id
from doppelgram.errors import DoppelgramError

TABLE = "answers"
PAIR, NAME, UNDO, ASIDE = KINDS = ("pair", "name", "undo", "aside")

# As in the catalog itself: past so many pieces reading takes noticeably longer than joining them.
_MOST_FRAGMENTS = 64


@dataclass(frozen=True)
class Entry:
    """One thing that somebody said.

    Attributes:
        kind: ``pair``, ``name``, ``undo``, or ``aside`` for a pair that did not count where it was exported.
        ids_a: of a pair, the photographs of one side, the one that stands for them first; of a name, those named.
        ids_b: of a pair, those of the other side.
        degree: of a pair, 1 for the same, 0 for different, between for partly.
        name: of a name.
        undoes: of an undo, the number of the entry that it takes back; else 0.
        who: who said it, in words; may be empty.
        odds: of an answer to a question of the queue, the mean raw log-odds of the pairs of both sides; else None.
        strength: by how much these counted, as the sides were larger than a photograph.
        model: fingerprint of the model that the log-odds are of.
        when: UTC.
        number: from 1 on, in the order in which the entries went in.
        token: tells entries of two processes apart that asked for the same number.
    """

    kind: str
    ids_a: tuple[str, ...] = ()
    ids_b: tuple[str, ...] = ()
    degree: float | None = None
    name: str = ""
    undoes: int = 0
    who: str = ""
    odds: float | None = None
    strength: float = 1.0
    model: str = ""
    when: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    number: int = 0
    token: str = ""


class Pair(NamedTuple):
    """What an answer says of two photographs: ids, degree, the answer's number, who said it and when (UTC)."""

    id_a: str
    id_b: str
    degree: float
    number: int
    who: str
    when: datetime


class Said(NamedTuple):
    """A pair answer to be added.

    Attributes:
        ids_a: photographs of one side, the one that stands for it first.
        ids_b: of the other side.
        degree: from 0 to 1.
        odds: as in `Entry`.
        strength: as in `Entry`.
        model: as in `Entry`.
        who: who said it; empty for whoever adds it.
        aside: whether it is kept without counting.
    """

    ids_a: Sequence[str]
    ids_b: Sequence[str]
    degree: float
    odds: float | None = None
    strength: float = 1.0
    model: str = ""
    who: str = ""
    aside: bool = False


class Answers:
    """The log in a catalog's own database, made when something is first said.

    Entries are only ever appended; taking one back is an entry, too. Several processes may answer at once: each entry
    gets a number of its own, and every read sees all that was added before it.

    Args:
        folder: the catalog's.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._opened: Any = None

    def __len__(self) -> int:
        """How many entries there are; undoes count."""
        table = self._table(make=False)
        with plain_errors(self.folder, "read"):
            return 0 if table is None else int(table.count_rows())

    def history(self) -> list[Entry]:
        """All entries, oldest first."""
        table = self._table(make=False)
        if table is None:
            return []
        with plain_errors(self.folder, "read"):
            rows = table.search().to_arrow().to_pylist()
        entries = [Entry(**row | {side: tuple(row[side]) for side in ("ids_a", "ids_b")}) for row in rows]
        return sorted(entries, key=lambda entry: entry.number)

    def standing(self) -> list[Entry]:
        """The answers and names that nobody took back, oldest first."""
        return still_standing(self.history())

    def names(self) -> Mapping[str, str]:
        """The latest name of each photograph that has one, by id."""
        return {id_: entry.name for entry in self.standing() if entry.kind == NAME for id_ in entry.ids_a}

    def add_pairs(self, said: Sequence[Said], who: str = "") -> list[int]:
        """Append pair answers in one commit; of each the number.

        Raises:
            DoppelgramError: an id or a degree is none, a side is empty, a photograph stands on both sides, or the disk
                cannot be written.
        """
        entries = []
        for one in said:
            a, b, degree = _ids(one.ids_a), _ids(one.ids_b), one.degree
            if set(a) & set(b):
                raise DoppelgramError("an answer compares a photograph with itself; name two different ones")
            if not 0 <= degree <= 1:
                raise DoppelgramError(f"the degree of an answer is {degree:g}; it must lie between 0 and 1")
            entry = Entry(PAIR, a, b, float(degree), odds=one.odds, strength=one.strength, model=one.model)
            entries.append(replace(entry, kind=ASIDE if one.aside else PAIR, who=who or one.who))
        return self._append(entries)

    def name(self, ids: Sequence[str], name: str, who: str = "") -> int:
        """Append the name of photographs, which are then the same; the number of the entry.

        Raises:
            DoppelgramError: an id is none, the name is empty, or the disk cannot be written.
        """
        name = " ".join(name.split())
        if not name:
            raise DoppelgramError("a name is empty; write one, or leave it out")
        if any(unicodedata.category(letter).startswith("C") for letter in name):
            raise DoppelgramError("a name has characters that cannot be seen; write it without them")
        return self._append([Entry(NAME, _ids(ids), name=name, who=who)])[0]

    def name_all(self, named: Mapping[str, Sequence[str]], who: str = "") -> list[int]:
        """Append several names at once, each with the ids of its photographs."""
        return self._append([Entry(NAME, _ids(ids), name=name, who=who) for name, ids in named.items()])

    def undo(self, who: str = "") -> Entry | None:
        """Take back the latest entry that still stands; what it was, or None where nothing stands."""
        standing = self.standing()
        if not standing:
            return None
        self._append([Entry(UNDO, undoes=standing[-1].number, who=who)])
        return standing[-1]

    def _append(self, entries: Sequence[Entry]) -> list[int]:
        table, now = self._table(make=True), datetime.now(UTC)
        waiting = [replace(entry, when=now, token=secrets.token_hex(8)) for entry in entries]
        tokens, numbers = [entry.token for entry in waiting], dict[str, int]()
        with plain_errors(self.folder, "written"):
            while waiting:
                taken = table.search().select(["number"]).to_arrow()["number"].to_pylist()
                waiting = [replace(entry, number=max(taken, default=0) + at) for at, entry in enumerate(waiting, 1)]
                merge = table.merge_insert("number").when_not_matched_insert_all()
                merge.execute(_rows(waiting))
                # Of two processes that took the same number one finds it taken, and takes another.
                lowest = min(entry.number for entry in waiting)
                there = table.search().where(f"number >= {lowest}").select(["number", "token"]).to_arrow()
                got = dict(zip(there["token"].to_pylist(), there["number"].to_pylist(), strict=True))
                numbers |= {entry.token: got[entry.token] for entry in waiting if entry.token in got}
                waiting = [entry for entry in waiting if entry.token not in got]
        with suppress(OSError, RuntimeError):  # another writer may get in between; the next one does it
            if table.stats()["fragment_stats"]["num_fragments"] > _MOST_FRAGMENTS:
                table.optimize()
        return [numbers[token] for token in tokens]

    def _table(self, *, make: bool) -> Any:
        """The table; None where there is none and none is to be made."""
        if self._opened is None:
            with plain_errors(self.folder, "read"):
                database = connect(self.folder / DATABASE_FOLDER)
                with suppress(ValueError):  # there is none
                    self._opened = database.open_table(TABLE)
                if self._opened is None and make:
                    with suppress(ValueError):  # another process was faster
                        database.create_table(TABLE, schema=_schema())
                    self._opened = database.open_table(TABLE)
        return self._opened


def still_standing(history: Sequence[Entry]) -> list[Entry]:
    """The answers and names of a history that nobody took back."""
    undone = {entry.undoes for entry in history if entry.kind == UNDO}
    return [entry for entry in history if entry.kind != UNDO and entry.number not in undone]


def pairs_said(ids_a: Sequence[str], ids_b: Sequence[str], degree: float) -> list[tuple[str, str]]:
    """The pairs of photographs that an answer about two sides settles by itself.

    Who says that two groups show the same says it of every photograph shown: the first is the same as each other one.
    Who says that they are different, or partly the same, says it of the two that stand for the groups.
    """
    others = (*ids_a[1:], *ids_b) if degree == 1 else ids_b[:1]
    return [(ids_a[0], other) for other in others]


def pairs_of(entry: Entry) -> list[Pair]:
    """The pairs of a pair answer, see `pairs_said`, with its degree and where it comes from."""
    assert entry.degree is not None
    pairs = pairs_said(entry.ids_a, entry.ids_b, entry.degree)
    return [Pair(a, b, entry.degree, entry.number, entry.who, entry.when) for a, b in pairs]


def _ids(ids: Sequence[str]) -> tuple[str, ...]:
    listed = tuple(dict.fromkeys(ids))
    if not listed:
        raise DoppelgramError("an answer names no photograph; give one or more")
    for text in listed:
        if not is_id(text):
            raise DoppelgramError(f"{text[:80]!r} is not the id of a photograph in a catalog")
    return listed


def _schema() -> Any:
    import pyarrow as pa

    # The key tells the engine that of two processes that insert the same number at once the second has to notice.
    key = {"lance-schema:unenforced-primary-key": "true", "lance-schema:unenforced-primary-key:position": "1"}
    return pa.schema(
        [
            pa.field("number", pa.int64(), nullable=False, metadata=key),
            pa.field("kind", pa.string()),
            pa.field("ids_a", pa.list_(pa.string())),
            pa.field("ids_b", pa.list_(pa.string())),
            pa.field("degree", pa.float64()),
            pa.field("name", pa.string()),
            pa.field("undoes", pa.int64()),
            pa.field("who", pa.string()),
            pa.field("odds", pa.float64()),
            pa.field("strength", pa.float64()),
            pa.field("model", pa.string()),
            pa.field("when", pa.timestamp("us", tz="UTC")),
            pa.field("token", pa.string()),
        ]
    )


def _rows(entries: Sequence[Entry]) -> Any:
    import pyarrow as pa

    schema = _schema()
    return pa.table({name: [getattr(entry, name) for entry in entries] for name in schema.names}, schema=schema)
