import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, log_loss

from doppelgram.errors import DoppelgramError
from doppelgram.evaluation.reliability import reliability


@pytest.mark.parametrize("seed", range(5))
def test_equals_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    p = rng.beta(0.7, 0.9, 2000)
    y = rng.random(2000) < p**1.5
    w = rng.random(2000) + 0.1
    found, weighted = reliability(p, y), reliability(p, y, w)
    assert found.log_loss == pytest.approx(log_loss(y, p))
    assert found.brier == pytest.approx(brier_score_loss(y, p))
    assert weighted.log_loss == pytest.approx(log_loss(y, p, sample_weight=w))
    assert weighted.brier == pytest.approx(brier_score_loss(y, p, sample_weight=w))
    right, said = calibration_curve(y, p, n_bins=10)
    np.testing.assert_allclose([each.right for each in found.bins], right)
    np.testing.assert_allclose([each.said for each in found.bins], said)
    sizes = np.array([each.n for each in found.bins])
    assert sizes.sum() == found.n == 2000
    assert found.ece == pytest.approx((sizes * np.abs(right - said)).sum() / 2000)
    assert found.worst == pytest.approx(np.abs(right - said)[sizes >= 100].max())


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40))
def test_equals_a_loop(answers):
    found = reliability(*np.array(answers, dtype=float).T)
    bins = {}
    for p, y in answers:
        bins.setdefault(min(sum(p >= edge / 10 for edge in range(1, 11)), 9), []).append((p, y))
    assert [each.n for each in found.bins] == [len(bins[number]) for number in sorted(bins)]
    gaps = [abs(sum(p - y for p, y in inside)) for inside in bins.values()]
    assert found.ece == pytest.approx(sum(gaps) / len(answers), abs=1e-12)


@pytest.mark.parametrize(
    ("p", "y", "message"),
    [([], [], "fit"), ([0.5], [1, 0], "fit"), ([1.5], [1], "outside"), ([np.nan], [1], "outside")],
)
def test_what_cannot_be_measured_is_said(p, y, message):
    with pytest.raises(DoppelgramError, match=message):
        reliability(p, y)
