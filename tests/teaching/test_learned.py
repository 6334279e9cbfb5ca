"""What a few answers change, and what many do."""

from __future__ import annotations

import numpy as np
import pytest

from doppelgram.space.calibration import Calibration
from doppelgram.space.curve import Curve
from doppelgram.space.euclidean import EuclideanSpace
from doppelgram.teaching.answers import PAIR, Entry
from doppelgram.teaching.learned import PRIOR_ANSWERS, damped
from doppelgram.teaching.reading import cut_of
from doppelgram.teaching.rounds import Collection, Round


def test_the_calibration_counts_as_so_many_answers() -> None:
    assert damped(1.0, 3.0, 0) == 1.0
    assert damped(1.0, 3.0, PRIOR_ANSWERS) == 2.0
    assert damped(1.0, 3.0, 99 * PRIOR_ANSWERS) == pytest.approx(2.98)


def test_one_answer_moves_the_cut_a_little_where_the_calibration_is_flat_and_many_move_it() -> None:
    # Between distances of 0.4 and 1.0 a search says next to one half of everything.
    curve = Curve((0.1, 0.4, 1.0, 1.3), (0.9, 0.51, 0.50001, 0.1), 10.0, 50, 50, "made")
    space = EuclideanSpace(2, Calibration(10.0, 7.0, 0.7, 50, 50, "made", search=curve))
    points = np.random.default_rng(0).normal(size=(40, 2))
    vectors = (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)
    ids = [f"{number:064x}" for number in range(len(vectors))]
    collection = Collection(ids, vectors, space, ids)

    def answers(n: int) -> list[Entry]:
        far = np.flatnonzero(collection.graph.distance > 0.4)[:n]
        sides = (
            (ids[collection.graph.left[at]], ids[collection.graph.right[at]], collection.graph.odds[at]) for at in far
        )
        return [
            Entry(PAIR, (a,), (b,), 0.0, odds=float(odds), number=number)
            for number, (a, b, odds) in enumerate(sides, 1)
        ]

    few, many = Round(collection, answers(1)), Round(collection, answers(200))
    alone = cut_of(space, few.learned)
    assert alone - collection.cut > 5  # by itself one answer carries the cut across all that is flat
    assert 0 < few.cut - collection.cut < (alone - collection.cut) / PRIOR_ANSWERS
    assert many.learned.n > 10 * PRIOR_ANSWERS
    assert many.cut - collection.cut > 0.9 * (cut_of(space, many.learned) - collection.cut)
