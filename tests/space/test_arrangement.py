"""Place and pose together: weighted log-odds, the prior where nobody is seen, people matched to people."""

import math
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doppelgram.errors import DoppelgramError
from doppelgram.space.arrangement import ArrangementSpace
from doppelgram.space.calibration import Calibration
from doppelgram.space.joint import JointCalibration

PLACE = Calibration(6.0, 4.0, 0.7, 10, 10, "pairs")
POSE = Calibration(5.0, 3.0, 0.6, 10, 10, "pairs")
JOINT = JointCalibration(PLACE, POSE, 1.2, 0.8, -1.5, -0.4, 0.5)


def test_weighted_log_odds():
    """The joint log-odds are the weighted sum of those of both probabilities."""
    p, q = PLACE.probability(0.3), POSE.probability(0.9)
    logit = 1.2 * np.log(p / (1 - p)) + 0.8 * np.log(q / (1 - q)) - 1.5
    assert JOINT.probability(0.3, 0.9) == pytest.approx(1 / (1 + np.exp(-logit)))


def test_nobody_means_prior():
    """Without a pose the prior stands in, and it does not matter for the place."""
    p = PLACE.probability(0.3)
    logit = 1.2 * np.log(p / (1 - p)) - 0.8 * 0.4 - 1.5
    assert JOINT.probability(0.3, np.nan) == pytest.approx(1 / (1 + np.exp(-logit)))
    both_alone = replace(JOINT, rule="both", pose_weight=1.0)
    assert both_alone.part_probabilities(0.3, np.nan)[1] == pytest.approx(1 / (1 + np.exp(0.4)))


def test_round_trip_and_damage():
    """What is written is read back; a lost or unusable key is named."""
    assert JointCalibration.from_dict(JOINT.to_dict()) == JOINT
    values = JOINT.to_dict()
    del values["bias"]
    with pytest.raises(DoppelgramError, match="'bias'"):
        JointCalibration.from_dict(values)
    with pytest.raises(DoppelgramError, match="place_weight"):
        JointCalibration(PLACE, POSE, -1, 1, 0, 0, 0.5)


def test_people_are_matched():
    """Two people against two are matched for the least mean; fewer people by the nearest; none is NaN."""
    rng = np.random.default_rng(0)
    space = ArrangementSpace(4, 3, 2, JOINT)
    vectors = rng.normal(size=(40, space.dim)).astype(np.float32)
    vectors[::3, 7:] = 0  # one person only
    vectors[::5, 4:] = 0  # nobody
    a, b = vectors[:20], vectors[20:]
    place, pose = space.part_distances(a, b)
    for i in range(20):
        assert place[i] == pytest.approx(np.linalg.norm(a[i, :4] - b[i, :4]), rel=1e-5)
        people_a = [p for p in a[i, 4:].reshape(2, 3) if p.any()]
        people_b = [p for p in b[i, 4:].reshape(2, 3) if p.any()]
        few, many = sorted((people_a, people_b), key=len)
        if not few:
            assert np.isnan(pose[i])
            continue
        means = [
            np.mean([np.linalg.norm(p - q) for p, q in zip(few, chosen, strict=True)])
            for chosen in permutations(many, len(few))
        ]
        assert pose[i] == pytest.approx(min(means), rel=1e-5)


def test_one_person():
    """With one person kept there is nothing to match."""
    space = ArrangementSpace(2, 2, 1, JOINT)
    vectors = np.array([[1, 0, 0, 1], [0, 1, 0, 0]], dtype=np.float32)
    compared = space.compare(vectors[[0, 0]], vectors[[0, 1]])
    assert compared.parts["pose"].distance[0] == 0
    assert np.isnan(compared.parts["pose"].distance[1])
    assert compared.probability[0] > compared.probability[1]
    assert compared.distance == pytest.approx(space.distance(vectors[[0, 0]], vectors[[0, 1]]))
    assert compared.distance == pytest.approx(1 - compared.probability)
    assert space.threshold == 1 - JOINT.threshold
    assert space.unknown(vectors)["pose"].tolist() == [False, True]


