from __future__ import annotations

import pytest

from doppelgram.errors import DoppelgramError
from doppelgram.evaluation.result import EvaluationResult, Metric


@pytest.mark.parametrize("values", [(float("nan"), 0, 1, 3), (0.5, float("-inf"), 1, 3), (0.5, 0, 1, 0)])
def test_a_metric_is_a_measurement(values: tuple[float, float, float, int]) -> None:
    with pytest.raises(DoppelgramError):
        Metric(*values)


def test_access_by_name() -> None:
    result = EvaluationResult({"pair_auc": Metric(1.0, 0.9, 1.0, 10)})
    assert result["pair_auc"].n == 10
    assert "pair_auc" in result
    assert "cmc_5" not in result
