"""Groups of photographs: average linkage over nearest neighbours, under what is known to be the same and different."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from doppelgram.space.exact import Float64, Int64
from doppelgram.teaching.graph import Graph

FLOOR = 8.0
"""So far below the cut log-odds count at most."""


@dataclass(frozen=True)
class Grouping:
    """Groups of n photographs, and which of them may still be joined.

    Attributes:
        labels: int64 (n,), the group of each photograph, numbered from 0 in the order of their first photographs.
        a: int64 (c,), one of two groups that are neighbours and not known to be different, the lower number.
        b: int64 (c,), the other.
        odds: float64 (c,), mean raw log-odds of their pairs, most likely first.
        tree: int64 (j, 2), the joins in their order: what each joined. Blocks are numbered from 0, joins go on from
            there.
        joined: float64 (j,), mean raw log-odds of the pairs that each join made the same.
    """

    labels: Int64
    a: Int64
    b: Int64
    odds: Float64
    tree: Int64
    joined: Float64


def group(graph: Graph, blocks: Int64, apart: Int64, named: Mapping[int, str], cut: float) -> Grouping:
    """Join photographs as long as the mean raw log-odds of the pairs between two groups reach ``cut``.

    Average linkage (Sokal and Michener 1958) that begins with the blocks and joins the likeliest two groups first. Only
    groups between which there is a pair of neighbours are joined. Log-odds count no lower than `FLOOR` below the cut,
    so that one pair far apart cannot outweigh all others. A pair that is not in the graph counts with the mean of both
    photographs' ``base``, but never for joining: with the cut at most. Two groups that hold photographs known to be
    different are not joined. Memory grows with the graph, never with n squared.

    Args:
        graph: of n photographs.
        blocks: int64 (n,), numbered from 0 in the order of their first photographs; those of one block stay together.
        apart: int64 (m, 2), pairs of blocks that are different.
        named: names of blocks; those of different names are different.
        cut: raw log-odds.
    """
    linkage = _Linkage(graph, blocks, apart, named, cut)
    linkage.run()
    return linkage.result(blocks)


class _Linkage:
    """The state of a linkage: of each group size, sum of bases, neighbours with the odds above base, and bans."""

    def __init__(self, graph: Graph, blocks: Int64, apart: Int64, named: Mapping[int, str], cut: float) -> None:
        count = int(blocks.max(initial=-1)) + 1
        self.cut = cut
        base = np.clip(graph.base, cut - FLOOR, cut)
        kept = graph.odds > cut - FLOOR
        left, right = graph.left[kept], graph.right[kept]
        above = graph.odds[kept] - (base[left] + base[right]) / 2
        sizes, bases = np.bincount(blocks, minlength=count), np.bincount(blocks, base, count)
        left, right = blocks[left], blocks[right]
        key, at = np.unique(np.minimum(left, right) * count + np.maximum(left, right), return_inverse=True)
        a, b, sums = key // max(count, 1), key % max(count, 1), np.bincount(at, above, len(key))
        a, b, sums = (values[a != b] for values in (a, b, sums))
        self.size: list[int] = sizes.tolist()
        self.base: list[float] = bases.tolist()
        self.into = list(range(count))
        self.node = list(range(count))
        self.tree: list[tuple[int, int]] = []
        self.joined: list[float] = []
        self.name: dict[int, str] = dict(named)
        self.apart: list[set[int]] = [set() for _ in range(count)]
        for one, other in apart.tolist():
            self.apart[one].add(other)
            self.apart[other].add(one)
        self.near: list[dict[int, float]] = [{} for _ in range(count)]
        for one, other, value in zip(a.tolist(), b.tolist(), sums.tolist(), strict=True):
            self.near[one][other] = self.near[other][one] = value
        mean = bases / np.maximum(sizes, 1)
        odds = sums / (sizes[a] * sizes[b]) + (mean[a] + mean[b]) / 2
        likely = odds >= cut
        self.heap = list(zip((-odds[likely]).tolist(), a[likely].tolist(), b[likely].tolist(), strict=True))
        heapq.heapify(self.heap)

    def odds(self, a: int, b: int) -> float:
        """Mean raw log-odds of the pairs between two groups."""
        size_a, size_b = self.size[a], self.size[b]
        return self.near[a][b] / (size_a * size_b) + (self.base[a] / size_a + self.base[b] / size_b) / 2

    def banned(self, a: int, b: int) -> bool:
        """Whether the two hold what is known to be different."""
        if b in self.apart[a]:
            return True
        return a in self.name and b in self.name and self.name[a] != self.name[b]

    def run(self) -> None:
        """Join until no two groups reach the cut.

        What stands in the heap is never too low: the odds of a joined group are a mean of those of its two parts, and
        where a part had no neighbour at the cut or above it, its share is below. So it is enough to look again when an
        entry comes up, and nothing is said anew of all neighbours of every group that grows.
        """
        queued: set[tuple[float, int, int]] = set()
        while self.heap:
            stored, a, b = heapq.heappop(self.heap)
            a, b = self.group_of(a), self.group_of(b)
            if a == b or self.banned(a, b):
                continue
            now = -self.odds(a, b)
            if now <= stored:
                self.joined.append(-now)
                self.join(a, b)
            elif now <= -self.cut:
                again = (now, min(a, b), max(a, b))
                if again not in queued:
                    queued.add(again)
                    heapq.heappush(self.heap, again)

    def group_of(self, one: int) -> int:
        """The group that a group has become part of."""
        into = self.into
        while into[one] != one:
            into[one] = into[into[one]]
            one = into[one]
        return one

    def join(self, a: int, b: int) -> None:
        """Make one group of two; the one with more neighbours takes in the other."""
        near = self.near
        if len(near[a]) < len(near[b]):
            a, b = b, a
        self.tree.append((self.node[a], self.node[b]))
        self.node[a] = len(self.into) + len(self.tree) - 1
        mine = near[a]
        del mine[b], near[b][a]
        for other, value in near[b].items():
            theirs = near[other]
            del theirs[b]
            mine[other] = theirs[a] = mine.get(other, 0.0) + value
        near[b] = {}
        self.size[a] += self.size[b]
        self.base[a] += self.base[b]
        for other in self.apart[b]:
            self.apart[other].discard(b)
            self.apart[other].add(a)
        self.apart[a] |= self.apart[b]
        if b in self.name:
            self.name[a] = self.name.pop(b)
        self.into[b] = a

    def result(self, blocks: Int64) -> Grouping:
        """The groups as they are now."""
        into = np.array([self.group_of(one) for one in range(len(self.into))], dtype=np.int64)
        whole, first, number = np.unique(into, return_index=True, return_inverse=True)
        rank = np.empty(len(whole), dtype=np.int64)
        rank[np.argsort(first)] = np.arange(len(whole))
        rank = rank[number]
        pairs = [
            (*sorted((int(rank[one]), int(rank[other]))), self.odds(one, other))
            for one in whole.tolist()
            for other in self.near[one]
            if one < other and not self.banned(one, other)
        ]
        a, b, odds = (np.array(column) for column in zip(*pairs, strict=True)) if pairs else (np.empty(0),) * 3
        order = np.lexsort((b, a, -odds))
        a, b = (values[order].astype(np.int64) for values in (a, b))
        tree = np.array(self.tree, dtype=np.int64).reshape(-1, 2)
        return Grouping(rank[blocks], a, b, odds[order].astype(np.float64), tree, np.array(self.joined))
