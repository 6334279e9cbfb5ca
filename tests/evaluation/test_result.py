import json

import pytest

from doppelgram.errors import DoppelgramError
from doppelgram.evaluation.result import EvaluationResult, Metric


@pytest.fixture
def result():
    metrics = {"precision_at_1": Metric(0.5, 0.25, 0.75, 1200), "pair_auc": Metric(1.0, 0.9, 1.0, 10)}
    return EvaluationResult(metrics, ("2 queries are left out.",), {"seed": 3, "threshold": None})


def test_metrics_json_holds_metrics_and_nothing_else(result, tmp_path):
    files = result.write(tmp_path / "deep" / "folder")
    assert sorted(file.name for file in files) == ["details.json", "metrics.json", "metrics.md"]
    written = json.loads((tmp_path / "deep/folder/metrics.json").read_text())
    assert written == {
        "precision_at_1": {"value": 0.5, "low": 0.25, "high": 0.75, "n": 1200},
        "pair_auc": {"value": 1.0, "low": 0.9, "high": 1.0, "n": 10},
    }
    assert list(written) == ["precision_at_1", "pair_auc"]
    details = json.loads((tmp_path / "deep/folder/details.json").read_text())
    assert details == {"settings": {"seed": 3, "threshold": None}, "notes": ["2 queries are left out."]}


def test_writing_again_replaces_and_leaves_nothing_aside(result, tmp_path):
    result.write(tmp_path)
    EvaluationResult({"pair_auc": Metric(0.5, 0.4, 0.6, 3)}).write(tmp_path)
    assert list(json.loads((tmp_path / "metrics.json").read_text())) == ["pair_auc"]
    assert len(list(tmp_path.iterdir())) == 3


def test_the_table_says_it_in_words_and_by_name(result):
    text = result.to_markdown()
    assert "| Nearest image is of the right class | 50.0 % | 25.0 % to 75.0 % | 1,200 | `precision_at_1` |" in text
    assert text.rstrip().endswith("- 2 queries are left out.")


def test_a_folder_that_cannot_be_made_is_named(result, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DoppelgramError, match="file"):
        result.write(tmp_path / "file")


@pytest.mark.parametrize("values", [(float("nan"), 0, 1, 3), (0.5, float("-inf"), 1, 3), (0.5, 0, 1, 0)])
def test_a_metric_is_a_measurement(values):
    with pytest.raises(DoppelgramError):
        Metric(*values)


def test_access_by_name(result):
    assert result["pair_auc"].n == 10
    assert "pair_auc" in result
    assert "cmc_5" not in result
