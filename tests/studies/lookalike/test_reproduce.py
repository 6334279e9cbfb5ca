"""The look-alike exercise from end to end on rendered signs and drawn faces, as small as it gets."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from doppelgram import DoppelgramError
from doppelgram.cli import app
from doppelgram.console import SilentProgress
from doppelgram.evaluation.result import Metric
from doppelgram.reports.pages import NO_BREAK
from doppelgram.samples.signs import render_signs
from doppelgram.studies.lookalike.data import prepare
from doppelgram.studies.lookalike.neighbourhood import Neighbourhood
from doppelgram.studies.lookalike.plan import FULL, QUICK, SUBJECTS, basic_steps, size_steps
from doppelgram.studies.lookalike.report import Chapter, Trained, write_report
from doppelgram.studies.lookalike.reproduce import reproduce_lookalike
from helpers.pictures import stripes

SIZES = (2,)
CHANGES = ("data.size=24", "sampler.batch=24", "optimiser.precision=32")
QUIET = SilentProgress()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("lookalike")
    render_signs(root / "signs", classes=3, per_class=24, size=24, seed=2)
    rng = np.random.default_rng(0)
    for kind, (name, count) in enumerate((("Ada_Byron", 18), ("Carl_Gauss", 16), ("Emmy_Noether", 5))):
        (root / "faces" / name).mkdir(parents=True)
        for n in range(count):
            stripes(kind, rng).save(root / "faces" / name / f"{name}_{n + 1:04d}.jpg")
    return root


@pytest.fixture(scope="module")
def done(data: Path) -> Path:
    out = data / "out"
    report = reproduce_lookalike(
        data / "signs", data / "faces", out, quick=True, epochs=1, overrides=CHANGES, dims=SIZES, progress=QUIET
    )
    assert report == out / "report.html"
    return out


def test_every_step_is_a_finished_run_of_its_own(done: Path) -> None:
    runs = {folder.name for folder in (done / "runs").iterdir()}
    for subject in ("signs", "faces"):
        mine = {name.removeprefix(f"{subject}-") for name in runs if name.startswith(subject)}
        basics = ("contrastive", "triplet", "triplet-semihard", "triplet-batchhard")
        assert {f"small-{key}" for key in basics} <= mine
        assert len(mine) == 4 + len(SIZES), "64 dimensions are not trained twice"
    for name in runs:
        facts = json.loads((done / "runs" / name / "run.json").read_text())
        assert facts["finished"]
        details = json.loads((done / "evaluations" / name / "details.json").read_text())
        assert details["settings"]["model"] == facts["fingerprint"]


def test_the_report_says_what_was_found_and_needs_nothing_from_anywhere(done: Path) -> None:
    page = (done / "report.html").read_text(encoding="utf-8").replace(NO_BREAK, " ")
    text = (done / "report.md").read_text(encoding="utf-8")
    for said in (page, text):
        assert "95 %" in said
        assert "83 %" in said
        assert "3 classes here against 81" in said
        assert "2 classes here against 62" in said
        assert "only a rehearsal" in said
        assert "batch-hard mining" in said
    sources = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert len(sources) == 2 * (1 + 1 + 2), "look-alikes, the plane, and two maps of 64"
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert "http" not in page.replace("http-equiv", "")
    for file in re.findall(r"!\[.*\]\((.*)\)", text):
        with Image.open(done / file) as picture:
            assert picture.width > 300
    measured = json.loads((done / "evaluations/signs-small-contrastive/metrics.json").read_text())["ncm_accuracy"]
    assert f"{100 * measured['value']:.1f} % ({100 * measured['low']:.1f} to {100 * measured['high']:.1f})" in text


def test_the_same_call_repeats_nothing_that_is_finished(data: Path, done: Path) -> None:
    victim = done / "figures/faces-look-alikes.png"
    victim.unlink()
    before = {file: file.stat().st_mtime_ns for file in done.rglob("*.safetensors")}
    figures = {file: file.stat().st_mtime_ns for file in done.glob("figures/*.png")}
    time.sleep(0.02)
    reproduce_lookalike(
        data / "signs", data / "faces", done, quick=True, epochs=1, overrides=CHANGES, dims=SIZES, progress=QUIET
    )
    assert victim.is_file()
    assert before == {file: file.stat().st_mtime_ns for file in done.rglob("*.safetensors")}
    assert figures == {file: file.stat().st_mtime_ns for file in done.glob("figures/*.png") if file != victim}
    with pytest.raises(DoppelgramError, match=r"other settings \(epochs, seed\)"):
        reproduce_lookalike(
            data / "signs",
            data / "faces",
            done,
            quick=True,
            epochs=2,
            overrides=CHANGES,
            dims=SIZES,
            seed=1,
            progress=QUIET,
        )


def test_parts_of_the_signs_share_no_panorama(data: Path, tmp_path: Path) -> None:
    prepared = prepare("signs", data / "signs", tmp_path, most=20)
    rows = prepared.parts.rows(prepared.collection)
    groups = {part: set(prepared.collection.column("group")[rows[part]]) for part in ("train", "val", "test")}
    assert not groups["train"] & groups["test"]
    assert not groups["train"] & groups["val"]
    assert not groups["val"] & groups["test"]
    assert {name.split("/")[-1].split("_")[0] for name in prepared.collection.names} == set.union(*groups.values())
    assert max(np.unique(prepared.collection.labels, return_counts=True)[1]) == 20
    again = prepare("signs", data / "signs", tmp_path, most=20)
    assert again.parts.parts == prepared.parts.parts
    assert all(path.is_file() for path in again.collection.paths)


def test_classes_are_chosen_by_size_or_by_list(data: Path, tmp_path: Path) -> None:
    assert set(prepare("faces", data / "faces", tmp_path / "a").collection.labels) == {"Ada_Byron", "Carl_Gauss"}
    (tmp_path / "list.txt").write_text("Carl_Gauss\nEmmy_Noether\n")
    listed = prepare("faces", data / "faces", tmp_path / "b", listed=tmp_path / "list.txt")
    assert set(listed.collection.labels) == {"Carl_Gauss", "Emmy_Noether"}
    (tmp_path / "few.txt").write_text("Carl_Gauss\n")
    with pytest.raises(DoppelgramError, match="two classes or more"):
        prepare("faces", data / "faces", tmp_path / "c", listed=tmp_path / "few.txt")


def test_the_plan() -> None:
    for subject in SUBJECTS:
        steps = basic_steps(subject, FULL)
        assert [step.backbone for step in steps[4:]] == ["small"] * 4
        steps = steps[:4]
        assert [(s.recipe.loss.name, s.recipe.miner.name) for s in steps] == [
            ("contrastive", "all"),
            ("triplet", "none"),
            ("triplet", "semihard"),
            ("triplet", "batchhard"),
        ]
        for step in steps:
            assert step.recipe.model.backbone.startswith("vgg16")
            assert step.recipe.data.size == step.dim == 64
            assert bool(step.recipe.data.crop) == (subject.name == "faces")
        sizes = size_steps(steps[2])
        assert [step.dim for step in sizes] == [2, 16, 32, 64]
        assert sizes[3] is steps[2]
        assert not sizes[0].recipe.model.normalise
        assert len({step.key for step in sizes}) == 4
    assert basic_steps(SUBJECTS[0], QUICK, ["optimiser.lr=0.5"])[0].recipe.optimiser.lr == 0.5
    assert [basic_steps(subject, QUICK)[0].recipe.optimiser.epochs for subject in SUBJECTS] == [6, 18]
    both = basic_steps(SUBJECTS[0], replace(QUICK, backbones=("small", "vgg16")))
    assert [step.backbone for step in both] == ["small"] * 4 + ["vgg16"] * 4
    assert len({step.key for step in both}) == 8


@pytest.mark.parametrize(
    ("low", "value", "high", "said"),
    [
        (0.96, 0.97, 0.98, "above the published 95 % even"),
        (0.94, 0.95, 0.96, "not clearly different from the published 95 %"),
        (0.7, 0.8, 0.9, "below the published 95 % even"),
    ],
)
def test_the_verdict_follows_from_the_interval(
    tmp_path: Path, low: float, value: float, high: float, said: str
) -> None:
    picture = tmp_path / "p<q>.png"
    Image.new("RGB", (4, 4)).save(picture)
    step = basic_steps(SUBJECTS[0], FULL)[0]
    one = Trained(step, tmp_path, {"knn_accuracy": Metric(value, low, high, 100)}, 0.9, 4000, ("it <collapsed>",))
    right, units = np.array([True, False]), np.array([0, 1])
    seen = Neighbourhood(right, units, {"pca": right, "tsne": right}, {"pca": picture}, 3.0, 0.5)
    steps = basic_steps(SUBJECTS[0], replace(FULL, backbones=("vgg16",)))
    trained = [replace(one, step=step) for step in steps]
    chapter = Chapter(
        SUBJECTS[0], {"train": 3}, 81, trained, trained[:1], trained[0], {step.key: seen for step in steps}, picture
    )
    write_report(tmp_path, [chapter], {"set": [], "seed": 0, "most_images": 7})
    page = (tmp_path / "report.html").read_text(encoding="utf-8").replace(NO_BREAK, " ")
    assert said in page
    assert "the same number of classes" in page
    assert "at most 7 images a class" in page
    assert "it &lt;collapsed&gt;" in page
    assert "a problem with the contrastive loss, random triplets, semi-hard mining and batch-hard mining" in page
    assert "rehearsal" not in page
    assert "a VGG16 there" not in page, "it is one here too"
    small = basic_steps(SUBJECTS[0], replace(FULL, backbones=("small",)))
    trained = [replace(one, step=step, warnings=()) for step in small]
    spaces = {step.key: seen for step in small}
    chapter = replace(chapter, trained=trained, sizes=trained[:1], best=trained[0], neighbourhoods=spaces)
    write_report(tmp_path, [chapter], {"set": [], "seed": 0, "quick": True})
    page = (tmp_path / "report.html").read_text(encoding="utf-8").replace(NO_BREAK, " ")
    assert "What differs: Our small net here, a VGG16 there." in page
    assert "problem" not in page
    assert "place of VGG16" not in page, "with --quick, too, --backbone may name it"


def test_wrong_calls_leave_nothing_behind(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    runner = CliRunner()
    for extra, said in (
        (["--set", "optimiser.lrr=1"], "unknown key"),
        (["--set", "miner=none"], "what the exercise compares"),
        (["--set", "model.backbone=vgg16"], "--backbone"),
        (["--face-classes", str(tmp_path / "none.txt")], "there is no such file"),
        (["--dims", "2,x"], "whole numbers separated by commas"),
        (["--backbone", "small", "--backbone", "nothing"], "neither a folder"),
        (["--backbone", "small", "--backbone", "elsewhere/small"], "two backbones have one name"),
        (["--weights", str(tmp_path / "none")], "there is no such folder of weights"),
    ):
        call = ["reproduce", "lookalike", "--signs", str(data / "signs"), "--faces", str(data / "faces")]
        result = runner.invoke(app, [*call, "--out", str(out), "--quick", *extra])
        assert result.exit_code != 0
        assert said in str(result.exception)
        assert not out.exists()
    with pytest.raises(DoppelgramError, match=r"^--signs .*signz: there is no such folder"):
        reproduce_lookalike(data / "signz", data / "faces", out, progress=QUIET)
    with pytest.raises(DoppelgramError, match="holds something else"):
        reproduce_lookalike(data / "signs", data / "faces", data / "signs", progress=QUIET)


def test_of_two_folders_the_wrong_one_is_named(data: Path, tmp_path: Path) -> None:
    (tmp_path / "flat").mkdir()
    Image.new("RGB", (24, 24)).save(tmp_path / "flat" / "1.png")
    for signs, faces, option in (("flat", "faces", "--signs"), ("signs", "flat", "--faces")):
        folders = [(tmp_path if name == "flat" else data) / name for name in (signs, faces)]
        with pytest.raises(DoppelgramError, match=f"^{option}: .*flat: no image has a label"):
            reproduce_lookalike(*folders, tmp_path / option, quick=True, progress=QUIET)
