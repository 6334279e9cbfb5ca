from __future__ import annotations

import json
from pathlib import Path

import pytest

from doppelgram.errors import DoppelgramError
from doppelgram.evaluation.result import ARRANGEMENT_METRICS, METRICS, EvaluationResult, Metric
from doppelgram.reports.evaluation import METRIC_NAMES, evaluation_markdown, write_evaluation


@pytest.fixture
def result() -> EvaluationResult:
    metrics = {"precision_at_1": Metric(0.5, 0.25, 0.75, 1200), "pair_auc": Metric(1.0, 0.9, 1.0, 10)}
    return EvaluationResult(metrics, ("2 queries are left out.",), {"seed": 3, "threshold": None})


def test_every_metric_has_a_name_in_words() -> None:
    assert set(METRIC_NAMES) == {*METRICS, *ARRANGEMENT_METRICS}


def test_metrics_json_holds_metrics_and_nothing_else(result: EvaluationResult, tmp_path: Path) -> None:
    files = write_evaluation(result, tmp_path / "deep" / "folder")
    assert sorted(file.name for file in files) == ["details.json", "metrics.json", "metrics.md"]
    written = json.loads((tmp_path / "deep/folder/metrics.json").read_text())
    assert written == {
        "precision_at_1": {"value": 0.5, "low": 0.25, "high": 0.75, "n": 1200},
        "pair_auc": {"value": 1.0, "low": 0.9, "high": 1.0, "n": 10},
    }
    assert list(written) == ["precision_at_1", "pair_auc"]
    details = json.loads((tmp_path / "deep/folder/details.json").read_text())
    assert details == {
        "settings": {"seed": 3, "threshold": None},
        "notes": ["2 queries are left out."],
        "reliability": {},
    }


def test_writing_again_replaces_and_leaves_nothing_aside(result: EvaluationResult, tmp_path: Path) -> None:
    write_evaluation(result, tmp_path)
    write_evaluation(EvaluationResult({"pair_auc": Metric(0.5, 0.4, 0.6, 3)}), tmp_path)
    assert list(json.loads((tmp_path / "metrics.json").read_text())) == ["pair_auc"]
    assert len(list(tmp_path.iterdir())) == 3


def test_the_table_has_words_and_names(result: EvaluationResult) -> None:
    lines = evaluation_markdown(result).splitlines()
    assert lines[:3] == [
        "| what | value | 95 % interval | n | name |",
        "|---|---:|---:|---:|---|",
        "| Nearest image is of the right class | 50.0 % | 25.0 to 75.0 % | 1,200 | `precision_at_1` |",
    ]
    assert lines[-1] == "- 2 queries are left out."
    assert "" in lines, "the list stands apart from the table"


def test_a_folder_that_cannot_be_made_is_named(result: EvaluationResult, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DoppelgramError, match="file"):
        write_evaluation(result, tmp_path / "file")