def test_coordinates_of_the_whole_and_of_parts():
    """A map is drawn from the whole vectors, from the places, or from the poses of the most prominent people."""
    space = ArrangementSpace(2, 3, 2, JOINT)
    vectors = np.arange(16, dtype=np.float32).reshape(2, 8)
    for by, columns in (("", slice(0, 8)), ("joint", slice(0, 8)), ("place", slice(0, 2)), ("pose", slice(2, 5))):
        assert np.array_equal(space.coordinates(vectors, by), vectors[:, columns])
    with pytest.raises(DoppelgramError, match="joint, place, pose"):
        space.coordinates(vectors, "colour")


def test_both_is_the_product_of_two_probabilities() -> None:
    joint = JointCalibration(PLACE, POSE, 1.0, 1.0, 0.0, -0.5, 0.5, rule="both")
    place, pose = np.array([0.1, 0.4, 1.2]), np.array([0.9, 0.1, np.nan])
    expected = PLACE.probability(place) * 1 / (1 + np.exp(-joint.pose_log_odds(pose)))
    np.testing.assert_allclose(joint.probability(place, pose), expected)
    assert JointCalibration.from_dict(joint.to_dict()) == joint
    summed = replace(joint, rule="sum")
    assert (joint.log_odds(place, pose) <= summed.log_odds(place, pose)).all()
    old = {key: value for key, value in summed.to_dict().items() if key != "rule"}
    assert JointCalibration.from_dict(old) == summed
    with pytest.raises(DoppelgramError, match="'rule' is 'any'"):
        replace(joint, rule="any")


