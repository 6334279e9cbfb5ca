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
