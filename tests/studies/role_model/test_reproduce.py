"""The study's ladder from end to end on rendered posts with known keypoints, as small as it gets."""

from __future__ import annotations

import csv
import json
import re
import shutil
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from doppelgram import DoppelgramError
from doppelgram.cli import app
from doppelgram.pose.people import People
from doppelgram.reports.pages import NO_BREAK
from doppelgram.studies.role_model.data import Posts, Trial, make_trial, read_ladder_posts
from doppelgram.studies.role_model.leak import split_pairs
from doppelgram.studies.role_model.poses import draw_masks
from doppelgram.studies.role_model.scores import pairs_of_question, score_pairs
from helpers.small_ladder import RUNGS, climb


@pytest.fixture(scope="module")
def trial(world: Path) -> tuple[Posts, Trial]:
    everything, grouped = read_ladder_posts(world, None)
    posts = Posts.of(everything.take(everything.column("pose") != ""), grouped)
    return posts, make_trial("closed", everything, posts, seed=0, test_pairs=200, validation_pairs=100)


def test_every_rung_is_measured_beside_its_published_figure(done: Path) -> None:
    found = json.loads((done / "ladder.json").read_text())
    assert list(found["protocols"]) == ["closed"]
    assert "open protocol is left out" in " ".join(found["notes"])
    assert tuple(found["protocols"]["closed"]["rungs"]) == RUNGS
    for rung in found["protocols"]["closed"]["rungs"].values():
        for metric in rung["metrics"].values():
            assert 0 <= metric["low"] <= metric["value"] <= metric["high"] <= 1
            assert metric["n"] > 50
    assert found["published"]["full_pose"]["value"] == 0.76
    assert [round(found["published"]["full_pose"][end], 2) for end in ("low", "high")] == [0.65, 0.84]
    assert set(found["leaky"]) == {"last", "last_pose"}
    assert found["grouped"]
    with (done / "ladder.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["rung"] for row in rows} == set(RUNGS)
    assert {row["published"] for row in rows if row["rung"] == "full"} == {"0.65"}


def test_the_report_needs_nothing_from_anywhere(done: Path) -> None:
    page, text = (
        (done / f"report.{ending}").read_text(encoding="utf-8").replace(NO_BREAK, " ") for ending in ("html", "md")
    )
    measured = json.loads((done / "ladder.json").read_text())["protocols"]["closed"]["rungs"]["full"]
    value = measured["metrics"]["accuracy_all"]["value"]
    for said in (page, text):
        assert "76 % (65 to 84)" in said
        assert "no usable threshold" in said
        assert f"{100 * value:.1f} %" in said
        assert "quick version" in said
        assert "too high" not in said
    sources = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert len(sources) == 2
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    for file in re.findall(r"!\[.*\]\((.*)\)", text):
        with Image.open(done / file) as picture:
            assert picture.width > 200
    assert not (done / "scratch").exists()
    assert not list(done.glob("*/*/checkpoints"))


def test_the_same_call_repeats_nothing_and_another_is_refused(world: Path, done: Path) -> None:
    shutil.rmtree(done / "closed" / "last")
    before = {file: file.stat().st_mtime_ns for file in done.rglob("*.safetensors")}
    metrics = json.loads((done / "ladder.json").read_text())["protocols"]["closed"]["rungs"]["last"]["metrics"]
    time.sleep(0.02)
    climb(world, done)
    after = {file: file.stat().st_mtime_ns for file in done.rglob("*.safetensors")}
    assert {file for file in after if after[file] != before.get(file)} == {done / "closed/last/network.safetensors"}
    again = json.loads((done / "ladder.json").read_text())["protocols"]["closed"]["rungs"]["last"]["metrics"]
    assert again == metrics, "the same seed, the same figures"
    with pytest.raises(DoppelgramError, match=r"other settings \(seed\)"):
        climb(world, done, seed=1)


def test_without_groups_the_report_says_that_figures_are_too_high(world: Path, tmp_path: Path) -> None:
    posts = tmp_path / "posts"
    shutil.copytree(world, posts)
    (posts / "truth.csv").unlink()
    everything, grouped = read_ladder_posts(posts, None)
    assert not grouped
    kept = Posts.of(everything.take(everything.column("pose") != ""), grouped)
    found = make_trial("closed", everything, kept, seed=0, test_pairs=80, validation_pairs=80)
    assert found.left_out == 0
    assert sum(len(found.rows[part]) for part in ("train", "val", "test")) == len(kept.collection)
    report = climb(posts, tmp_path / "out", protocol="closed", only=["euclidean"])
    said = report.read_text(encoding="utf-8")
    assert "the figures are too high" in said
    assert "Siamese" not in said, "only what was asked for"


def test_thresholds_come_from_validation_and_questions_from_the_kind_of_pair(trial: tuple[Posts, Trial]) -> None:
    posts, pairs = trial
    test = pairs.test
    place, pose = (numbers[test.a] == numbers[test.b] for numbers in (posts.place, posts.pose))
    assert np.array_equal(place & pose, test.same)
    assert np.array_equal(pairs_of_question("same_place", test, posts), place)
    assert np.array_equal(pairs_of_question("same_pose", test, posts), pose)
    groups = posts.collection.column("person"), posts.collection.column("photo")
    assert not any((group[test.a] == group[test.b]).any() for group in groups)
    assert not set(pairs.rows["train"]) & set(np.concatenate([test.a, test.b]))
    validation = np.where(pairs.validation.same, 0.2, 0.8)
    metrics = score_pairs(validation, np.where(test.same, 0.2, 0.8), pairs, posts, seed=0)
    assert {name: metric.value for name, metric in metrics.items() if name.startswith("accuracy")} == {
        "accuracy_all": 1.0,
        "accuracy_same_place": 1.0,
        "accuracy_same_pose": 1.0,
    }
    # who knows the place alone answers the study's question at random and the other one for certain
    validation = np.where(posts.place[pairs.validation.a] == posts.place[pairs.validation.b], 0.2, 0.8)
    metrics = score_pairs(validation, np.where(place, 0.2, 0.8), pairs, posts, seed=0)
    assert metrics["accuracy_same_place"].value == 0.5
    assert metrics["accuracy_same_pose"].value == 1.0
    assert metrics["accuracy_all"].value == pytest.approx(0.75, abs=0.01)
    # a threshold that fits validation only is not mended on the test
    metrics = score_pairs(
        np.where(pairs.validation.same, 0.2, 0.3), np.where(test.same, 0.5, 0.8), pairs, posts, seed=0
    )
    assert metrics["accuracy_all"].value == 0.5
    assert metrics["auc_all"].value == 1.0


def test_masks_show_skeletons_where_people_stand_and_turn_with_the_photograph() -> None:
    points = np.full((1, 18, 3), np.nan, dtype=np.float32)
    points[0, :, 2] = 0
    for joint, spot in {1: (20, 40), 2: (10, 40), 3: (10, 80)}.items():
        points[0, joint] = *spot, 1.0
    people = People(points, np.ones(1, np.float32), 200, 100)
    masks = draw_masks([people, None, People.nobody(10, 10)], 40)
    assert masks.shape == (3, 2, 3, 40, 40)
    assert not masks[1:].any()
    plain, turned = masks[0].max(1)
    assert plain[24, 2] > 80, "the right upper arm, in a frame squashed to a square"
    assert not plain[:, 10:].any()
    assert np.array_equal(plain > 60, turned[:, ::-1] > 60)
    assert not np.array_equal(masks[0, 0], masks[0, 1][:, :, ::-1]), "in a mirror, right arms are left ones"


def test_pairs_that_are_split_share_photographs() -> None:
    rng = np.random.default_rng(0)
    ends = rng.integers(0, 30, (400, 2))
    pairs = np.column_stack([ends, rng.integers(0, 2, 400)])
    training, validation = split_pairs(pairs[ends[:, 0] != ends[:, 1]], 0)
    for part in (training, validation):
        assert (part[:, 2] == 1).sum() * 2 == len(part)
    sorted_ends = [{tuple(sorted(pair)) for pair in part[:, :2].tolist()} for part in (training, validation)]
    assert not sorted_ends[0] & sorted_ends[1], "no pair is on both sides"
    assert np.isin(validation[:, :2], training[:, :2]).mean() > 0.9
    assert 0.15 < len(validation) / (len(training) + len(validation)) < 0.25


def test_wrong_calls_leave_nothing_behind(world: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for extra, said in (
        (["--set", "optimiser.lrr=1"], "unknown key"),
        (["--set", "model.train=last"], "what the ladder compares"),
        (["--protocol", "ajar"], "closed, open or both"),
        (["--groups", str(tmp_path / "none.csv")], "there is no such table"),
        (["--rung", "seventh"], "there is no rung 'seventh'; there are cosine"),
        (["--backbone", "nothing"], "neither a folder"),
        (["--estimator", "movenet"], "movenet_lightning"),
    ):
        call = ["reproduce", "rolemodel", str(world), "--out", str(out), "--quick", "--backbone", "small"]
        result = CliRunner().invoke(app, [*call, *extra])
        assert result.exit_code != 0
        assert said in str(result.exception), result.exception
        assert not out.exists()
    table = tmp_path / "table.csv"
    pd.DataFrame({"path": ["a.jpg"], "kind": ["x"]}).to_csv(table, index=False)
    with pytest.raises(DoppelgramError, match="by place and pose"):
        climb(table, out)
    (tmp_path / "other.json").write_text('{"other.jpg": []}')
    with pytest.raises(DoppelgramError, match="names none of these photographs"):
        climb(world, out, pose_weights=tmp_path / "other.json", estimator="keypoints", seed=5)
    assert climb(world, out, only=["cosine"], protocol="closed").is_file(), "settings without results bind nobody"
    with pytest.raises(DoppelgramError, match="holds something else"):
        climb(world, world)
