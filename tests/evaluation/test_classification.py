import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score
from sklearn.neighbors import NearestCentroid

from doppelgram.evaluation.classification import classification_metrics, nearest_class_mean, top_confusions
from doppelgram.evaluation.task import EmbeddedSet, make_task


def naive(x, y, gallery, labels, skip, classes):
    predicted = []
    for i in range(len(x)):
        best = (np.inf, True, -1)
        for c in range(classes):
            rows = [j for j in range(len(gallery)) if labels[j] == c and not skip(i, j)]
            if rows:
                distance = ((x[i].astype(np.float64) - gallery[rows].astype(np.float64).mean(axis=0)) ** 2).sum()
                best = min(best, (round(distance, 9), c == y[i], c))
        predicted.append(best[2])
    return np.array(predicted)


@given(n=st.integers(1, 25), d=st.integers(1, 3), seed=st.integers(0, 2**32 - 1), block=st.sampled_from([None, 1, 4]))
@settings(max_examples=80, deadline=None)
def test_leave_one_out_takes_the_image_and_its_copies_out_of_every_mean(n, d, seed, block):
    rng = np.random.default_rng(seed)
    x = rng.integers(-2, 3, size=(n, d)).astype(np.float32)
    names, y = np.unique(rng.integers(0, 5, n), return_inverse=True)
    ids = rng.integers(0, 30, n)
    predicted = nearest_class_mean(make_task(EmbeddedSet(x, y, [str(i) for i in ids])), block=block)
    expected = naive(x, y, x, y, lambda i, j: ids[i] == ids[j], len(names))
    # Which of several equally near wrong classes is named is left to rounding.
    np.testing.assert_array_equal(predicted == y, expected == y)
    np.testing.assert_array_equal(predicted < 0, expected < 0)


def test_query_against_gallery_agrees_with_scikit_learn():
    rng = np.random.default_rng(0)
    y, z = rng.integers(0, 7, 200), rng.integers(0, 7, 300)
    centres = 3 + rng.normal(size=(7, 5))
    x, g = ((centres[c] + rng.normal(size=(len(c), 5))).astype(np.float32) for c in (y, z))
    predicted = nearest_class_mean(make_task(EmbeddedSet(g, z), EmbeddedSet(x, y)))
    np.testing.assert_array_equal(predicted, NearestCentroid().fit(g, z).predict(x))


def test_leaving_one_out_is_fitting_again_without_it():
    rng = np.random.default_rng(1)
    y = np.repeat(np.arange(4), 6)
    x = (rng.normal(size=(4, 3))[y] + rng.normal(size=(24, 3))).astype(np.float32)
    predicted = nearest_class_mean(make_task(EmbeddedSet(x, y)))
    for i in range(24):
        rest = np.arange(24) != i
        assert predicted[i] == NearestCentroid().fit(x[rest], y[rest]).predict(x[i : i + 1])[0]


def test_metrics_agree_with_scikit_learn():
    rng = np.random.default_rng(2)
    truth = np.concatenate([rng.integers(0, 5, 200), [7]])
    predicted = np.where(rng.random(201) < 0.6, truth, rng.integers(0, 5, 201))
    metrics = classification_metrics("knn", predicted, truth)
    assert list(metrics) == ["knn_accuracy", "balanced_knn_accuracy"]
    assert metrics["knn_accuracy"].value == pytest.approx(accuracy_score(truth, predicted))
    assert metrics["balanced_knn_accuracy"].value == pytest.approx(balanced_accuracy_score(truth, predicted))
    for metric in metrics.values():
        assert metric.low < metric.value < metric.high
        assert metric.n == 201
    assert classification_metrics("knn", predicted[:0], truth[:0]) == {}


def test_confusions_are_counted_and_ordered():
    truth = np.array(["a", "a", "a", "b", "b", "c"])
    predicted = np.array(["b", "b", "a", "a", "b", "b"])
    assert top_confusions(truth, predicted) == [("a", "b", 2, 3), ("b", "a", 1, 2), ("c", "b", 1, 1)]
    assert top_confusions(truth, predicted, most=1) == [("a", "b", 2, 3)]
    assert top_confusions(truth, truth) == []