def mirrored_pairs(rng: np.random.Generator, n: int, dim: int) -> np.ndarray:
    """Slots (n, 2 dim) of poses and of their mirror images, under a mirror that keeps distances: a swap of halves."""
    poses = rng.normal(size=(n, dim))
    poses /= np.linalg.norm(poses, axis=1, keepdims=True)
    return np.hstack([poses, np.roll(poses, dim // 2, axis=1)])


def test_a_pose_and_its_mirror_image_are_one() -> None:
    """The distance is the better of a pair and of the pair with one side mirrored, whichever side that is."""
    rng = np.random.default_rng(0)
    space = ArrangementSpace(2, 4, 1, JOINT, mirror=True)
    assert (space.slot, space.dim) == (8, 10)
    slots = mirrored_pairs(rng, 40, 4)
    vectors = np.hstack([np.eye(2)[rng.integers(0, 2, 40)], slots]).astype(np.float32)
    turned = vectors.copy()
    turned[:, 2:] = np.roll(vectors[:, 2:], 4, axis=1)
    a, b = vectors[:20], vectors[20:]
    found = space.part_distances(a, b)[1]
    for row in range(20):
        pose, other, mirrored = slots[row, :4], slots[20 + row, :4], slots[20 + row, 4:]
        least = min(np.linalg.norm(pose - other), np.linalg.norm(pose - mirrored))
        assert found[row] == pytest.approx(least, abs=1e-6)
    assert space.part_distances(b, a)[1] == pytest.approx(found)
    assert space.part_distances(turned[:20], b)[1] == pytest.approx(found)
    assert space.part_distances(vectors, turned)[1] == pytest.approx(0, abs=1e-6)
    assert not space.compare(a, turned[:20]).parts["pose"].distance.any()
    # the map puts a pose and its mirror image at one point
    for by in ("joint", "pose"):
        assert np.array_equal(space.coordinates(vectors, by), space.coordinates(turned, by))


def test_centred_places() -> None:
    """What places have in common is taken away; what is stored stays as it is."""
    rng = np.random.default_rng(0)
    raw = rng.normal(size=(200, 6)) + 4 * np.eye(6)[0]
    raw /= np.linalg.norm(raw, axis=1, keepdims=True)
    vectors = np.hstack([raw, rng.normal(size=(200, 3))]).astype(np.float32)
    plain = ArrangementSpace(6, 3, 1, JOINT)
    space = replace(plain, offset=raw[:100].mean(0))
    expected = raw - raw[:100].mean(0)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    place, poses = space.split(vectors)
    assert place == pytest.approx(expected, abs=1e-6)
    assert np.array_equal(poses, plain.split(vectors)[1])
    assert np.array_equal(plain.split(vectors)[0], vectors[:, :6])
    distance = np.linalg.norm(expected[:50] - expected[50:100], axis=1)
    assert space.part_distances(vectors[:50], vectors[50:100])[0] == pytest.approx(distance, abs=1e-6)
    assert np.array_equal(space.coordinates(vectors, "place"), place)
    assert (plain.adapted(vectors), space.adapted(vectors[:0])) == (plain, space)
    with pytest.raises(DoppelgramError, match=r"'offset' has shape \(5,\); it must be 6 finite"):
        replace(plain, offset=(0.0,) * 5)


def test_adapted_to_a_gallery() -> None:
    """The centre moves half way to a large gallery's own mean, less for a small one, not for one of a single place."""
    rng = np.random.default_rng(0)

    def photographs(n: int, special: np.ndarray, noise: float = 1.0) -> np.ndarray:
        raw = special + noise * rng.normal(size=(n, 40))
        return np.hstack([raw / np.linalg.norm(raw, axis=1, keepdims=True), np.ones((n, 1))]).astype(np.float32)

    common = np.full(40, 0.7)
    offset = photographs(3000, common)[:, :40].mean(0)
    space = ArrangementSpace(40, 1, 1, JOINT, offset=offset)
    shifted = np.concatenate([common[:20], common[20:] + 0.3])  # another country, say
    for n in (10, 3000):
        gallery = photographs(n, shifted)
        adapted = space.adapted(gallery)
        moved, way = np.array(adapted.shift), gallery[:, :40].mean(0) - np.array(adapted.offset)
        share = float(moved @ way / (way @ way))
        assert moved == pytest.approx(share * way, abs=1e-6)
        assert 0.3 * n / (n + 30) < share < 0.5 * n / (n + 30)
        assert adapted.adapted(gallery) == adapted
        assert adapted.adapted(gallery[:5]) == space.adapted(gallery[:5])
    one = photographs(3000, common + 3 * rng.normal(size=40), noise=0.3)
    way = one[:, :40].mean(0) - np.array(space.offset)
    assert float(np.array(space.adapted(one).shift) @ way / (way @ way)) < 0.05


numbers = st.floats(-4, 4)
weights = st.floats(0, 4)
distances = st.floats(0, 2)


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(["sum", "both"]),
    weights,
    weights,
    numbers,
    numbers,
    st.floats(0.01, 0.99),
    numbers,
    numbers,
    st.lists(st.tuples(distances, distances | st.just(math.nan)), min_size=1, max_size=5),
)
def test_both_never_exceeds_a_part(rule, w_place, w_pose, bias, prior, threshold, at_place, at_pose, pairs) -> None:
    """Whatever was fitted, and whatever an earlier build wrote down."""
    place, pose = replace(PLACE, intercept=at_place), replace(POSE, intercept=at_pose)
    joint = JointCalibration(place, pose, w_place, w_pose, bias, prior, threshold, rule)
    d_place, d_pose = np.array(pairs).T
    both = joint.probability(d_place, d_pose)
    assert (both <= np.minimum(*joint.part_probabilities(d_place, d_pose))).all()


def test_a_bias_of_earlier_builds_moves_the_threshold_and_no_verdict() -> None:
    values = JointCalibration(PLACE, POSE, 1.2, 0.8, 0.0, -0.4, 0.6, "both").to_dict() | {"bias": 1.5}
    read = JointCalibration.from_dict(values)
    rng = np.random.default_rng(0)
    place, pose = rng.uniform(0, 2, (2, 500))
    odds = 1.2 * PLACE.log_odds(place), 0.8 * POSE.log_odds(pose)
    before = 1 / (1 + np.exp(-1.5) * ((1 + np.exp(-odds[0])) * (1 + np.exp(-odds[1])) - 1))
    assert ((read.probability(place, pose) >= read.threshold) == (before >= 0.6)).all()
    np.testing.assert_allclose(read.probability(place, pose), np.prod(read.part_probabilities(place, pose), axis=0))
    assert JointCalibration.from_dict(read.to_dict()) == read
