"""`doppelgram teach` from questions in a table to groups in one."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from doppelgram.api.index import index
from doppelgram.catalog.store import Catalog
from doppelgram.console import SilentProgress
from helpers.commands import call


@pytest.fixture
def filled(catalog: Catalog, photos: Path, model_folder: Path) -> Path:
    index(photos, model_folder, catalog.folder, progress=SilentProgress())
    return catalog.folder


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def test_questions_are_answered_in_a_table(filled: Path, tmp_path: Path) -> None:
    asked = call("teach", filled, "--questions", "4")
    assert asked.status == 0
    (tmp_path / "questions.csv").write_text(asked.stdout, encoding="utf-8")
    questions = rows_of(tmp_path / "questions.csv")
    assert 0 < len(questions) <= 4
    with (tmp_path / "answers.csv").open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(("image_a", "image_b", "same"))
        writer.writerows((row["image_a"], row["image_b"], 0) for row in questions)
        writer.writerow(("nowhere.jpg", questions[0]["image_b"], 1))
    answers = ("teach", filled, "--answers", tmp_path / "answers.csv", "--who", "ann", "--export", tmp_path / "out")
    taken = call(*answers)
    assert taken.status == 2, taken.stderr
    assert "1 row could not be used" in taken.stderr.splitlines()[-1]
    assert "taken in" in " ".join(taken.stdout.split())
    assert "Too few answers" in " ".join(taken.stdout.split())
    assert f"row {len(questions) + 2}: there is no photograph 'nowhere.jpg'" in taken.stderr
    groups = {row["path"]: row["group"] for row in rows_of(tmp_path / "out/groups.csv")}
    assert len(groups) == 12
    assert all(groups[row["image_a"]] != groups[row["image_b"]] for row in questions)
    pairs = rows_of(tmp_path / "out/pairs.csv")
    assert {row["who"] for row in pairs} == {"ann"}
    again = call(*answers)
    assert again.status == 2
    assert "0 answers taken in" in " ".join(again.stdout.split())
    assert rows_of(tmp_path / "out/pairs.csv") == pairs


def test_names_versions_and_json(filled: Path, tmp_path: Path) -> None:
    labels = Catalog.open(filled).rows(("path", "label"))
    labels.to_csv(tmp_path / "names.csv", index=False)
    named = call("teach", filled, "--names", tmp_path / "names.csv", "--json")
    assert named.status == 0, named.stderr
    state = json.loads(named.stdout)["state"]
    assert (state["answers"], state["groups"], state["settled_pairs"]) == (3, 3, 66)
    listed = call("teach", filled, "--versions")
    assert "as it was indexed" in listed.stdout
    assert call("teach", filled, "--back-to", "1").stdout.startswith("Version 1 is in effect")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--back-to", "7"), "has no version 7"),
        (("--answers", "nowhere.csv"), "there is no such file"),
        (("--questions", "-1"), "too small"),
    ],
)
def test_mistakes_are_one_sentence(filled: Path, options: tuple[str, str], message: str) -> None:
    done = call("teach", filled, *options)
    assert done.status == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
