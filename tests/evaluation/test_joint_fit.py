from __future__ import annotations

import numpy as np
import pytest

from doppelgram.errors import DoppelgramError
from doppelgram.evaluation.joint_fit import fit_joint, near_duplicates, pair_kinds
from doppelgram.space.arrangement import ArrangementSpace
from doppelgram.space.calibration import Calibration
from doppelgram.space.joint import JointCalibration

EMPTY = Calibration(1.0, 1.0, 1.0, 1, 1, "")
SPACE = ArrangementSpace(4, 4, 1, JointCalibration(EMPTY, EMPTY, 1.0, 1.0, 0.0, 0.0, 0.5))


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def posts(n: int = 160, noise: float = 0.35, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vectors of posts of four places in four poses, each known up to noise."""
    rng = np.random.default_rng(seed)
    place, pose = rng.integers(0, 4, n), rng.integers(0, 4, n)
    parts = [unit(np.eye(4)[values] + noise * rng.normal(size=(n, 4))) for values in (place, pose)]
    return np.hstack(parts).astype(np.float32), place.astype(str), pose.astype(str)


def test_pairs_are_of_the_three_kinds_and_apart() -> None:
    _, place, pose = posts()
    pose = pose.copy()
    pose[:9] = ""
    apart = np.random.default_rng(1).random((160, 160)) < 0.5
    apart &= apart.T
    kinds = pair_kinds(place, pose, apart, 0)
    assert len(kinds.same) == 2 * len(kinds.place) == 2 * len(kinds.pose) > 100
    for pairs, same_place, same_pose in ((kinds.same, 1, 1), (kinds.place, 1, 0), (kinds.pose, 0, 1)):
        a, b = pairs.T
        assert ((place[a] == place[b]) == same_place).all()
        assert ((pose[a] == pose[b]) == same_pose).all()
        assert apart[a, b].all()
        assert (pairs >= 9).all()
        assert len(np.unique(pairs, axis=0)) == len(pairs)


def test_twins_are_nearer_than_other_classes_ever_are() -> None:
    rng = np.random.default_rng(0)
    features = unit(rng.normal(size=(60, 16)))
    classes = np.repeat(np.arange(6), 10)
    features[1] = unit(features[:1] + 0.01)
    found = near_duplicates(features, classes)
    assert found[0, 1]
    assert found[1, 0]
    other = classes[:, None] != classes[None]
    assert found[other].mean() <= 2e-3
    assert not near_duplicates(features, np.zeros(60)).any()


def test_what_is_fitted_tells_other_pairs_apart() -> None:
    vectors, place, pose = posts()
    everything = np.ones((160, 160), dtype=bool)
    joint = fit_joint(SPACE, vectors, pair_kinds(place, pose, everything, 0), "here")
    assert joint.rule == "both"
    fresh, place, pose = posts(seed=5)
    kinds = pair_kinds(place, pose, everything, 0)
    space = ArrangementSpace(4, 4, 1, joint)
    answers = [space.compare(fresh[pairs[:, 0]], fresh[pairs[:, 1]]) for pairs in (kinds.same, kinds.place, kinds.pose)]
    right = [(answers[0].probability >= joint.threshold).mean()]
    right += [(answer.probability < joint.threshold).mean() for answer in answers[1:]]
    assert min(right) > 0.75
    assert np.mean(right) > 0.8
    assert answers[1].parts["place"].probability.mean() > 0.7 > 0.3 > answers[2].parts["place"].probability.mean()
    summed = fit_joint(SPACE, fresh, pair_kinds(place, pose, everything, 0), "here", rule="sum")
    assert summed.rule == "sum"


def test_nobody_found_leaves_the_prior() -> None:
    vectors, place, pose = posts()
    vectors[::4, 4:] = 0
    joint = fit_joint(SPACE, vectors, pair_kinds(place, pose, np.ones((160, 160), dtype=bool), 0), "here")
    # who is missing at random says nothing of the pose, although two in three pairs of one place are of the same pose
    assert -0.3 < joint.pose_prior <= 0


def test_missing_kinds_are_named() -> None:
    vectors, place, _ = posts()
    kinds = pair_kinds(place, np.full(160, "only"), np.ones((160, 160), dtype=bool), 0)
    with pytest.raises(DoppelgramError, match="validation: a joint calibration needs pairs"):
        fit_joint(SPACE, vectors, kinds, "validation")
