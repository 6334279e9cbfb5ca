import json

import numpy as np
import pytest

from doppelgram.errors import DoppelgramError
from doppelgram.space.calibration import Calibration

GOOD = Calibration(4.0, 2.0, 0.5, 10, 20, "validation part")


def test_probability_is_the_logistic_function_of_the_distance():
    distances = np.array([[0.0, 0.25], [0.5, 3.0]])
    np.testing.assert_allclose(GOOD.probability(distances), 1 / (1 + np.exp(4 * distances - 2)), rtol=1e-12)
    assert GOOD.probability(0.5) == pytest.approx(0.5)


def test_probability_is_stable_at_the_ends():
    with np.errstate(over="raise", invalid="raise"):
        steep = Calibration(1e6, 1e5, 0.1, 1, 1, "")
        p = steep.probability(np.array([0.0, 1e-3, 1e3, np.inf]))
    np.testing.assert_array_equal(p, [1, 1, 0, 0])


def test_the_threshold_itself_counts_as_same():
    assert GOOD.even == 0.5


def test_survives_json():
    assert Calibration.from_dict(json.loads(json.dumps(GOOD.to_dict()))) == GOOD


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("slope", 0.0),
        ("slope", -1),
        ("slope", float("nan")),
        ("intercept", float("inf")),
        ("intercept", "2"),
        ("threshold", -0.1),
        ("threshold", True),
        ("n_same", 0),
        ("n_different", 1.5),
        ("fitted_on", None),
    ],
)
def test_unusable_values_are_named(key, value):
    with pytest.raises(DoppelgramError, match=f"'{key}'"):
        Calibration.from_dict({**GOOD.to_dict(), key: value})


def test_missing_and_unknown_keys_are_named():
    values = GOOD.to_dict()
    with pytest.raises(DoppelgramError, match="'colour' is not a known key"):
        Calibration.from_dict({**values, "colour": 1})
    del values["threshold"]
    with pytest.raises(DoppelgramError, match="'threshold' is missing"):
        Calibration.from_dict(values)
    with pytest.raises(DoppelgramError, match="table"):
        Calibration.from_dict([1])
