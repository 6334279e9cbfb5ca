"""What follows from answers: which photographs are the same for certain, which are different, and what contradicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from doppelgram.space.exact import Int64
from doppelgram.teaching.answers import ASIDE, NAME, Entry, pairs_of

# Names stand among the photographs as points of their own; no id of a photograph has this in it.
_NAMED = "name:"


@dataclass(frozen=True)
class Aside:
    """An answer that does not count, since earlier ones say otherwise: its number, and that in a sentence."""

    number: int
    sentence: str


@dataclass
class Known:
    """What answers say and imply: a = b and b = c make a = c, a = b and b != c make a != c.

    Answers count in the order in which they were given. One that contradicts what follows from those before it is kept
    aside as a whole, with a sentence; once the earlier ones are taken back it counts. One that was kept aside where it
    was exported never counts. Photographs of one name are the same, those of different names different, and the latest
    name of a photograph is its name.

    Attributes:
        aside: what does not count.
        asked: pairs of ids that were answered with "partly", which says neither.
    """

    aside: list[Aside] = field(default_factory=list)
    asked: set[frozenset[str]] = field(default_factory=set)
    _parent: dict[str, str] = field(default_factory=dict)
    _sizes: dict[str, int] = field(default_factory=dict)
    _apart: dict[str, set[str]] = field(default_factory=dict)
    _name: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, standing: Sequence[Entry], spelled: Callable[[str], str] = lambda id_: id_[:8]) -> Known:
        """What follows from answers, oldest first.

        Args:
            standing: `Answers.standing`.
            spelled: what to call a photograph in a sentence.
        """
        known = cls()
        latest = {id_: entry.number for entry in standing if entry.kind == NAME for id_ in entry.ids_a}
        for entry in standing:
            if entry.kind == NAME:
                current = [id_ for id_ in entry.ids_a if latest[id_] == entry.number]
                sentences = [known._call(id_, entry.name, spelled) for id_ in current]
            elif entry.kind == ASIDE:
                sentences = [_exported_aside(entry, spelled)]
            else:
                sentences = [known._answer(entry, spelled)]
            why = next(filter(None, sentences), "")
            if why:
                known.aside.append(Aside(entry.number, why))
        return known

    def same(self, a: str, b: str) -> bool | None:
        """Whether two photographs are the same; None where that does not follow."""
        a, b = self._root(a), self._root(b)
        if a == b:
            return True
        return False if b in self._apart.get(a, ()) or self._named_apart(a, b) else None

    def name(self, id_: str) -> str:
        """What the photograph shows by its name or that of one known to be the same; empty where none has one."""
        return self._name.get(self._root(id_), "")

    def blocks(self, ids: Sequence[str]) -> Int64:
        """For each of n photographs the number of its block, int64 (n,); those of one block are the same for certain.

        Blocks are numbered from 0 in the order of their first photographs.
        """
        numbers: dict[str, int] = {}
        return np.array([numbers.setdefault(self._root(id_), len(numbers)) for id_ in ids], dtype=np.int64)

    def apart(self, ids: Sequence[str]) -> Int64:
        """Pairs of blocks, as `blocks` numbers them, that answers say are different, int64 (m, 2), each once."""
        block = {self._root(id_): int(number) for id_, number in zip(ids, self.blocks(ids), strict=True)}
        pairs = {
            (min(block[a], block[b]), max(block[a], block[b]))
            for a, others in self._apart.items()
            if a in block
            for b in others
            if b in block
        }
        return np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)

    def named(self, ids: Sequence[str]) -> Mapping[int, str]:
        """The names of blocks that have one, by the number that `blocks` gives."""
        names = ((int(number), self.name(id_)) for id_, number in zip(ids, self.blocks(ids), strict=True))
        return {number: name for number, name in names if name}

    def _answer(self, entry: Entry, spelled: Callable[[str], str]) -> str:
        """Take in a pair answer, unless it contradicts; then why not."""
        pairs = pairs_of(entry)
        if entry.degree not in (0.0, 1.0):
            self.asked |= {frozenset((pair.id_a, pair.id_b)) for pair in pairs}
            return ""
        same = entry.degree == 1
        by_root: dict[str, str] = {}  # of those that are the same already one is enough
        for id_ in (pairs[0].id_a, *(pair.id_b for pair in pairs)):
            by_root.setdefault(self._root(id_), id_)
        told = combinations(by_root.values(), 2) if same else ((pair.id_a, pair.id_b) for pair in pairs)
        wrong = next(((a, b) for a, b in told if self.same(a, b) is not same and self.same(a, b) is not None), None)
        if wrong is None:
            for pair in pairs:
                if self.same(pair.id_a, pair.id_b) is None:
                    (self._join if same else self._part)(self._root(pair.id_a), self._root(pair.id_b))
            return ""
        word, other = ("the same", "different") if same else ("different", "the same")
        a, b = map(spelled, wrong)
        return (
            f"{a} and {b} were said to be {word}, but from earlier answers it follows that they are {other}; "
            "the earlier answers count"
        )

    def _call(self, id_: str, name: str, spelled: Callable[[str], str]) -> str:
        called = self._root(_NAMED + name)
        self._name[called] = name
        if self.same(id_, called) is False:
            other = self.name(id_)
            why = f"its name is '{other}'" if other not in ("", name) else f"it is not '{name}'"
            return f"{spelled(id_)} was called '{name}', but from earlier answers it follows that {why}; those count"
        self._join(id_, called)
        return ""

    def _named_apart(self, a: str, b: str) -> bool:
        return a in self._name and b in self._name and self._name[a] != self._name[b]

    def _root(self, id_: str) -> str:
        root = id_
        while self._parent.get(root, root) != root:
            root = self._parent[root]
        while self._parent.get(id_, id_) != root:
            self._parent[id_], id_ = root, self._parent.get(id_, id_)
        return root

    def _join(self, a: str, b: str) -> None:
        a, b = self._root(a), self._root(b)
        if a == b:
            return
        if self._sizes.get(a, 1) < self._sizes.get(b, 1):
            a, b = b, a
        self._parent[b] = a
        self._sizes[a] = self._sizes.get(a, 1) + self._sizes.get(b, 1)
        if b in self._name:
            self._name[a] = self._name.pop(b)
        for other in self._apart.pop(b, ()):
            self._apart[other].discard(b)
            self._apart[other].add(a)
            self._apart.setdefault(a, set()).add(other)

    def _part(self, a: str, b: str) -> None:
        a, b = self._root(a), self._root(b)
        self._apart.setdefault(a, set()).add(b)
        self._apart.setdefault(b, set()).add(a)


def _exported_aside(entry: Entry, spelled: Callable[[str], str]) -> str:
    a, b = (spelled(ids[0]) for ids in (entry.ids_a, entry.ids_b))
    return f"what was said of {a} and {b} contradicted other answers where it was exported; it does not count here"
