"""Trainings on the page: real ones, as their folders tell of them while they go on and afterwards."""

from __future__ import annotations

import csv
import os
import time
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pytest

import doppelgram
from doppelgram.errors import DoppelgramError
from doppelgram.training.history import find_runs, read_curves, read_run, state_of
from doppelgram.training.recipes.schema import make_recipe
from doppelgram.training.run import RUN_FILE
from doppelgram.web.serve import serve
from doppelgram.web.server import open_session
from doppelgram.web.source import RUNS
from doppelgram.web.source import served as find_out
from helpers.page import Served, open_tab, serving, until
from helpers.pictures import stripes
from web.test_accessibility import serious


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished training of three epochs by the triplet loss, and a copy that is not finished."""
    root = tmp_path_factory.mktemp("trainings")
    rng = np.random.default_rng(0)
    for kind in range(3):
        (root / f"data/kind{kind}").mkdir(parents=True)
        for n in range(12):
            stripes(kind, rng).save(root / f"data/kind{kind}/{n}.png")
    recipe = make_recipe(
        {
            "data": {"size": 24},
            "model": {"dim": 8},
            "loss": {"name": "triplet"},
            "sampler": {"batch": 12},
            "optimiser": {"epochs": 3, "lr": 0.01, "precision": "32"},
        }
    )
    doppelgram.train(root / "data", recipe, root / "runs/first", seed=1)
    other = copytree(root / "runs/first", root / "runs/more/second")
    begun = read_run(other)
    begun.facts.pop("finished")
    begun.facts.pop("training_seconds")
    begun.update()
    return root / "runs"


@pytest.fixture(scope="module")
def watched(runs: Path) -> Iterator[Served]:
    what = find_out(runs)
    assert what.kind == RUNS
    with serving(open_session(what)) as served:
        yield served


@pytest.fixture
def runs_tab(browser: Any, watched: Served) -> Iterator[Any]:
    yield from open_tab(browser, watched)


def logged(run: Path) -> list[dict[str, str]]:
    with (run / "log/metrics.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_which_there_are(watched: Served, runs: Path) -> None:
    found = {run["name"]: run for run in watched.get("/api/runs")}
    assert list(found) == ["more/second", "first"]  # what goes on stands first
    assert (found["first"]["state"], found["first"]["epochs"], found["first"]["planned"]) == ("finished", 3, 3)
    assert found["more/second"]["state"] == "running"
    facts = doppelgram.open_run(runs / "first").facts
    best = found["first"]["best"][0]
    assert (best["epoch"], best["measure"]) == (facts["best_epoch"], "val_map_at_r")
    assert best["value"] == pytest.approx(facts["best"]["val_map_at_r"], abs=1e-6)


def test_the_curves_are_those_of_the_log(watched: Served, runs: Path) -> None:
    shown = watched.get("/api/runs/more/second")
    rows = logged(runs / "more/second")
    network = shown["networks"][0]
    assert network["columns"].keys() == rows[0].keys()
    for name, values in network["columns"].items():
        assert values == [float(row[name]) if row[name] else None for row in rows], name
    drawn = {measure["key"] for measure in shown["measures"]}
    assert {"loss", "precision", "map", "distances", "active"} <= drawn
    assert "accuracy" not in drawn
    assert all(measure["meaning"].endswith(".") for measure in shown["measures"])


@pytest.mark.parametrize("name", ["nothing", "../first", "first/log", "%2e%2e/%2e%2e/etc", "more"])
def test_names_that_lead_nowhere(watched: Served, name: str) -> None:
    assert watched.client.get(f"/api/runs/{name}").status_code == 404


def test_running_or_interrupted(runs: Path) -> None:
    run = read_run(runs / "more/second")
    curves = read_curves(run)
    now = time.time()
    assert state_of(run, curves, now) == "running"
    assert state_of(run, curves, now + 400) == "interrupted"
    slow = 400 / 3 + 1
    curves[0].columns["seconds"][1] = slow  # three epochs of this last longer than the silence
    assert state_of(run, curves, now + 350) == "running"
    run.facts["training_seconds"] = 1.0  # Ctrl-C writes this last
    os.utime(run.folder / RUN_FILE, (now + 10, now + 10))
    assert state_of(run, curves, now + 11) == "interrupted"
    os.utime(run.folder / RUN_FILE, (now, now))


def test_a_run_that_is_just_beginning_or_damaged(runs: Path, tmp_path: Path) -> None:
    copytree(runs / "first", tmp_path / "whole")
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun" / RUN_FILE).touch()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / RUN_FILE).touch()
    (tmp_path / "whole/log/metrics.csv").write_bytes(b"\xff\xfe,\0")
    assert set(find_runs(tmp_path)) == {"begun", "whole"}
    with serving(open_session(find_out(tmp_path))) as served:
        found = {run["name"]: run for run in served.get("/api/runs")}
        assert found["begun"]["state"] == "unreadable"
        assert "damaged" in found["begun"]["problem"]
        assert found["whole"]["epochs"] == 0
        assert served.get("/api/runs/whole")["measures"] == []


def test_without_a_catalog_other_views_say_so(watched: Served) -> None:
    assert watched.get("/api/catalog")["folder"] == ""
    for path in ("/api/images", "/api/role-models", f"/api/images/{'a' * 64}/thumbnail"):
        answer = watched.client.get(path)
        assert answer.status_code == 422
        assert "trainings alone" in answer.json()["detail"]


def test_a_folder_without_runs(tmp_path: Path) -> None:
    with pytest.raises(DoppelgramError, match="there is no training run"):
        serve(tmp_path, runs=tmp_path)


def test_a_training_is_watched_live(runs_tab: Any, watched: Served, runs: Path) -> None:
    tab = runs_tab
    tab.goto("/")
    tab.wait_for_selector("[data-measure=distances] path.line")
    assert tab.evaluate("location.pathname") == "/"
    assert "more/second" in tab.inner_text(".run >> nth=0")
    assert tab.locator(".run input:checked").count() == 1
    assert tab.locator("[data-measure=distances] path.line").count() == 2 * 4  # each once more in the legend
    tab.focus("[data-measure=loss] .chart-drawing")
    tab.keyboard.press("End")
    assert tab.inner_text("[data-measure=loss] .readout").startswith("epoch 3:")
    file = runs / "more/second/log/metrics.csv"
    before = file.read_text(encoding="utf-8")
    rows = logged(runs / "more/second")
    rows.append({**rows[-1], "epoch": "4.0", "train_loss": "0.0625"})
    try:
        with file.open("w", newline="", encoding="utf-8") as table:
            writer = csv.DictWriter(table, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        until(tab, "document.querySelector('.run').innerText.includes('epoch 4 of 3')")
        tab.keyboard.press("End")
        assert "training 0.0625" in tab.inner_text("[data-measure=loss] .readout")
    finally:
        file.write_text(before, encoding="utf-8")
    tab.click(".run input >> nth=1")
    until(tab, "document.querySelectorAll('.chip').length === 2")
    assert "runs=more%252Fsecond%2Cfirst" in tab.url
    tab.reload()
    tab.wait_for_selector("[data-measure=loss] path.line")
    assert tab.locator(".run input:checked").count() == 2


def test_trainings_by_axe(browser: Any, watched: Served) -> None:
    context = browser.new_context(bypass_csp=True, base_url=watched.address)
    try:
        tab = context.new_page()
        tab.goto("/training")
        tab.wait_for_selector("[data-measure=loss] path.line")
        assert serious(tab) == []
        tab.goto("/role-models")
        tab.wait_for_selector(".empty")
        assert "trainings alone" in tab.inner_text(".empty")
    finally:
        context.close()
