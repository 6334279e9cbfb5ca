"""A comparison from end to end: shared work, ordinary runs, going on, adding to it, and its report."""

from __future__ import annotations

import csv
import json
import re
import signal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import doppelgram
from doppelgram.api.compare import compare
from doppelgram.api.report_comparison import report_comparison
from doppelgram.comparison.grid import Grid
from doppelgram.comparison.result import Comparison, Setting
from doppelgram.errors import DoppelgramError, Interrupted
from doppelgram.samples.signs import render_signs
from helpers.progress import RecordingProgress

FAST = ["epochs=1", "data.size=24", "sampler.batch=16", "optimiser.precision=32"]


@pytest.fixture(scope="module")
def signs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render_signs(tmp_path_factory.mktemp("compare") / "signs", classes=3, per_class=12, size=32)


@pytest.fixture(scope="module")
def done(signs: Path) -> Path:
    """A finished grid: two losses, one of which uses no miner, two miners, one size."""
    out = signs.parent / "grid"
    compare(signs, out, Grid("triplet,cosface", "none,semi-hard", "8", 1), overrides=FAST)
    return out


def test_what_lies_in_the_folder(done: Path) -> None:
    files = {path.name for path in done.iterdir()}
    assert {
        "comparison.md",
        "comparison.csv",
        "runs.csv",
        "comparison.json",
        "report.html",
        "split.csv",
        "runs",
        "mining.png",
        "mining.svg",
        "heat.png",
        "learning.png",
        "progress.svg",
    } <= files
    assert not [name for name in files if ".part" in name]
    assert {path.name for path in (done / "runs").iterdir()} == {
        "triplet-none-8-s0",
        "triplet-semihard-8-s0",
        "cosface-none-8-s0",
    }
    table = pd.read_csv(done / "comparison.csv")
    assert len(table) == 3
    assert ((table["p1_low"] <= table["p1"]) & (table["p1"] <= table["p1_high"])).all()
    stored = json.loads((done / "comparison.json").read_text())
    assert stored["queries"] > 0
    assert stored["images"]["train"] > 0
    assert stored["best"]["dim"] == 8
    assert "Best" in {finding["topic"] for finding in stored["reading"]}


def test_each_cell_is_an_ordinary_run_and_its_answers_are_those_of_evaluate(done: Path) -> None:
    splits = set()
    for row in csv.DictReader((done / "runs.csv").open()):
        result = doppelgram.evaluate(done / row["run"], part="val")
        assert float(row["p1"]) == pytest.approx(result["precision_at_1"].value)
        assert float(row["ncm"]) == pytest.approx(result["ncm_accuracy"].value)
        assert float(row["map_at_r"]) == pytest.approx(result["map_at_r"].value, abs=1e-6)
        splits.add((done / row["run"] / "split.csv").read_bytes())
    assert splits == {(done / "split.csv").read_bytes()}


def test_a_cell_is_what_train_makes_of_the_same_recipe_and_seed(signs: Path, done: Path, tmp_path: Path) -> None:
    cell = doppelgram.open_run(done / "runs/triplet-semihard-8-s0")
    alone = doppelgram.train(signs, cell.recipe, tmp_path / "run", split=done / "split.csv", seed=0)
    assert alone.facts["fingerprint"] == cell.facts["fingerprint"]


def test_the_page_asks_nothing_of_anywhere(done: Path) -> None:
    page = (done / "report.html").read_text(encoding="utf-8")
    without_names = re.sub(r'xmlns(:\w+)?="[^"]+"', "", page)
    assert not re.search(r"https?:|src=|<script|<link|@import|url\((?!#)", without_names)
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids)), "figures share no ids"
    assert {name.removeprefix("#") for name in re.findall(r'href="(#[^"]+)"', page)} <= set(ids)
    assert page.index("reaches the highest P@1") < page.index("<table>") < page.index("<svg")
    assert "seed 0" in page


def test_a_finished_grid_is_not_trained_again_and_may_grow(signs: Path, done: Path, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in done.glob("runs/*/model/model.safetensors")}
    grown = compare(signs, done, Grid("triplet", "all", "8", 1), overrides=FAST)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert len(grown.settings) == 4
    assert Setting("triplet", "all", 8) in grown.settings
    again = report_comparison(done)
    assert again.settings == grown.settings
    np.testing.assert_array_equal(again.values["p1"], grown.values["p1"])


