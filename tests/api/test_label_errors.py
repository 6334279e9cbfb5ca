"""Cleaning rendered signs in which labels were flipped and copies planted."""

from __future__ import annotations

import csv
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from doppelgram import DoppelgramError, load_model, train
from doppelgram.api.label_errors import list_label_errors
from doppelgram.cli import app
from doppelgram.reports.contact_sheet import Card, Picture, Section, draw_contact_sheet
from doppelgram.samples.signs import render_signs
from doppelgram.training.recipes.schema import make_recipe


@dataclass
class Dirty:
    """A run trained on clean signs, and a copy of the signs with planted mistakes."""

    run: Path
    clean: Path
    data: Path
    flipped: dict[str, str]  # path -> the class that it was taken from
    copied: dict[str, str]  # path of the copy -> path of the original


@pytest.fixture(scope="module")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> Dirty:
    root = tmp_path_factory.mktemp("mistakes")
    render_signs(root / "clean", classes=5, per_class=30, size=40, seed=3)
    recipe = make_recipe(
        {
            "data": {"size": 32},
            "model": {"dim": 16},
            "loss": {"name": "cosface"},
            "sampler": {"batch": 24},
            "split": {"val": 0.1, "test": 0.1},
            "optimiser": {"epochs": 10, "lr": 0.005, "precision": "32"},
        }
    )
    run = train(root / "clean", recipe, root / "run", seed=0)
    shutil.copytree(root / "clean", root / "dirty")
    rng = np.random.default_rng(5)
    classes = sorted(folder.name for folder in (root / "dirty").iterdir() if folder.is_dir())
    files = sorted((root / "dirty").glob("*/*.png"))
    chosen = rng.choice(len(files), 16, replace=False)
    flipped, copied = {}, {}
    for number in chosen[:8]:
        file = files[number]
        other = str(rng.choice([name for name in classes if name != file.parent.name]))
        file.rename(root / "dirty" / other / f"moved_{number}.png")
        flipped[f"{other}/moved_{number}.png"] = file.parent.name
    for position, number in enumerate(chosen[8:]):
        file = files[number]
        other = str(rng.choice([name for name in classes if name != file.parent.name]))
        if position % 2:
            target = root / "dirty" / other / f"copy_{number}.png"
            shutil.copy(file, target)
        else:
            target = root / "dirty" / other / f"copy_{number}.jpg"
            Image.open(file).convert("RGB").save(target, quality=90)
        copied[f"{other}/{target.name}"] = f"{file.parent.name}/{file.name}"
    return Dirty(run.folder, root / "clean", root / "dirty", flipped, copied)


def test_planted_mistakes_come_to_the_top(dirty: Dirty, tmp_path: Path) -> None:
    answer = list_label_errors(dirty.run, dirty.data, out=tmp_path / "sheet.png", csv=tmp_path / "all.csv")
    assert answer.images == 150 + 8
    pairs = [{f.path, f.other_path} for f in answer.findings if f.category == "copy"]
    planted = [{copy, original} for copy, original in dirty.copied.items()]
    assert sum(pair in pairs[: 2 * len(planted)] for pair in planted) >= 7
    assert sum(f.score == 1 for f in answer.findings if f.category == "copy") == 4, "the exact ones"
    suspects = [f for f in answer.findings if f.category == "label"]
    wrong = {**dirty.flipped, **{copy: original.split("/")[0] for copy, original in dirty.copied.items()}}
    caught = [f for f in suspects[: 2 * len(wrong)] if f.path in wrong]
    assert len(caught) >= 0.8 * len(wrong)
    assert sum(f.suggested == wrong[f.path] for f in caught) >= 0.9 * len(caught)

    with (tmp_path / "all.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["path"] for row in rows] == [finding.path for finding in answer.findings]
    assert rows[0]["reason"] == answer.findings[0].reason
    assert set(answer.counts()) == {"label", "copy", "pair", "outlier"}
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width > 1000
        assert sheet.height > 1000
        assert len(sheet.convert("RGB").resize((200, 200)).getcolors(100_000) or []) > 500, "photographs are drawn"


def test_a_runs_own_images_with_their_parts(dirty: Dirty) -> None:
    answer = list_label_errors(dirty.run)
    assert answer.images == 150
    assert {finding.part for finding in answer.findings} <= {"train", "val", "test"}
    assert any("Training draws" in note for note in answer.notes)
    tested = list_label_errors(dirty.run, part="test")
    assert all(finding.part == "test" or finding.category == "copy" for finding in tested.findings)
    assert len(tested.findings) < len(answer.findings) or not answer.findings


def test_the_command(dirty: Dirty, tmp_path: Path) -> None:
    runner = CliRunner()
    command = ["errors", str(dirty.data), "--model", str(dirty.run)]
    done = runner.invoke(app, [*command, "--json", "--csv", str(tmp_path / "e.csv")])
    assert done.exit_code == 0, done.output
    facts = json.loads(done.stdout)
    assert facts["images"] == 158
    assert facts["counts"]["copy"] == sum(f["category"] == "copy" for f in facts["findings"])
    assert (tmp_path / "e.csv").is_file()
    shown = runner.invoke(app, [*command, "-n", "8"])
    assert shown.exit_code == 0
    assert "Suspected label errors: " in shown.stdout
    lines = shown.stdout.splitlines()
    assert sum(re.match(r"  \d\.\d\d  ", line) is not None for line in lines) == min(8, len(facts["findings"]))
    assert max(map(len, lines)) <= 80


def test_user_mistakes_are_named(dirty: Dirty, tmp_path: Path) -> None:
    with pytest.raises(DoppelgramError, match=r"let its name end in \.png"):
        list_label_errors(dirty.run, out=tmp_path / "sheet.pdf")
    with pytest.raises(DoppelgramError, match="--part is 'tset'"):
        list_label_errors(dirty.run, part="tset")
    with pytest.raises(DoppelgramError, match="does not go with DATA"):
        list_label_errors(dirty.run, dirty.data, part="test")
    with pytest.raises(DoppelgramError, match="give DATA"):
        list_label_errors(load_model(dirty.run).save(tmp_path / "model"))


def test_an_unreadable_photograph_is_drawn_as_an_empty_square(tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"no image")
    picture = Picture(tmp_path / "broken.png", "a label that is far too long to stand under its picture", "train")
    card = Card(picture, [picture] * 9, "title " * 40, "reason " * 200, "name/" * 60)
    file = draw_contact_sheet(
        "Sheet", "sub", [Section("One", "about", [card]), Section("None", "")], tmp_path / "s.png"
    )
    with Image.open(file) as sheet:
        assert sheet.format == "PNG"
    many = Section("Many", "", [card] * 100_000)
    with pytest.raises(DoppelgramError, match="do not fit into one picture"):
        draw_contact_sheet("Sheet", "", [many], tmp_path / "s.png")
