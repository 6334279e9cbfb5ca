import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score

from doppelgram.errors import DoppelgramError
from doppelgram.evaluation.calibration import best_threshold, fit_calibration


def drawn(seed, n_same=60, n_different=400, gap=0.5):
    rng = np.random.default_rng(seed)
    distances = np.concatenate([rng.gamma(4, 0.2, n_same), gap + rng.gamma(4, 0.2, n_different)])
    return distances, np.arange(n_same + n_different) < n_same


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
def test_equals_scikit_learn_s_logistic_regression_on_the_same_soft_targets(seed, scale):
    distances, same = drawn(seed)
    fit = fit_calibration(distances * scale, same, fitted_on="x")
    # Each pair twice, as the same and as different, weighted by Platt's target and by its kind.
    n = np.where(same, same.sum(), (~same).sum())
    target = np.where(same, (n + 1) / (n + 2), 1 / (n + 2))
    x = np.concatenate([distances, distances])[:, None]
    y = np.repeat([1, 0], len(same))
    weights = np.concatenate([target / n, (1 - target) / n]) * 1e4
    oracle = LogisticRegression(C=1e12, tol=1e-10, max_iter=10_000).fit(x, y, sample_weight=weights)
    assert fit.slope * scale == pytest.approx(-oracle.coef_[0, 0], rel=1e-3)
    assert fit.intercept == pytest.approx(oracle.intercept_[0], rel=1e-3, abs=1e-3)
    assert (fit.n_same, fit.n_different, fit.fitted_on) == (60, 400, "x")


def test_with_many_pairs_it_is_balanced_logistic_regression():
    distances, same = drawn(9, 20_000, 50_000)
    fit = fit_calibration(distances, same, fitted_on="x")
    oracle = LogisticRegression(C=1e12, tol=1e-10, class_weight="balanced").fit(distances[:, None], same)
    assert fit.slope == pytest.approx(-oracle.coef_[0, 0], rel=5e-3)
    np.testing.assert_allclose(fit.probability(distances), oracle.predict_proba(distances[:, None])[:, 1], atol=2e-3)


def test_perfect_separation_gives_a_finite_slope_and_the_middle_as_threshold():
    fit = fit_calibration([0.1, 0.2, 0.9, 1.0, 1.1], [1, 1, 0, 0, 0], fitted_on="x")
    assert np.isfinite(fit.slope)
    assert fit.threshold == pytest.approx(0.55)
    p = fit.probability(np.array([0.15, 1.0]))
    assert 0.6 < p[0] < 0.95
    assert 0.05 < p[1] < 0.4


def test_one_pair_of_each_kind_is_enough():
    fit = fit_calibration([0.2, 0.4], [True, False], fitted_on="x")
    # Platt's targets for one pair each are 2/3 and 1/3.
    np.testing.assert_allclose(fit.probability([0.2, 0.4]), [2 / 3, 1 / 3], rtol=1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_the_threshold_has_the_best_balanced_accuracy_of_all(seed):
    rng = np.random.default_rng(seed)
    distances = rng.integers(0, 8, 30) / 4
    same = rng.random(30) < 0.4
    same[:2] = [True, False]
    threshold = best_threshold(distances, same)
    values = np.unique(distances)
    nothing = [0.0] if values[0] > 0 else []
    candidates = np.concatenate([nothing, (values[1:] + values[:-1]) / 2, values[-1:]])
    scores = np.array([balanced_accuracy_score(same, distances <= cut) for cut in candidates])
    first = candidates[np.argmax(scores > scores.max() - 1e-12)]
    assert threshold == pytest.approx(first)
    shuffled = rng.permutation(30)
    assert best_threshold(distances[shuffled], same[shuffled]) == threshold


def test_neighbouring_numbers_are_told_apart():
    low = 0.5
    high = np.nextafter(low, 1)
    threshold = best_threshold(np.array([low, high]), np.array([True, False]))
    assert low <= threshold < high


@pytest.mark.parametrize(
    ("distances", "same", "message"),
    [
        ([0.5, 0.6], [1, 1], "different"),
        ([0.5, 0.6], [0, 0], "'same'"),
        ([0.5, 0.5, 0.5], [1, 0, 0], "no information"),
        ([0.9, 0.1], [1, 0], "no information"),
        ([0.1, np.nan], [1, 0], "pair 1"),
        ([0.1, -1.0], [1, 0], "pair 1"),
        ([0.1], [1, 0], "one of each"),
        ([0.1, 0.2], [1, 2], "true or false"),
    ],
)
def test_what_cannot_be_fitted_is_said(distances, same, message):
    with pytest.raises(DoppelgramError, match=message):
        fit_calibration(distances, same, fitted_on="validation part")