def test_another_comparison_does_not_go_into_the_same_folder(signs: Path, done: Path, tmp_path: Path) -> None:
    with pytest.raises(DoppelgramError, match=r"another optimiser\.lr; choose another --out"):
        compare(signs, done, Grid(miners="none", dims="8", seeds=1), overrides=[*FAST, "optimiser.lr=0.5"])
    with pytest.raises(DoppelgramError, match="was started on other data"):
        compare(tmp_path, done, Grid(miners="none", dims="8", seeds=1), overrides=FAST)
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").touch()
    with pytest.raises(DoppelgramError, match="not a comparison"):
        compare(signs, tmp_path / "full", Grid(miners="none"))
    with pytest.raises(DoppelgramError, match="no comparison here"):
        report_comparison(tmp_path / "nothing")
    with pytest.raises(DoppelgramError, match="it is val or test"):
        compare(signs, tmp_path / "nothing", part="train")


def test_frozen_features_are_computed_once_and_answer_as_evaluate_does(signs: Path, tmp_path: Path) -> None:
    out = tmp_path / "frozen"
    compare(signs, out, Grid(miners="none,batchhard", dims="4", seeds=1), overrides=[*FAST, "model.train=head"])
    rows = list(csv.DictReader((out / "runs.csv").open()))
    assert len(rows) == 2
    for row in rows:
        assert float(row["p1"]) == pytest.approx(
            doppelgram.evaluate(out / row["run"], part="val")["precision_at_1"].value
        )
        assert not (out / row["run"] / "checkpoints").exists()


def test_a_training_that_diverges_is_a_result_and_the_rest_goes_on(signs: Path, tmp_path: Path) -> None:
    said = RecordingProgress()
    grid = Grid("cosface(scale=1e38),triplet", "none", "8", 1)
    found = compare(signs, tmp_path / "grid", grid, overrides=FAST, progress=said)
    wild, calm = (found.runs_of(setting)[0] for setting in found.settings[::-1])
    assert wild.diverged
    assert not calm.diverged
    assert not wild.nearest.any()
    assert len(wild.nearest) == len(calm.nearest)
    assert said.bars[-1] == ("training", 2, 2)
    assert sum("diverged" in line for line in said.notes) == 1
    assert "1 of 2 runs diverged" in (tmp_path / "grid/report.html").read_text(encoding="utf-8")
    compare(signs, tmp_path / "grid", grid, overrides=FAST, progress=said)
    assert said.notes[-1] == "2 of 2 runs are finished already"


class CtrlC(RecordingProgress):
    """A place where somebody presses Ctrl-C once the first run is reported."""

    def note(self, text: str) -> None:
        if text.startswith("[1/2]"):
            signal.raise_signal(signal.SIGINT)
        super().note(text)


def test_ctrl_c_says_how_to_go_on_and_the_rest_is_trained_then(signs: Path, tmp_path: Path) -> None:
    def run(progress: RecordingProgress) -> Comparison:
        grid = Grid(miners="none,semihard", dims="4", seeds=1)
        return compare(signs, tmp_path / "grid", grid, part="test", overrides=FAST, progress=progress)

    # A call that failed before it trained anything does not bind the folder to what it was.
    with pytest.raises(DoppelgramError, match="has no test part"):
        compare(signs, tmp_path / "grid", Grid(miners="none"), part="test", overrides=[*FAST, "split.test=0"])
    with pytest.raises(Interrupted, match=r"stopped with 1 of 2 runs finished; the same command goes on"):
        run(CtrlC())
    assert not (tmp_path / "grid/report.html").exists()
    said = RecordingProgress()
    again = run(said)
    assert "1 of 2 runs are finished already" in said.notes
    assert len(again.runs) == 2
    assert again.part == "test"


@pytest.mark.slow
def test_a_ready_made_model_is_a_row_beside_the_runs(signs: Path, tmp_path: Path) -> None:
    grid = Grid("cosface", "none", "8", 1)
    with pytest.raises(DoppelgramError, match="--baseline is 'thingz'; it is a ready-made model: faces"):
        compare(signs, tmp_path / "grid", grid, overrides=FAST, baselines=["thingz"])
    found = compare(signs, tmp_path / "grid", grid, overrides=FAST, baselines=["things"])
    (things,) = found.baselines
    assert (things.name, len(found.settings)) == ("things", 1)
    assert 0 <= things.p1.low <= things.p1.value <= things.p1.high <= 1
    told = json.loads((tmp_path / "grid/comparison.json").read_text())
    assert told["baselines"][0]["p1"]["value"] == things.p1.value
    assert "things" in (tmp_path / "grid/comparison.md").read_text()
    assert any("The ready-made model things" in finding["text"] for finding in told["reading"])
    assert report_comparison(tmp_path / "grid").baselines == found.baselines
