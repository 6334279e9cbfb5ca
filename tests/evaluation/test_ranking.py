import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
from pytorch_metric_learning.utils.inference import CustomKNN
from sklearn.neighbors import KNeighborsClassifier

from doppelgram.errors import DoppelgramError
from doppelgram.evaluation import ranking as module
from doppelgram.evaluation.ranking import rank, vote
from doppelgram.evaluation.retrieval import cmc_curve, precision_at_1_and_map, retrieval_metrics
from doppelgram.evaluation.task import EmbeddedSet, make_task


def naive(query, query_labels, gallery, gallery_labels, skip, knn=1):
    """One query at a time, sorting by (distance, is it relevant, row): the definition itself."""
    answers = []
    for i in range(len(query)):
        distances = ((query[i].astype(np.float64) - gallery.astype(np.float64)) ** 2).sum(axis=1)
        kept = [j for j in range(len(gallery)) if not skip(i, j)]
        kept.sort(key=lambda j: (distances[j], gallery_labels[j] == query_labels[i], j))
        hits = [gallery_labels[j] == query_labels[i] for j in kept]
        r = sum(hits)
        precision = sum(sum(hits[: place + 1]) / (place + 1) for place in range(r) if hits[place])
        votes = [gallery_labels[j] for j in kept[:knn]]
        winner = max(votes, key=lambda c: (votes.count(c), -votes.index(c))) if votes else -1
        first = hits.index(True) + 1 if r else 0
        answers.append((r, first, sum(hits[:r]) / r if r else 0.0, precision / r if r else 0.0, winner))
    return [np.array(column) for column in zip(*answers, strict=True)]


def check(ranking, expected, n):
    relevant, first, r_precision, average, winner = expected
    np.testing.assert_array_equal(ranking.relevant, relevant)
    beyond = ranking.first == 0
    assert (first[beyond & (relevant > 0)] > min(n, module.DEPTH)).all()
    np.testing.assert_array_equal(ranking.first[~beyond], first[~beyond])
    np.testing.assert_allclose(ranking.r_precision, r_precision, atol=1e-12)
    np.testing.assert_allclose(ranking.average_precision, average, atol=1e-12)
    np.testing.assert_array_equal(ranking.predicted, winner)


sizes = st.integers(1, 20)  # no more than the ranks looked at, so that every tie is settled exactly


@given(n=sizes, d=st.integers(1, 3), classes=st.integers(1, 6), knn=st.integers(1, 7), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=100, deadline=None)
def test_leave_one_out_on_integer_grids_full_of_ties(n, d, classes, knn, seed):
    rng = np.random.default_rng(seed)
    x = rng.integers(-1, 2, size=(n, d)).astype(np.float32)
    y = rng.integers(0, classes, n)
    ids = rng.integers(0, 40, n)
    task = make_task(EmbeddedSet(x, y, [str(i) for i in ids]))
    ranking = rank(task, knn=knn, block=int(rng.integers(1, 40)))
    expected = naive(x, y, x, y, lambda i, j: ids[i] == ids[j], knn)
    names = np.unique(y)
    expected[4] = np.where(expected[4] < 0, -1, np.searchsorted(names, expected[4]))
    check(ranking, expected, n)


