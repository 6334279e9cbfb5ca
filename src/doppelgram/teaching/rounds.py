"""One round: from the answers that stand to groups, questions and what they have bought; nothing on disk is touched."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from doppelgram.space.exact import Float32, Float64, Int64
from doppelgram.space.space import Space
from doppelgram.teaching.answers import PAIR, Entry
from doppelgram.teaching.graph import Graph, neighbour_graph
from doppelgram.teaching.groups import Grouping, group
from doppelgram.teaching.known import Known
from doppelgram.teaching.learned import Learned, Told, damped, learn
from doppelgram.teaching.questions import Question, Situation, most_useful
from doppelgram.teaching.reading import cut_of, found_odds
from doppelgram.teaching.state import State, described, settled


@dataclass(frozen=True)
class Group:
    """Photographs that show the same, for all that is known.

    Attributes:
        number: from 0 on, in the order of their first photographs.
        ids: of the photographs.
        name: that somebody gave to one of them; empty where nobody did.
        settled: whether answers say so of all of them.
    """

    number: int
    ids: tuple[str, ...]
    name: str
    settled: bool


class Collection:
    """Photographs to be grouped: ids, vectors, neighbours, and what distances mean.

    Args:
        ids: of n photographs.
        vectors: (n, dim).
        space: of the vectors.
        images: n names; those of one name, such as the faces of one photograph, are no neighbours.
        fingerprint: of the model that made the vectors.

    Raises:
        DoppelgramError: the space is not calibrated.
    """

    def __init__(
        self, ids: Sequence[str], vectors: Float32, space: Space, images: Sequence[str], fingerprint: str = ""
    ) -> None:
        self.ids = list(ids)
        self.space = space
        self.fingerprint = fingerprint
        self.graph: Graph = neighbour_graph(space, vectors, images)
        self.cut = cut_of(space)
        alone = group(self.graph, np.arange(len(self.ids)), np.empty((0, 2), dtype=np.int64), {}, self.cut)
        self.groups_before = int(alone.labels.max(initial=-1)) + 1

    def pair_odds(self, id_a: str, id_b: str) -> float | None:
        """Raw log-odds of two neighbours, by their ids; None where they are none."""
        at = self._edges.get(frozenset((id_a, id_b)))
        return None if at is None else float(self.graph.odds[at])

    @cached_property
    def _edges(self) -> dict[frozenset[str], int]:
        left, right = self.graph.left.tolist(), self.graph.right.tolist()
        return {frozenset((self.ids[a], self.ids[b])): at for at, (a, b) in enumerate(zip(left, right, strict=True))}


class Round:
    """What follows from some answers for a collection; everything is worked out when it is first asked for.

    Args:
        collection: the photographs.
        standing: answers that stand, oldest first.
        spelled: what to call a photograph in a sentence.
    """

    def __init__(
        self,
        collection: Collection,
        standing: Sequence[Entry],
        spelled: Callable[[str], str] = lambda id_: id_[:8],
    ) -> None:
        self.collection, self.standing = collection, standing
        ids = collection.ids
        self.known = Known.of(standing, spelled)
        self.blocks = self.known.blocks(ids)
        self.apart = self.known.apart(ids)
        self.named = dict(self.known.named(ids))

    @cached_property
    def asked(self) -> tuple[Told, tuple[Int64, Int64]]:
        """Answers to questions, and of others those about neighbours; and of each two photographs, by number.

        What was kept aside teaches nothing.
        """
        aside = {one.number for one in self.known.aside}
        told, of = [], []
        for entry in self.standing:
            if entry.kind != PAIR or entry.number in aside:
                continue
            a, b = entry.ids_a[0], entry.ids_b[0]
            own = entry.odds is not None and entry.model == self.collection.fingerprint
            at, strength = (entry.odds, entry.strength) if own else (self.collection.pair_odds(a, b), 1.0)
            if at is not None:
                told.append((at, entry.degree, strength))
                of.append((a, b))
        odds, degrees, strengths = np.array(told, dtype=np.float64).reshape(-1, 3).T
        _, numbers = np.unique(np.array(of, dtype=np.str_).reshape(-1, 2), return_inverse=True)
        left, right = numbers.reshape(-1, 2).astype(np.int64).T
        return Told(found_odds(self.collection.space, odds), degrees, strengths), (left, right)

    @cached_property
    def learned(self) -> Learned:
        """What the answers say of log-odds."""
        return learn(self.asked[0])

    @cached_property
    def cut(self) -> float:
        """Raw log-odds that the groups are cut at: by what was learned, damped while the answers are few."""
        return damped(self.collection.cut, cut_of(self.collection.space, self.learned), self.learned.n)

    @cached_property
    def grouping(self) -> Grouping:
        """The groups, and which of them may still be joined."""
        return group(self.collection.graph, self.blocks, self.apart, self.named, self.cut)

    def groups(self) -> list[Group]:
        """All groups."""
        labels, ids = self.grouping.labels, self.collection.ids
        order = np.argsort(labels, kind="stable")
        found = []
        for number, rows in enumerate(np.split(order, np.cumsum(np.bincount(labels))[:-1])):
            blocks = set(self.blocks[rows].tolist())
            name = next((self.named[block] for block in sorted(blocks) if block in self.named), "")
            found.append(Group(number, tuple(ids[row] for row in rows.tolist()), name, len(blocks) == 1))
        return found

    def questions(self, n: int, skipped: Iterable[str] = ()) -> list[Question]:
        """The n most useful questions, without those whose keys are in ``skipped``."""
        collection, known = self.collection, self.known

        def meaning(odds: Float64) -> Float64:
            return self.learned.odds(found_odds(collection.space, odds))

        situation = Situation(
            collection.ids,
            collection.graph,
            self.grouping,
            self.blocks,
            self.cut,
            meaning,
            lambda a, b: known.same(collection.ids[a], collection.ids[b]) is False,
            {*known.asked, *skipped},
            {id_ for entry in self.standing if _partly(entry) for id_ in (*entry.ids_a, *entry.ids_b)},
        )
        return most_useful(situation, n)

    def state(self, version: int) -> State:
        """What the answers have bought."""
        pairs = settled(self.blocks, self.apart, self.named)
        groups, before = int(self.grouping.labels.max(initial=-1)) + 1, self.collection.groups_before
        said = len(self.standing)
        return State(said, pairs, groups, before, described(said, pairs, groups, before), version)


def _partly(entry: Entry) -> bool:
    return entry.kind == PAIR and entry.degree not in (0.0, 1.0)
