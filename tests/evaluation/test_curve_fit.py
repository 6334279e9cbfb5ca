import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doppelgram.errors import DoppelgramError
from doppelgram.evaluation.curve_fit import fit_curve
from doppelgram.space.curve import Curve

examples = st.lists(st.tuples(st.floats(0, 3), st.booleans()), min_size=1, max_size=150)


@settings(deadline=None, max_examples=60)
@given(examples, st.floats(0.1, 10))
def test_falls_with_distance_and_is_never_certain(pairs, scale):
    d, y = np.array(pairs, dtype=float).T
    curve = fit_curve(d * scale, y, about="x")
    at = np.linspace(0, 40 * scale, 300)
    p = curve.probability(at)
    assert (np.diff(p) <= 1e-12).all()
    assert 1 / (len(d) + 2) - 1e-12 <= p.min() <= p.max() <= 1 - 1 / (len(d) + 2) + 1e-12
    assert Curve.from_dict(curve.to_dict()) == curve
    reach = curve.reach(0.5)
    if p[0] >= 0.5:
        assert curve.probability(reach * (1 - 1e-6)) >= 0.5 - 1e-6
        assert curve.probability(reach * (1 + 1e-3) + 1e-6) < 0.5 + 1e-6
    else:
        assert reach == 0


def test_one_step_is_a_count():
    curve = fit_curve([0.1, 0.2, 0.3], [1, 1, 0], about="three")
    assert curve.probability([0.0, 0.2, 0.3]) == pytest.approx([3 / 5] * 3)
    assert (curve.n_right, curve.n_wrong, curve.about) == (2, 1, "three")
    assert curve.probability(np.inf) == 0
    assert np.isnan(curve.probability(np.nan))
    assert curve.probability(1e9) == pytest.approx(1 / 5)


def test_answers_of_one_query_are_one_example():
    """A hundred right answers of two queries tell no more than 1 - 1/(2 + 2)."""
    d = np.linspace(0, 1, 100)
    assert fit_curve(d, np.ones(100), sources=np.arange(100) % 2, about="x").probability(0.5) == pytest.approx(3 / 4)
    assert fit_curve(d, np.ones(100), about="x").probability(0.5) == pytest.approx(101 / 102)


def test_holds_on_other_examples():
    rng = np.random.default_rng(0)

    def drawn(n):
        d = rng.gamma(3, 0.3, n)
        return d, rng.random(n) < 0.9 / (1 + np.exp(6 * (d - 0.8)))

    curve = fit_curve(*drawn(4000), about="x")
    d, y = drawn(20_000)
    p = curve.probability(d)
    for low in np.arange(0, 1, 0.1):
        inside = (p >= low) & (p < low + 0.1)
        if inside.sum() >= 100:
            assert y[inside].mean() == pytest.approx(p[inside].mean(), abs=0.1)


def test_weights_move_the_share():
    d, y = np.full(40, 0.5), np.arange(40) < 10
    curve = fit_curve(d, y, weights=np.where(y, 3.0, 1.0), about="x")
    assert curve.probability(0.5) == pytest.approx((0.5 * 40 + 1) / 42)


def test_nothing_and_damage_are_said():
    with pytest.raises(DoppelgramError, match="nobody: there is no example"):
        fit_curve([], [], about="nobody")
    good = fit_curve([0.1, 0.9], [1, 0], about="x").to_dict()
    for name, value in (("distances", [1.0, 0.0]), ("probabilities", [0.0, 0.0]), ("slope", -1.0), ("slope", "a")):
        with pytest.raises(DoppelgramError, match="curve"):
            Curve.from_dict(good | {name: value})
