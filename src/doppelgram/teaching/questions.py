"""The questions that are worth asking, most useful first."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from doppelgram.numbers import count, probability
from doppelgram.space.calibration import sigmoid
from doppelgram.space.exact import Float64, Int64
from doppelgram.teaching.graph import Graph
from doppelgram.teaching.groups import FLOOR, Grouping

MERGE, ASK_PAIR, SPLIT = "merge", "pair", "split"
SHOWN = 6
"""So many photographs stand for a group at most."""

# Merges less likely than this are not worth a question, nor are members more likely than that in their place.
_LEAST, _MOST = 0.02, 0.9
# Of a member of a group that was said to be the same only in part it is an open question.
_DOUBT = 0.5


@dataclass(frozen=True)
class Question:
    """Whether two groups, two photographs, or a photograph and its group show the same.

    Attributes:
        key: names the question; the same photographs give the same key.
        kind: ``merge`` for two groups, ``pair`` for two photographs, ``split`` for a doubtful member of a group.
        ids_a: photographs that are shown of one side, the most typical one first.
        ids_b: of the other side.
        size_a: how many photographs the side has.
        size_b: likewise.
        probability: of the same.
        gain: pairs that the answer settles times how likely it is: a yes, or for a split a no.
        reason: why it is asked, in one sentence.
        odds: mean raw log-odds of the pairs of both sides, which no answer changes.
        strength: by how much these count; see `strength`.
    """

    key: str
    kind: str
    ids_a: tuple[str, ...]
    ids_b: tuple[str, ...]
    size_a: int
    size_b: int
    probability: float
    gain: float
    reason: str
    odds: float
    strength: float


class Situation(NamedTuple):
    """What questions are made of.

    Attributes:
        ids: of n photographs.
        graph: their neighbours.
        grouping: their groups.
        blocks: int64 (n,), those that are the same for certain.
        cut: raw log-odds that the groups were cut at.
        meaning: from raw log-odds to the log-odds that a neighbour is the same, by all that the answers have taught.
        apart: whether two photographs are known to be different, by row.
        asked: pairs of ids, as frozen sets, and keys that are not to be asked about again.
        doubted: ids in groups that were said to be the same only in part.
    """

    ids: Sequence[str]
    graph: Graph
    grouping: Grouping
    blocks: Int64
    cut: float
    meaning: Callable[[Float64], Float64]
    apart: Callable[[int, int], bool]
    asked: Container[object]
    doubted: Container[str]


class _Candidate(NamedTuple):
    """Two groups, the two sides of a join, or two rows, by number, and what an answer is worth."""

    gain: float
    kind: str
    a: int
    b: int
    probability: float
    odds: float
    strength: float = 1.0


def most_useful(situation: Situation, n: int) -> list[Question]:
    """The n questions with the highest gain; nothing that follows from answers is among them.

    Three kinds compete. Two groups that may be the same: a yes settles all pairs between them. Two parts of a group
    that may be different, the smaller often a single photograph: a no settles all pairs between them. Two neighbours
    that look the same though their groups do not. Equal gains are ordered by row, so that the same answers always lead
    to the same questions.
    """
    typical = _typical(situation)
    members = _members(situation.grouping.labels, typical)
    candidates = [*_merges(situation), *_splits(situation), *_bridges(situation)]
    candidates.sort(key=lambda one: (-one.gain, one.kind, one.a, one.b))
    questions: dict[str, Question] = {}
    for candidate in candidates:
        if len(questions) == n:
            break
        question = _question(situation, members, typical, candidate)
        pair = frozenset((question.ids_a[0], question.ids_b[0]))
        if question.key not in situation.asked and pair not in situation.asked:
            questions.setdefault(question.key, question)
    return list(questions.values())


def strength(size_a: Int64, size_b: Int64) -> Float64:
    """By how much the mean log-odds of the pairs between two groups count, (m,): the root of the smaller size.

    Groups speak louder than photographs, as if the pairs were evidence of which so much is independent.
    """
    return np.asarray(np.sqrt(np.minimum(size_a, size_b)))


def _merges(situation: Situation) -> list[_Candidate]:
    grouping = situation.grouping
    sizes = np.bincount(grouping.labels)
    size_a, size_b = sizes[grouping.a], sizes[grouping.b]
    odds, counts = grouping.odds, strength(size_a, size_b)
    p = sigmoid(situation.meaning(odds) * counts)
    gain = p * size_a * size_b
    return [
        _Candidate(
            float(gain[at]), MERGE, int(grouping.a[at]), int(grouping.b[at]), *map(float, (p[at], odds[at], counts[at]))
        )
        for at in np.flatnonzero(p >= _LEAST)
    ]


def _splits(situation: Situation) -> list[_Candidate]:
    """The joins that made the groups, by how likely they are wrong; in place of numbers of groups those of sides."""
    grouping, blocks = situation.grouping, situation.blocks
    sizes = np.concatenate([np.bincount(blocks), np.zeros(len(grouping.tree), dtype=np.int64)])
    start = len(sizes) - len(grouping.tree)
    for at, (one, other) in enumerate(grouping.tree.tolist(), start):
        sizes[at] = sizes[one] + sizes[other]
    a, b = grouping.tree[:, 0], grouping.tree[:, 1]
    odds, counts = grouping.joined, strength(sizes[a], sizes[b])
    p = sigmoid(situation.meaning(odds) * counts)
    doubted = [int(blocks[row]) for row, id_ in enumerate(situation.ids) if id_ in situation.doubted]
    p = np.where(np.isin(a, doubted) | np.isin(b, doubted), np.minimum(p, _DOUBT), p)
    gain = (1 - p) * sizes[a] * sizes[b]
    return [
        _Candidate(float(gain[at]), SPLIT, int(a[at]), int(b[at]), *map(float, (p[at], odds[at], counts[at])))
        for at in np.flatnonzero(p < _MOST)
    ]


def _leaves(tree: Int64, start: int, node: int) -> list[int]:
    """The blocks below a node of the tree."""
    found, waiting = [], [node]
    while waiting:
        one = waiting.pop()
        if one < start:
            found.append(one)
        else:
            waiting += tree[one - start].tolist()
    return found


def _bridges(situation: Situation) -> list[_Candidate]:
    """Pairs of neighbours that look the same, of groups that do not."""
    graph, labels, blocks = situation.graph, situation.grouping.labels, situation.blocks
    p = sigmoid(situation.meaning(graph.odds))
    across = np.flatnonzero((p >= _DOUBT) & (labels[graph.left] != labels[graph.right]))
    sizes = np.bincount(blocks)
    found = []
    for at in across:
        a, b = int(graph.left[at]), int(graph.right[at])
        if not situation.apart(a, b):
            gain = p[at] * sizes[blocks[a]] * sizes[blocks[b]]
            found.append(_Candidate(float(gain), ASK_PAIR, a, b, float(p[at]), float(graph.odds[at])))
    return found


def _typical(situation: Situation) -> Float64:
    """How near each photograph lies to the others of its group, (n,): the sum of the log-odds above its base."""
    graph, labels = situation.graph, situation.grouping.labels
    inside = labels[graph.left] == labels[graph.right]
    above = np.maximum(graph.odds[inside] - situation.cut + FLOOR, 0.0)
    return np.asarray(
        np.bincount(graph.left[inside], above, graph.n) + np.bincount(graph.right[inside], above, graph.n)
    )


def _members(labels: Int64, typical: Float64) -> list[Int64]:
    """Rows of each group, the most typical first."""
    order = np.lexsort((-typical, labels))
    return np.split(order, np.cumsum(np.bincount(labels))[:-1])


def _shown(rows: Int64, blocks: Int64) -> Int64:
    """At most `SHOWN` of a group's rows: of each block the most typical, then others."""
    _, first = np.unique(blocks[rows], return_index=True)
    return np.concatenate([rows[np.sort(first)], np.delete(rows, first)])[:SHOWN]


