"""Groups under answers, beside a naive linkage."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doppelgram.errors import DoppelgramError
from doppelgram.space.calibration import Calibration
from doppelgram.space.euclidean import EuclideanSpace
from doppelgram.space.exact import Int64
from doppelgram.teaching.graph import Graph, neighbour_graph
from doppelgram.teaching.groups import FLOOR, group

SPACE = EuclideanSpace(3, Calibration(6.0, 4.0, 0.6, 10, 10, "a test"))
NOTHING = np.empty((0, 2), dtype=np.int64)


def points(seed: int, n: int, kinds: int = 4) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(kinds, 3))[rng.integers(0, kinds, n)] + 0.35 * rng.normal(size=(n, 3))).astype(np.float32)


def graph_of(vectors: np.ndarray, k: int = 5) -> Graph:
    return neighbour_graph(SPACE, vectors, [str(number) for number in range(len(vectors))], k)


def naive(graph: Graph, blocks: Int64, apart: Int64, cut: float) -> Int64:
    """Every pair of groups measured anew from all pairs of photographs before each join."""
    base = np.clip(graph.base, cut - FLOOR, cut)
    table = (base[:, None] + base[None]) / 2
    near = np.zeros((graph.n, graph.n), dtype=bool)
    kept = graph.odds > cut - FLOOR
    for a, b, odds in zip(graph.left[kept], graph.right[kept], graph.odds[kept], strict=True):
        table[a, b] = table[b, a] = odds
        near[a, b] = near[b, a] = True
    labels = blocks.copy()
    banned = {(a, b) for one, other in apart.tolist() for a, b in ((one, other), (other, one))}
    while True:
        best, pair = cut, None
        names = np.unique(labels)
        for at, one in enumerate(names):
            for other in names[at + 1 :]:
                mine, theirs = np.flatnonzero(labels == one), np.flatnonzero(labels == other)
                block = np.ix_(mine, theirs)
                apart_now = any((a, b) in banned for a in blocks[mine] for b in blocks[theirs])
                if near[block].any() and not apart_now and table[block].mean() >= best:
                    best, pair = table[block].mean(), (one, other)
        if pair is None:
            break
        labels[labels == pair[1]] = pair[0]
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.integers(2, 14), st.floats(-3, 3), st.data())
def test_groups_are_those_of_a_naive_linkage(seed: int, n: int, cut: float, data: st.DataObject) -> None:
    graph = graph_of(points(seed, n))
    joined = data.draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=3))
    raw = np.arange(n)
    for a, b in joined:
        raw[raw == raw[b]] = raw[a]
    _, first, inverse = np.unique(raw, return_index=True, return_inverse=True)
    blocks = np.argsort(np.argsort(first))[inverse].astype(np.int64)
    count = int(blocks.max()) + 1
    pairs = data.draw(st.lists(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)), max_size=4))
    apart = np.array(sorted({tuple(sorted(pair)) for pair in pairs if pair[0] != pair[1]}), dtype=np.int64).reshape(
        -1, 2
    )
    found = group(graph, blocks, apart, {}, cut)
    assert found.labels.tolist() == naive(graph, blocks, apart, cut).tolist()
    groups = found.labels[[int(np.argmax(blocks == block)) for block in range(count)]]
    assert (groups[blocks] == found.labels).all()  # what is known to be the same is in one group
    assert all(groups[a] != groups[b] for a, b in apart)  # and what is known to be different never is
    assert len(found.tree) == count - (int(found.labels.max()) + 1)
    assert (found.joined >= cut).all()


def test_different_names_stay_apart_and_what_may_be_joined_is_listed() -> None:
    vectors = np.array([[0, 0, 0], [0.1, 0, 0], [0, 0.1, 0], [0.7, 0, 0]], dtype=np.float32)
    graph = graph_of(vectors)
    alone = group(graph, np.arange(4), NOTHING, {}, 1.0)
    assert alone.labels.tolist() == [0, 0, 0, 1]
    assert (alone.a.tolist(), alone.b.tolist()) == ([0], [1])
    assert alone.odds[0] == pytest.approx(
        np.mean([4 - 6 * np.linalg.norm(vectors[3] - one) for one in vectors[:3]]), abs=1e-5
    )
    named = group(graph, np.arange(4), NOTHING, {0: "a", 1: "b"}, 1.0)
    assert named.labels[0] != named.labels[1]
    banned = group(graph, np.arange(4), np.array([[0, 3]]), {}, 1.0)
    assert len(banned.a) == 0


def test_faces_of_one_photograph_are_no_neighbours() -> None:
    graph = neighbour_graph(SPACE, points(1, 6), ["a", "a", "b", "b", "c", "d"], 5)
    pairs = set(zip(graph.left.tolist(), graph.right.tolist(), strict=True))
    assert (0, 1) not in pairs
    assert (2, 3) not in pairs
    assert (0, 2) in pairs


def test_a_model_without_probabilities_is_refused_in_a_sentence() -> None:
    with pytest.raises(DoppelgramError, match="calibrate it first"):
        neighbour_graph(EuclideanSpace(3), points(0, 4), list("abcd"))


@pytest.mark.parametrize("n", [0, 1, 2])
def test_hardly_any_photographs(n: int) -> None:
    graph = graph_of(points(0, n).reshape(n, 3))
    assert len(group(graph, np.arange(n), NOTHING, {}, 0.0).labels) == n
