"""Search by place and pose together agrees with looking at every pair."""

from dataclasses import replace

import numpy as np
import pytest

from doppelgram.errors import DoppelgramError
from doppelgram.space import arrangement
from doppelgram.space.arrangement import ArrangementSpace
from doppelgram.space.calibration import Calibration
from doppelgram.space.euclidean import EuclideanSpace
from doppelgram.space.joint import JointCalibration

JOINT = JointCalibration(
    Calibration(6.0, 4.0, 0.7, 10, 10, "pairs"), Calibration(5.0, 3.0, 0.6, 10, 10, "pairs"), 1.2, 0.8, -1.5, -0.4, 0.5
)


def drawn(space: ArrangementSpace, n: int, seed: int = 0) -> np.ndarray:
    """Unit places and poses round a few prototypes, with photographs of nobody, of one person and of two."""
    rng = np.random.default_rng(seed)

    def around(dim: int) -> np.ndarray:
        points = rng.normal(size=(5, dim))[rng.integers(0, 5, n)] + 0.2 * rng.normal(size=(n, dim))
        return points / np.linalg.norm(points, axis=1, keepdims=True)

    poses = [around(space.pose_dim) for _ in range(space.people * (2 if space.mirror else 1))]
    parts = [around(space.place_dim), *poses]
    vectors = np.hstack(parts).astype(np.float32)
    people = rng.integers(0, space.people + 1, n)
    for person in range(space.people):
        start = space.place_dim + person * space.slot
        vectors[people <= person, start : start + space.slot] = 0
    return vectors


@pytest.mark.parametrize("rule", ["sum", "both"])
@pytest.mark.parametrize("people", [1, 2])
@pytest.mark.parametrize("by", ["joint", "place", "pose"])
@pytest.mark.parametrize("ready_made", [False, True], ids=["plain", "mirrored and centred"])
def test_as_by_looking_at_every_pair(
    people: int, by: str, rule: str, ready_made: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same neighbours, in the same order and with the same figures, in whatever blocks."""
    monkeypatch.setattr(arrangement, "_BLOCK_ELEMENTS", 700)
    joint = replace(JOINT, rule=rule)
    space = ArrangementSpace(6, 4, people, joint)
    if ready_made:
        space = replace(space, mirror=True, offset=np.linspace(-0.3, 0.2, 6))
        space = space.adapted(drawn(space, 150))
        assert space.shift
    gallery, queries = drawn(space, 150), drawn(space, 20, seed=1)
    gallery[40:55] = gallery[39]  # more equal ones than are kept as candidates
    gallery[90] = queries[3]
    found = space.index(gallery).nearest(queries, 9, by=by)
    for row, query in enumerate(queries):
        place, pose = space.part_distances(np.repeat(query[None], 150, axis=0), gallery)
        key = {"joint": -joint.log_odds(place, pose), "place": place, "pose": np.nan_to_num(pose, nan=np.inf)}[by]
        order = np.argsort(key, kind="stable")[:9]
        assert found.positions[row].tolist() == order.tolist()
        assert np.array_equal(found.parts["place"].distance[row], place[order])
        assert np.array_equal(found.parts["pose"].distance[row], pose[order], equal_nan=True)
        assert np.array_equal(found.probabilities[row], joint.probability(place, pose)[order])
        assert found.distances[row] == pytest.approx(1 - found.probabilities[row])


def test_own_content_and_small_galleries() -> None:
    """A query is never its own answer, and what is not there is marked."""
    space = ArrangementSpace(6, 4, 2, JOINT)
    gallery = drawn(space, 4)
    search = space.index(gallery, list("abcd"))
    found = search.nearest(gallery[:2], 6, query_ids=["a", "z"])
    assert 0 not in found.positions[0].tolist()
    assert found.positions[0].tolist().count(-1) == 3
    assert np.isinf(found.distances[0, 3:]).all()
    assert found.positions[1, 0] == 1
    assert space.index(gallery[:0]).nearest(gallery, 1).positions.tolist() == [[-1]] * 4


def test_all_alone_with_itself() -> None:
    """A catalog that holds the query and nothing else has no answer."""
    space = ArrangementSpace(6, 4, 1, JOINT)
    gallery = drawn(space, 1)
    found = space.index(gallery, ["a"]).nearest(gallery, 3, query_ids=["a"])
    assert found.positions.tolist() == [[-1, -1, -1]]


def test_unusable_questions() -> None:
    """Each is answered by a sentence."""
    space = ArrangementSpace(6, 4, 1, JOINT)
    search = space.index(drawn(space, 3))
    for vectors, k, by, ids, words in (
        (drawn(space, 1), 1, "colour", None, "--by is 'colour'"),
        (drawn(space, 1), 0, "joint", None, "k is 0"),
        (np.ones((1, 3), np.float32), 1, "joint", None, "3 dimensions, not 10"),
        (drawn(space, 1), 1, "joint", ["a"], "no gallery_ids"),
    ):
        with pytest.raises(DoppelgramError, match=words):
            search.nearest(vectors, k, by=by, query_ids=ids)


@pytest.mark.parametrize(("mix", "by"), [(0.0, "pose"), (0.5, ""), (1.0, "place")])
def test_a_mix_at_its_ends_and_middle_is_the_part_and_the_whole(mix: float, by: str) -> None:
    space = ArrangementSpace(5, 4, 2, JOINT)
    gallery, queries = drawn(space, 40), drawn(space, 6, seed=1)
    index = space.index(gallery)
    mixed, whole = index.nearest(queries, 12, mix=mix), index.nearest(queries, 12, by=by)
    assert np.array_equal(mixed.positions, whole.positions)


def test_a_mix_between_them_is_as_by_looking_at_every_pair() -> None:
    space = ArrangementSpace(5, 4, 2, JOINT)
    gallery, queries = drawn(space, 40), drawn(space, 6, seed=1)
    found = space.index(gallery).nearest(queries, 40, mix=0.8)
    lighter = replace(JOINT, pose_weight=JOINT.pose_weight * 0.4)
    for row, query in enumerate(queries):
        place, pose = space.part_distances(np.repeat(query[None], 40, axis=0), gallery)
        assert np.array_equal(found.positions[row], np.argsort(-lighter.log_odds(place, pose), kind="stable"))
        # What is said of a photograph stays as it is, whatever ranks.
        assert np.allclose(
            found.distances[row], space.distance(queries[row][None].repeat(40, 0), gallery)[found.positions[row]]
        )


def test_rows_that_no_query_finds() -> None:
    space = ArrangementSpace(5, 4, 2, JOINT)
    gallery, queries = drawn(space, 40), drawn(space, 6, seed=1)
    left_out = np.arange(0, 40, 3)
    for index in (space.index(gallery), EuclideanSpace(gallery.shape[1]).index(gallery)):
        whole, rest = index.nearest(queries, 40), index.nearest(queries, 40, left_out=left_out)
        for all_of, some in zip(whole.positions, rest.positions, strict=True):
            assert some[some >= 0].tolist() == [row for row in all_of if row % 3]
