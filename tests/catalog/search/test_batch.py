"""Many photographs at once: the answers are those of each alone, in a file."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from doppelgram.catalog.index import index_collection
from doppelgram.catalog.search import batch
from doppelgram.catalog.search.batch import write_answers
from doppelgram.catalog.search.photographs import Match, Neighbours
from doppelgram.catalog.store import Catalog
from doppelgram.dataset.read import read_collection
from doppelgram.models.model import Model
from helpers.commands import call


def test_a_folder_of_photographs_is_answered_in_blocks(
    tmp_path: Path, photos: Path, catalog: Catalog, model: Model, draw_picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    index_collection(read_collection(photos), model, catalog)
    monkeypatch.setattr(batch, "_AT_ONCE", 3)
    new = tmp_path / "new"
    pictures = [draw_picture(new / "inner" / f"{seed}.png", 900 + seed) for seed in range(7)]
    (new / "broken.jpg").write_text("no picture")
    (new / "notes.txt").write_text("no image")

    lines, table = tmp_path / "found.jsonl", tmp_path / "found.csv"
    for out in (lines, table):
        done = call("search", catalog.folder, new, "-k", 4, "--out", out)
        assert done.status == 0, done.stderr
        assert "7 of 8 photographs answered" in done.stdout
        assert "1 of them cannot be searched for" in " ".join(done.stderr.split())
    alone = {answer.query: answer.matches for answer in catalog.searcher(model).search([*map(str, pictures)], 4)}
    answers = [json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines()]
    assert [answer["query"] for answer in answers] == [str(new / "broken.jpg"), *map(str, pictures)]
    assert answers[0]["problem"]
    for answer in answers[1:]:
        assert [match["id"] for match in answer["matches"]] == [match.id for match in alone[answer["query"]]]
    rows = list(csv.DictReader(table.open(encoding="utf-8", newline="")))
    assert len(rows) == 1 + 7 * 4
    assert [row["problem"] != "" for row in rows[:2]] == [True, False]
    for row in rows[1:]:
        match = alone[row["query"]][int(row["rank"]) - 1]
        assert (row["path"], row["label"], float(row["distance"])) == (match.path, match.label, match.distance)


def test_a_table_has_all_columns_and_no_formulas_whatever_comes_first(tmp_path: Path) -> None:
    match = Match(1, "/p/=a.jpg", "=a.jpg", "@SUM(1)", 0.5, None, "0" * 64, {"place": 0.25, "pose": 0.75})
    answers = [Neighbours("broken.jpg", [], problem="no picture"), Neighbours("-1.jpg", [match])]
    write_answers([answers], tmp_path / "found.csv", ("place", "pose"))
    rows = list(csv.DictReader((tmp_path / "found.csv").open(encoding="utf-8", newline="")))
    assert [(row["place"], row["pose"]) for row in rows] == [("", ""), ("0.25", "0.75")]
    assert [rows[1][name] for name in ("query", "path", "name", "label")] == [
        "'-1.jpg",
        "/p/=a.jpg",
        "'=a.jpg",
        "'@SUM(1)",
    ]
    write_answers([], tmp_path / "none.csv")
    assert (tmp_path / "none.csv").read_text().startswith("query,rank,id")


def test_what_is_no_use_ends_in_a_sentence(tmp_path: Path, photos: Path, catalog: Catalog, model: Model) -> None:
    index_collection(read_collection(photos), model, catalog)
    (tmp_path / "empty").mkdir()
    for arguments in (
        (photos, "--out", tmp_path / "found.txt"),
        (tmp_path / "empty", "--out", tmp_path / "found.csv"),
        (photos, "--out", tmp_path / "found.csv", "--json"),
        (photos, "--out", tmp_path / "found.csv", "--index", "ivf"),
        (photos, "--out", photos / "class 0" / "picture 0.jpg"),
    ):
        done = call("search", catalog.folder, *arguments)
        assert done.status == 2, arguments
        assert not (tmp_path / "found.csv").exists()
