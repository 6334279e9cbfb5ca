"""The commands that look after a catalog, as a person types them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from doppelgram.catalog.store import Catalog
from helpers.commands import call


def run(*words: object, status: int = 0) -> str:
    done = call(*map(str, words))
    assert done.status == status, done.stderr
    return done.stdout if status == 0 else done.stderr


@pytest.fixture
def indexed(photos: Path, model_folder: Path, tmp_path: Path) -> Path:
    run("index", photos, "--model", model_folder, "--catalog", tmp_path / "mine")
    return tmp_path / "mine"


def test_nothing_goes_without_a_yes(indexed: Path, photos: Path) -> None:
    photo = sorted(photos.rglob("*.jpg"))[0]
    assert "1 row would be taken out; give --yes" in run("catalog", "delete", indexed, photo, status=2)
    assert "4 rows would be taken out" in run("catalog", "delete", indexed, "--where", "label = 'class 0'", "--check")
    assert "12 rows would be relabelled; give --yes" in run(
        "catalog", "relabel", indexed, "--where", "label is not null", "--to", "x", status=2
    )
    assert len(Catalog.open(indexed)) == 12
    assert "1 row taken out" in run("catalog", "delete", indexed, photo, "--yes")
    assert photo.is_file()
    assert len(Catalog.open(indexed)) == 11


def test_what_is_in_it_is_told(indexed: Path) -> None:
    text = run("catalog", "info", indexed)
    assert "12 images, 12 with a label labels: class 0 (4), class 1 (4), class 2 (4)" in " ".join(text.split())
    assert all(len(line) <= 80 for line in text.splitlines() if str(indexed) not in line)
    facts = json.loads(run("catalog", "info", indexed, "--json"))
    assert (facts["rows"], facts["dim"], facts["fragments"], facts["indexes"]) == (12, 8, 1, [])
    assert "--of goes with --keep" in run("catalog", "versions", indexed, "--of", "1", status=2)
    assert "empty" in run("catalog", "versions", indexed, "--keep", "empty", "--of", "1")
    assert "as of version 1: 0 images" in " ".join(run("catalog", "info", indexed, "--as-of", "empty").split())
    assert json.loads(run("catalog", "compact", indexed, "--json"))["versions_removed"] == 0
    assert "there is no such catalog" in run("catalog", "info", indexed / "nowhere", status=2)
    assert "is a file" in run("catalog", "info", indexed / "catalog.json", status=2)


def test_vectors_of_another_model_lie_beside(
    indexed: Path, photos: Path, save_model: Callable[..., Path], tmp_path: Path
) -> None:
    other, photo = save_model(tmp_path / "other", seed=1, dim=12), sorted(photos.rglob("*.jpg"))[0]
    run("index", photos, "--model", other, "--catalog", indexed, "--beside", "wide")
    assert json.loads(run("catalog", "info", indexed, "--json"))["beside"] == ["wide"]
    assert "12 already present" in run("index", photos, "--catalog", indexed, "--beside", "wide")
    beside = Catalog.open(indexed / "beside" / "wide")
    assert beside.vectors().shape == (12, 12)
    own, found = (
        json.loads(run("search", indexed, photo, "-k", "11", "--json", *asked))[0]["matches"]
        for asked in ((), ("--vectors", "wide"))
    )
    assert {match["id"] for match in own} == {match["id"] for match in found}
    assert [match["distance"] for match in own] != [match["distance"] for match in found]

    run("catalog", "delete", indexed, photo, "--yes")
    run("catalog", "relabel", indexed, "--where", "label = 'class 1'", "--to", "first", "--yes")
    assert {entry.label for entry in beside.entries()} == {"class 0", "first", "class 2"}
    assert len(beside) == 11
    assert "there are wide" in run("search", indexed, photo, "--vectors", "narrow", status=2)
    assert "no name for vectors" in run("search", indexed, photo, "--vectors", "../..", status=2)
    assert "--beside goes with a catalog, and there is none" in run(
        "index", photos, "--model", other, "--catalog", tmp_path / "none", "--beside", "x", status=2
    )