@given(q=sizes, n=sizes, classes=st.integers(1, 5), knn=st.integers(1, 5), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_query_against_gallery_on_integer_grids_full_of_ties(q, n, classes, knn, seed):
    rng = np.random.default_rng(seed)
    x, g = (rng.integers(0, 3, size=(m, 2)).astype(np.float32) for m in (q, n))
    y, z = rng.integers(0, classes, q), rng.integers(0, classes, n)
    a, b = rng.integers(0, 30, q), rng.integers(0, 30, n)
    task = make_task(EmbeddedSet(g, z, b), EmbeddedSet(x, y, a))
    expected = naive(x, y, g, z, lambda i, j: a[i] == b[j], knn)
    names = np.unique(np.concatenate([y, z]))
    expected[4] = np.where(expected[4] < 0, -1, np.searchsorted(names, expected[4]))
    check(rank(task, knn=knn), expected, n)


def test_many_duplicates_in_a_large_gallery_are_ties_against_us():
    # 60 different vectors, 2,500 rows: nearly every distance is shared, and float rounding must not untie any.
    rng = np.random.default_rng(0)
    vectors = (5 + rng.normal(size=(60, 33))).astype(np.float32)
    x, y = vectors[rng.integers(0, 60, 2500)], rng.integers(0, 50, 2500)
    ranking = rank(make_task(EmbeddedSet(x, y)))
    rows = rng.integers(0, 2500, 40)
    distances = np.sqrt(((x[rows, None].astype(np.float64) - x) ** 2).sum(axis=2)).round(9)
    for place, i in enumerate(rows):
        kept = np.delete(np.arange(2500), i)
        order = np.lexsort((y[kept] == y[i], distances[place, kept]))
        hits = y[kept][order] == y[i]
        r = hits.sum()
        assert ranking.relevant[i] == r
        precision = np.cumsum(hits[:r]) / np.arange(1, r + 1)
        assert ranking.average_precision[i] == pytest.approx((precision * hits[:r]).sum() / r, abs=1e-12)
        first = np.argmax(hits) + 1
        assert ranking.first[i] == first or (ranking.first[i] == 0 and first > module.DEPTH)


def test_a_collapsed_embedding_scores_the_worst_there_is():
    x, y = np.full((400, 8), 0.1, dtype=np.float32), np.repeat([0, 1], 200)
    scores = precision_at_1_and_map(x, y)
    assert scores["precision_at_1"] == 0.0
    assert scores["map_at_r"] == 0.0


def peer(query, query_labels, gallery=None, gallery_labels=None):
    calculator = AccuracyCalculator(
        include=("precision_at_1", "r_precision", "mean_average_precision_at_r"),
        k="max_bin_count",
        device=torch.device("cpu"),
        knn_func=CustomKNN(LpDistance(normalize_embeddings=False)),
        kmeans_func=object(),  # never called; the default needs faiss
    )
    found = calculator.get_accuracy(query, query_labels, gallery, gallery_labels)
    return {name.replace("mean_average_precision", "map"): value for name, value in found.items()}


@pytest.mark.parametrize("seed", range(3))
def test_leave_one_out_agrees_with_pytorch_metric_learning(seed):
    rng = np.random.default_rng(seed)
    y = np.concatenate([rng.integers(0, 12, 500), [90, 91, 92], [93, 93]])  # three classes of one, one of two
    x = (rng.normal(size=(94, 8))[y] + rng.normal(size=(len(y), 8))).astype(np.float32)
    ranking = rank(make_task(EmbeddedSet(x, y)))
    metrics = retrieval_metrics(ranking)
    for name, value in peer(x, y).items():
        assert metrics[name].value == pytest.approx(value, abs=1e-6)
        assert metrics[name].n == 502
    scores = precision_at_1_and_map(x, y)
    assert scores["precision_at_1"] == metrics["precision_at_1"].value
    assert scores["map_at_r"] == metrics["map_at_r"].value


def test_query_against_gallery_agrees_with_pytorch_metric_learning():
    rng = np.random.default_rng(7)
    y, z = rng.integers(0, 9, 150), rng.integers(1, 11, 400)
    centres = rng.normal(size=(11, 6))
    x, g = ((centres[c] + rng.normal(size=(len(c), 6))).astype(np.float32) for c in (y, z))
    metrics = retrieval_metrics(rank(make_task(EmbeddedSet(g, z), EmbeddedSet(x, y)), block=17))
    for name, value in peer(x, y, g, z).items():
        assert metrics[name].value == pytest.approx(value, abs=1e-6)
        assert metrics[name].n == (y > 0).sum()
    scores = precision_at_1_and_map(x, y, gallery=g, gallery_labels=z)
    assert scores["map_at_r"] == metrics["map_at_r"].value


def exact_average_precision(x, y):
    distances = np.stack([((row - x.astype(np.float64)) ** 2).sum(axis=1) for row in x.astype(np.float64)])
    np.fill_diagonal(distances, np.inf)
    hits = y[np.argsort(distances, axis=1, kind="stable")] == y[:, None]
    precision = np.cumsum(hits, axis=1) / np.arange(1, len(x) + 1)
    relevant = np.bincount(y)[y] - 1
    return (precision * hits * (np.arange(len(x)) < relevant[:, None])).sum(axis=1) / relevant


@pytest.mark.parametrize("offset", [0.0, 1.0, 100.0])
@pytest.mark.parametrize("block", [None, 64])
def test_rounding_of_float32_products_changes_no_query(offset, block):
    # 1,500 images in two dimensions: thousands of neighbours are closer together than the products resolve.
    rng = np.random.default_rng(3)
    y = np.concatenate([np.arange(30), np.arange(30), rng.integers(0, 30, 1440)])
    x = (offset * rng.normal(size=2) + rng.normal(size=(30, 2))[y] + 2 * rng.normal(size=(1500, 2))).astype(np.float32)
    ranking = rank(make_task(EmbeddedSet(x, y)), block=block)
    np.testing.assert_allclose(ranking.average_precision, exact_average_precision(x, y), atol=1e-12)


@pytest.mark.parametrize("k", [1, 3])
def test_votes_agree_with_scikit_learn(k):
    rng = np.random.default_rng(k)
    y, z = rng.integers(0, 2, 200), rng.integers(0, 2, 300)
    x, g = ((c[:, None] + rng.normal(size=(len(c), 4))).astype(np.float32) for c in (y, z))
    predicted = rank(make_task(EmbeddedSet(g, z), EmbeddedSet(x, y)), knn=k).predicted
    np.testing.assert_array_equal(predicted, KNeighborsClassifier(k).fit(g, z).predict(x))


def test_equal_votes_go_to_the_class_with_the_nearest_member():
    classes = np.array([[2, 1, 1, 2], [0, 1, 2, -1], [0, 1, 1, 0], [-1, -1, -1, -1], [3, 1, 1, -1]])
    np.testing.assert_array_equal(vote(classes), [2, 0, 0, -1, 1])


def test_cmc_rises_to_the_share_found():
    rng = np.random.default_rng(4)
    y = rng.integers(0, 20, 300)
    ranking = rank(make_task(EmbeddedSet(rng.normal(size=(300, 3)).astype(np.float32), y)))
    curve, metrics = cmc_curve(ranking), retrieval_metrics(ranking)
    assert (np.diff(curve) >= 0).all()
    assert curve[0] == metrics["precision_at_1"].value
    assert curve[4] == metrics["cmc_5"].value
    assert curve[9] == metrics["cmc_10"].value


def test_without_any_relevant_image_there_is_nothing_to_say():
    x = np.eye(3, dtype=np.float32)
    ranking = rank(make_task(EmbeddedSet(x, ["a", "b", "c"])))
    assert retrieval_metrics(ranking) == {}
    assert cmc_curve(ranking) is None
    with pytest.raises(DoppelgramError, match="two images"):
        precision_at_1_and_map(x, ["a", "b", "c"])
