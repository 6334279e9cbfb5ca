"""The rates of a machine: what is measured, and what is said to limit it. No rate itself is asserted."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from doppelgram.api import bench as api_bench
from doppelgram.console import SilentProgress
from doppelgram.errors import DoppelgramError
from doppelgram.images.framing import Framing
from doppelgram.images.read import Want
from doppelgram.models.runtime import in_bulk
from doppelgram.speed.measure import embedding_rate, reading_rate, repeated, searching_rate, writing_rate
from doppelgram.speed.result import Bench
from helpers.small_models import PIXELS, small_model

FOUND = Bench("a machine", "photographs", "a network", 64, 100.0, {"slow": 20.0, "quick": 50.0}, 30.0, 256, 6e9, True)


def test_what_takes_longest_limits() -> None:
    assert FOUND.fastest == "quick"
    assert FOUND.steps()["reading"] == 10
    assert FOUND.steps()["the network"] == 20
    assert FOUND.together == pytest.approx(1000 / 30)
    assert replace(FOUND, shares_processors=False).together == pytest.approx(50)
    assert FOUND.to_dict()["limit"] == "the network"
    assert replace(FOUND, reading=1.0).to_dict()["limit"] == "reading"
    slow = replace(FOUND, writing=6256.0)
    assert slow.to_dict()["limit"] == "the disk"
    assert slow.together == pytest.approx(1)
    json.dumps(FOUND.to_dict())
    assert [cells[0] for cells in FOUND.rows()] == ["reading", "by slow", "by quick", "search in 1M x 64", "disk"]


def test_everything_can_be_measured(photos: Path, tmp_path: Path) -> None:
    paths = sorted(photos.rglob("*.jpg"))
    assert reading_rate(paths, Want(Framing(32)), seconds=0.01) > 0
    assert embedding_rate(small_model(), PIXELS, in_bulk(), seconds=0.01) > 0
    assert searching_rate(rows=1000, dim=8, seconds=0.01) > 0
    assert writing_rate(tmp_path, size=1000) > 0
    assert list(tmp_path.glob(".doppelgram*")) == []
    calls: list[int] = []
    repeated(lambda: calls.append(1) or 5, seconds=0.0)
    assert len(calls) == 2


def test_what_cannot_be_measured_is_said(tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_text("hello")
    with pytest.raises(DoppelgramError, match="none of the photographs"):
        reading_rate([tmp_path / "bad.jpg"], Want(Framing(32)), seconds=0.01)
    with pytest.raises(DoppelgramError, match="cannot be written"):
        writing_rate(tmp_path / "nowhere", size=1000)


def test_photographs_of_which_the_first_are_all_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        (tmp_path / f"{number}.jpg").write_text("hello")
    draw = np.zeros((40, 40, 3), np.uint8)
    Image.fromarray(draw).save(tmp_path / "9.jpg")
    monkeypatch.setattr(api_bench, "reading_rate", lambda paths, want: 1.0)
    monkeypatch.setattr(api_bench, "_SHOWN", 1)
    with pytest.raises(DoppelgramError, match="none of the first 4 photographs can be read"):
        api_bench.bench(tmp_path, progress=SilentProgress())
