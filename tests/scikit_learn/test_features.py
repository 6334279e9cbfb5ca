"""`MetricLearner` as scikit-learn wants an estimator to be."""

from __future__ import annotations

import pickle
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone, is_classifier
from sklearn.datasets import load_iris, make_blobs
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from doppelgram import DoppelgramError, MetricLearner
from doppelgram.learning.registry import list_losses

# No check is expected to fail.
EXPECTED: dict[str, str] = {}


@pytest.mark.slow
@parametrize_with_checks(
    [MetricLearner(4, epochs=20), MetricLearner(4, loss="cosface", hidden=8, epochs=20, n_neighbors=1)],
    expected_failed_checks=lambda estimator: EXPECTED,
)
def test_scikit_learn_s_own_checks(estimator: Any, check: Any) -> None:
    check(estimator)


def _striped(random_state: int = 0) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Two classes that differ in one of ten features, which is small beside the others."""
    rng = np.random.default_rng(random_state)
    y = np.arange(80) % 2
    X = rng.normal(size=(80, 10))
    X[:, 3] = 0.3 * (2 * y - 1) + 0.05 * rng.normal(size=80)
    return X, y


def test_it_learns_which_feature_tells_classes_apart() -> None:
    X, y = _striped()
    new, labels = _striped(1)
    learner = MetricLearner(8, random_state=0).fit(X, y)
    assert learner.score(new, labels) > 0.95
    assert KNeighborsClassifier().fit(X, y).score(new, labels) < 0.8
    assert learner.loss_curve_[-1] < learner.loss_curve_[0]
    assert len(learner.loss_curve_) == learner.epochs


def test_embeddings_are_points_of_the_unit_sphere_with_names() -> None:
    X, y = _striped()
    learner = MetricLearner(8, epochs=2, random_state=0).set_output(transform="pandas").fit(X, y)
    found = learner.transform(X)
    assert list(found.columns) == list(learner.get_feature_names_out()) == [f"metriclearner{n}" for n in range(8)]
    assert np.allclose(np.linalg.norm(found, axis=1), 1)
    assert learner.set_output(transform="default").transform(X.astype(np.float32)).dtype == np.float32


def test_neighbours_are_the_nearest_embeddings_and_vote() -> None:
    X, y = make_blobs(30, centers=3, random_state=0)
    names = np.array(["ant", "bee", "cow"])[y]
    learner = MetricLearner(4, epochs=3, n_neighbors=4, random_state=0).fit(X[:20], names[:20])
    gallery, queries = learner.transform(X[:20]), learner.transform(X[20:])
    by_hand = np.linalg.norm(queries[:, None] - gallery[None], axis=2)
    distances, rows = learner.kneighbors(X[20:])
    assert np.allclose(distances, np.sort(by_hand, axis=1)[:, :4])
    votes = np.array([[np.mean(names[:20][row] == name) for name in learner.classes_] for row in rows])
    assert np.allclose(learner.predict_proba(X[20:]), votes)
    assert learner.kneighbors(n_neighbors=1, return_distance=False).ravel().tolist() == [
        int(np.argsort(row)[1]) for row in np.linalg.norm(gallery[:, None] - gallery[None], axis=2)
    ]


def test_more_voters_than_samples_are_all_of_them() -> None:
    X, y = make_blobs(6, centers=2, random_state=0)
    learner = MetricLearner(4, epochs=1, n_neighbors=50, random_state=0).fit(X, y)
    assert np.allclose(learner.predict_proba(X), 0.5)


def test_a_state_gives_the_same_again_and_leaves_torch_s_numbers_alone() -> None:
    X, y = _striped()
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    learners = [MetricLearner(4, epochs=3, miner="none", random_state=state).fit(X, y) for state in (0, 0, 1)]
    assert torch.equal(torch.rand(3), expected)
    first, same, other = (learner.transform(X) for learner in learners)
    assert np.array_equal(first, same)
    assert not np.allclose(first, other)


def test_it_works_in_pipelines_grids_and_files(tmp_path: Any) -> None:
    X, y = load_iris(return_X_y=True, as_frame=True)
    pipeline = make_pipeline(StandardScaler(), MetricLearner(4, epochs=10, random_state=0))
    assert cross_val_score(pipeline, X, y, cv=3).mean() > 0.9
    grid = GridSearchCV(pipeline, {"metriclearner__loss": ["triplet", "contrastive"]}, cv=2).fit(X, y)
    best = grid.best_estimator_
    joblib.dump(best, tmp_path / "learner.joblib")
    for again in (joblib.load(tmp_path / "learner.joblib"), pickle.loads(pickle.dumps(best))):
        assert np.array_equal(again.predict_proba(X), best.predict_proba(X))
    assert clone(best)[-1].get_params() == best[-1].get_params()
    with pytest.raises(NotFittedError):
        clone(best).transform(X)
    assert is_classifier(best)
    before_a_classifier = make_pipeline(MetricLearner(4, epochs=3, random_state=0), KNeighborsClassifier(1))
    assert before_a_classifier.fit(X, y).score(X, y) > 0.9


@pytest.mark.parametrize("loss", ["bce", "cosface", "ProxyAnchorLoss", "ntxent"])
@pytest.mark.parametrize("miner", [None, "semihard"])
def test_every_kind_of_loss_and_miner(loss: str, miner: str | None) -> None:
    X, y = make_blobs(40, centers=4, random_state=0)
    if loss not in list_losses() and not loss.endswith("Loss"):
        pytest.fail(f"{loss} is no loss")
    assert MetricLearner(4, loss=loss, miner=miner, epochs=10, random_state=0).fit(X, y).score(X, y) > 0.8


def test_classes_with_one_sample_each_but_one() -> None:
    X, y = make_blobs([6, 1, 1], random_state=0)
    assert set(MetricLearner(4, epochs=3, n_neighbors=1, random_state=0).fit(X, y).predict(X)) == {0, 1, 2}


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"embedding_dim": 1}, "embedding_dim"),
        ({"embedding_dim": 4096}, "embedding_dim"),
        ({"epochs": 0}, "epochs"),
        ({"learning_rate": -1}, "learning_rate"),
        ({"n_neighbors": 0}, "n_neighbors"),
        ({"hidden": 1.5}, "hidden"),
        ({"loss": None}, "loss"),
        ({"miner": 3}, "miner"),
        ({"loss_params": "margin"}, "loss_params"),
    ],
)
def test_a_parameter_that_cannot_be_is_named(wrong: dict[str, Any], named: str) -> None:
    X, y = _striped()
    with pytest.raises(ValueError, match=named) as told:
        MetricLearner(**wrong).fit(X, y)
    assert isinstance(told.value, DoppelgramError)


def test_nothing_is_trained_before_every_parameter_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = _striped()
    monkeypatch.setattr("doppelgram.scikit_learn.features.train_head", lambda *_: pytest.fail("it was trained"))
    with pytest.raises(ValueError, match="n_neighbors"):
        MetricLearner(n_neighbors=0).fit(X, y)


def test_numbers_of_numpy_are_numbers() -> None:
    X, y = _striped()
    learner = MetricLearner(np.int64(4), epochs=np.int32(1), learning_rate=np.float32(0.01), random_state=0)
    assert learner.fit(X, y).transform(X).shape == (80, 4)


def test_many_rows_are_embedded_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = _striped()
    learner = MetricLearner(4, epochs=1, random_state=0).fit(X, y)
    expected = learner.transform(X)
    monkeypatch.setattr("doppelgram.scikit_learn.head._AT_ONCE", 7)
    np.testing.assert_allclose(learner.transform(X), expected, atol=1e-12)


def test_an_unknown_loss_and_a_single_class_are_refused_in_a_sentence() -> None:
    X, y = _striped()
    with pytest.raises(DoppelgramError, match="tripplet"):
        MetricLearner(loss="tripplet").fit(X, y)
    with pytest.raises(DoppelgramError, match="margn"):
        MetricLearner(loss_params={"margn": 1}).fit(X, y)
    with pytest.raises(ValueError, match="one class"):
        MetricLearner().fit(X, np.zeros(len(X), int))


def test_names_of_columns_are_checked() -> None:
    X, y = load_iris(return_X_y=True, as_frame=True)
    learner = MetricLearner(4, epochs=1, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="feature names"):
        learner.transform(X.rename(columns={X.columns[0]: "other"}))
    assert isinstance(X, pd.DataFrame)