def _question(situation: Situation, members: Sequence[Int64], typical: Float64, candidate: _Candidate) -> Question:
    ids, blocks = situation.ids, situation.blocks
    kind, sure = candidate.kind, probability(candidate.probability)
    if kind == MERGE:
        rows_a, rows_b = members[candidate.a], members[candidate.b]
    elif kind == SPLIT:
        start = int(blocks.max()) + 1
        sides = (_leaves(situation.grouping.tree, start, side) for side in (candidate.a, candidate.b))
        rows_a, rows_b = sorted((_rows_of(blocks, side, typical) for side in sides), key=len)
    else:
        rows_a, rows_b = np.array([candidate.a]), np.array([candidate.b])
    size_a, size_b = len(rows_a), len(rows_b)
    if kind == MERGE and size_a == size_b == 1:
        kind = ASK_PAIR
    settles = count(size_a * size_b, "pair")
    reason = {
        MERGE: f"These two groups are the same with a probability of {sure}; a yes settles {settles}.",
        SPLIT: f"These are in one group, and the same with a probability of {sure}; a no settles {settles}.",
        ASK_PAIR: f"These two photographs are the same with a probability of {sure}.",
    }[kind]
    ids_a, ids_b = (tuple(ids[row] for row in _shown(rows, blocks).tolist()) for rows in (rows_a, rows_b))
    named = f"{kind}|{ids_a[0]}|{ids_b[0]}"
    key = hashlib.sha256(named.encode()).hexdigest()[:16]
    numbers = (size_a, size_b, candidate.probability, candidate.gain)
    return Question(key, kind, ids_a, ids_b, *numbers, reason, candidate.odds, candidate.strength)


def _rows_of(blocks: Int64, side: list[int], typical: Float64) -> Int64:
    rows = np.flatnonzero(np.isin(blocks, side))
    return rows[np.argsort(-typical[rows], kind="stable")]
