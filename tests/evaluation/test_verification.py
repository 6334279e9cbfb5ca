import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, roc_auc_score, roc_curve

from doppelgram.evaluation.roc import Roc, auc, equal_error_rate, tar_at_far
from doppelgram.evaluation.sampling import sample_pairs
from doppelgram.evaluation.task import EmbeddedSet, make_task
from doppelgram.evaluation.verification import connected, cross_judged, pair_metrics


def some_pairs(seed, p=200, levels=40, images=30):
    rng = np.random.default_rng(seed)
    same = rng.random(p) < 0.4
    same[:2] = [True, False]
    distances = np.sort(np.where(same, rng.integers(0, levels, p), rng.integers(levels // 4, levels + 5, p)) / 8)
    return distances, same, rng.integers(0, images, p), rng.integers(0, images, p)


@given(st.integers(2, 60), st.integers(1, 12), st.integers(0, 2**32 - 1))
@settings(max_examples=100, deadline=None)
def test_roc_agrees_with_scikit_learn_with_weights_and_ties(p, levels, seed):
    rng = np.random.default_rng(seed)
    distances = np.sort(rng.integers(0, levels, p).astype(float))
    same = rng.random(p) < 0.5
    same[:2] = rng.permutation([True, False])
    weights = rng.integers(1, 4, (2, p)).astype(float)
    far, tar = Roc(distances, same).rates(weights)
    for row in range(2):
        expected = roc_curve(same, -distances, sample_weight=weights[row], drop_intermediate=False)
        np.testing.assert_allclose(far[row], expected[0], atol=1e-12)
        np.testing.assert_allclose(tar[row], expected[1], atol=1e-12)
        assert auc(far, tar)[row] == pytest.approx(roc_auc_score(same, -distances, sample_weight=weights[row]))
        assert equal_error_rate(far, tar)[row] == pytest.approx(_walk(far[row], tar[row]))
        for level in (0.1, 0.01, 0.5):
            allowed = expected[0] <= level + 1e-12
            assert tar_at_far(far, tar, level)[row] == pytest.approx(expected[1][allowed].max())


def _walk(far, tar):
    """Follow the ROC segment by segment until false accepts are as frequent as false rejects."""
    for start in range(len(far) - 1):
        gaps = far[start : start + 2] - (1 - tar[start : start + 2])
        if gaps[1] >= 0:
            share = -gaps[0] / (gaps[1] - gaps[0])
            return (1 - share) * far[start] + share * far[start + 1]
    raise AssertionError("no crossing")


def test_equal_error_rate_by_hand():
    # Points (0, .5), (.25, .5), (.25, 1): FAR = 1 - TAR is crossed on the vertical at FAR .25.
    far, tar = np.array([[0, 0, 0.25, 0.25, 1.0]]), np.array([[0, 0.5, 0.5, 1.0, 1.0]])
    assert equal_error_rate(far, tar)[0] == pytest.approx(0.25)
    # One step from (0, 0) to (1, 1), as when all distances are equal.
    assert equal_error_rate(np.array([[0.0, 1.0]]), np.array([[0.0, 1.0]]))[0] == pytest.approx(0.5)
    assert equal_error_rate(np.array([[0.0, 0.0, 1.0]]), np.array([[0.0, 1.0, 1.0]]))[0] == 0.0


def test_metrics_and_their_intervals():
    distances, same, left, right = some_pairs(0)
    shuffled = np.random.default_rng(1).permutation(len(same))
    metrics, notes = pair_metrics(
        distances[shuffled], same[shuffled], left[shuffled], right[shuffled], threshold=2.0, seed=5
    )
    assert list(metrics) == [
        "pair_auc",
        "pair_eer",
        "tar_at_far_0.1",
        "tar_at_far_0.01",
        "tar_at_far_0.001",
        "pair_accuracy",
    ]
    assert metrics["pair_auc"].value == pytest.approx(roc_auc_score(same, -distances))
    assert metrics["pair_accuracy"].value == pytest.approx(balanced_accuracy_score(same, distances <= 2.0))
    for metric in metrics.values():
        assert 0 <= metric.low <= metric.value <= metric.high <= 1
        assert metric.n == 200
    assert metrics["pair_auc"].low < metrics["pair_auc"].value < metrics["pair_auc"].high
    assert any("given threshold" in note for note in notes)
    assert any("0.001" in note for note in notes)
    again, _ = pair_metrics(distances[shuffled], same[shuffled], left[shuffled], right[shuffled], threshold=2.0, seed=5)
    assert again == metrics


def test_without_a_threshold_no_pair_is_judged_by_a_threshold_it_helped_to_choose():
    distances, same, left, right = some_pairs(2, p=600, images=40)
    used, correct = cross_judged(distances, same, left, right, seed=0)
    halves = connected(left[used], right[used], 40)
    assert 0 < used.sum() < 600
    assert not correct[~used].any()
    # The pairs that are used fall apart into two sets of images, at least.
    assert len(np.unique(halves[np.unique(np.concatenate([left, right]))])) >= 2
    metrics, notes = pair_metrics(distances, same, left, right, seed=0)
    assert metrics["pair_accuracy"].n == used.sum()
    assert metrics["pair_accuracy"].value == pytest.approx(balanced_accuracy_score(same[used], (same == correct)[used]))
    assert any("the other way round" in note for note in notes)


def test_pairs_that_share_no_image_are_all_judged():
    rng = np.random.default_rng(3)
    same = np.arange(100) % 2 == 0
    distances = np.where(same, rng.random(100), 0.5 + rng.random(100))
    used, _ = cross_judged(distances, same, np.arange(100), 100 + np.arange(100), seed=1)
    assert used.all()


def test_too_few_images_to_halve_is_a_note():
    metrics, notes = pair_metrics(
        np.array([0.1, 0.5]), np.array([True, False]), np.array([0, 0]), np.array([1, 2]), seed=0
    )
    assert "pair_accuracy" not in metrics
    assert metrics["pair_auc"].value == 1.0
    assert any("too few images" in note for note in notes)


@pytest.mark.parametrize(("same", "missing"), [([True, True], "different"), ([False, False], "same")])
def test_one_kind_of_pair_is_a_note(same, missing):
    metrics, notes = pair_metrics(np.array([0.1, 0.2]), np.array(same), np.array([0, 1]), np.array([2, 3]))
    assert metrics == {}
    assert f"'{missing}'" in notes[0]


def test_connected_groups():
    groups = connected(np.array([0, 4, 2, 6]), np.array([2, 5, 7, 6]), 8)
    assert len(np.unique(groups)) == 5
    assert groups[0] == groups[2] == groups[7]
    assert groups[4] == groups[5]
    chain = np.arange(499)
    assert len(np.unique(connected(chain, chain + 1, 500))) == 1


def labelled(n, classes, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 2)).astype(np.float32), rng.integers(0, classes, n)


@given(n=st.integers(1, 25), classes=st.integers(1, 5), seed=st.integers(0, 1000))
@settings(max_examples=60, deadline=None)
def test_all_pairs_are_taken_where_they_are_few(n, classes, seed):
    x, y = labelled(n, classes, seed)
    ids = np.random.default_rng(seed).integers(0, 20, n)
    a, b, n_same = sample_pairs(make_task(EmbeddedSet(x, y, ids)))
    drawn = [frozenset(pair) for pair in zip(a.tolist(), b.tolist(), strict=True)]
    expected = {frozenset((i, j)) for i in range(n) for j in range(i) if ids[i] != ids[j]}
    assert len(drawn) == len(set(drawn))
    assert set(drawn) == expected
    np.testing.assert_array_equal(y[a] == y[b], np.arange(len(a)) < n_same)


@given(q=st.integers(1, 12), n=st.integers(1, 12), classes=st.integers(1, 4), seed=st.integers(0, 1000))
@settings(max_examples=60, deadline=None)
def test_all_pairs_of_query_and_gallery_are_taken_where_they_are_few(q, n, classes, seed):
    (x, y), (g, z) = labelled(q, classes, seed), labelled(n, classes, seed + 1)
    a, b, n_same = sample_pairs(make_task(EmbeddedSet(g, z), EmbeddedSet(x, y)))
    drawn = list(zip(a.tolist(), b.tolist(), strict=True))
    assert sorted(drawn) == [(i, j) for i in range(q) for j in range(n)]
    np.testing.assert_array_equal(y[a] == z[b], np.arange(len(a)) < n_same)


@pytest.mark.parametrize("limit", [50, 900, 5000])
def test_drawn_pairs_are_even_distinct_and_seeded(limit):
    x, y = labelled(400, 3)
    task = make_task(EmbeddedSet(x, y))
    a, b, n_same = sample_pairs(task, seed=1, limit=limit)
    assert (n_same, len(a)) == (limit, 2 * limit)
    assert (a != b).all()
    assert len({frozenset(pair) for pair in zip(a.tolist(), b.tolist(), strict=True)}) == len(a)
    np.testing.assert_array_equal(y[a] == y[b], np.arange(len(a)) < limit)
    again = sample_pairs(task, seed=1, limit=limit)
    np.testing.assert_array_equal(a, again[0])
    assert not np.array_equal(a, sample_pairs(task, seed=2, limit=limit)[0])
    # Every image is drawn about equally often among the different pairs of its class.
    counts = np.bincount(np.concatenate([a, b]), minlength=400)
    assert counts.max() < 2 * limit / 100 + 12
