"""Ready-made models in the commands: named, taken by default, listed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from doppelgram.api.index import index
from doppelgram.api.ready_made_models import ready_made_models
from doppelgram.api.search import search
from doppelgram.api.trace import trace
from doppelgram.errors import DoppelgramError
from doppelgram.models.ready_made.registry import READY_MADE
from helpers.catalogs import _draw_folder
from helpers.commands import call
from helpers.progress import RecordingProgress


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _draw_folder(tmp_path_factory.mktemp("photos"), classes=2, images=2)


def test_all_are_listed_in_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    said = call("models").stdout
    assert max(map(len, said.splitlines())) <= 80
    assert [line.split()[0] for line in said.splitlines() if not line.startswith(" ")] == list(READY_MADE)
    assert "weights efficientnet_lite2 (Apache-2.0): here" in said
    listed = json.loads(call("models", "--json").stdout)
    assert [model["name"] for model in listed] == list(READY_MADE)
    assert {model["name"]: model["missing"] for model in listed}["things-dinov2"] == ["dinov2_small"]
    assert call("models", "thingz").stderr == (
        f"error: there is no ready-made model 'thingz'; there are {', '.join(READY_MADE)}\n"
    )


def test_one_is_described_in_full() -> None:
    (found,) = ready_made_models("things")
    assert found.dim == 1280
    assert "landmark" in found.calibrated
    said = call("models", "things").stdout
    assert found.fingerprint[:16] in said
    (other,) = ready_made_models("things-dinov2")
    assert (other.dim, other.fingerprint) == (0, "")


@pytest.mark.slow
def test_photographs_are_indexed_and_searched_without_a_model(photos: Path, tmp_path: Path) -> None:
    progress = RecordingProgress()
    assert index(photos, None, tmp_path / "catalog", progress=progress).added == 4
    said = "Model: things (look-alikes of any kind); for another give --model, see `doppelgram models`."
    assert progress.notes[0] == said
    assert all(note.startswith("runtime: ") for note in progress.notes[1:])
    asked = photos / "class 0/picture 0.jpg"
    answers = search(tmp_path / "catalog", [asked], 3, progress=progress)[0].matches
    assert answers[0].name == "class 0/picture 1.jpg"
    assert answers[0].probability is not None
    # The catalog's own model from then on, without a remark.
    again = RecordingProgress()
    assert index(photos, None, tmp_path / "catalog", progress=again).already_present == 4
    assert all(note.startswith("runtime: ") for note in again.notes)
    assert index(photos, "things", tmp_path / "catalog", progress=again).already_present == 4
    drawn = call("map", photos, "--method", "pca", "--out", tmp_path / "map.html")
    assert (drawn.status, (tmp_path / "map.html").is_file()) == (0, True)
    verdict = call("verify", asked, asked, "--json")
    assert json.loads(verdict.stdout)["same"] is True
    assert "Model: things" in verdict.stderr
    evaluated = call("evaluate", "things", "--gallery", photos, "--json")
    assert json.loads(evaluated.stdout)["precision_at_1"]["n"] == 4
    assert call("errors", photos).status == 0


def test_what_a_ready_made_model_cannot_do_is_said(photos: Path, tmp_path: Path) -> None:
    assert (
        "things: is a model without its run, so it has no images; give --gallery" in call("evaluate", "things").stderr
    )
    assert "'things' has no images of its own; give DATA" in call("errors", "--model", "things").stderr
    assert "name labelled images, or a run with --model" in call("errors").stderr
    assert "things: is a model without its run" in call("map", "--model", "things").stderr
    said = call(
        "compare-images", photos / "class 0/picture 0.jpg", photos / "class 0/picture 1.jpg", "--model", "things"
    )
    assert "things: this model compares whole images" in said.stderr
    with pytest.raises(DoppelgramError, match="things: this model compares whole images; role models need one of"):
        trace(photos, "things", out=tmp_path / "traced")
