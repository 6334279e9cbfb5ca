"""A folder belongs to its settings as soon as it holds results."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from doppelgram.errors import DoppelgramError
from doppelgram.studies.experiment import SETTINGS_FILE, open_experiment


def start(out: Path, seed: int) -> int:
    open_experiment(out, {"seed": seed}, results=["runs"], prepared=["data"])
    return int(json.loads((out / SETTINGS_FILE).read_text())["seed"])


def test_settings_may_change_until_there_are_results(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert start(out, 0) == 0
    (out / "data").mkdir()
    assert start(out, 0) == 0
    assert (out / "data").exists()
    assert start(out, 1) == 1
    assert not (out / "data").exists(), "made for other settings"
    (out / "runs").mkdir()
    assert start(out, 1) == 1
    with pytest.raises(DoppelgramError, match=r"other settings \(seed\)"):
        start(out, 2)


def test_what_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    for out in (tmp_path, tmp_path / "letter.txt"):
        with pytest.raises(DoppelgramError, match="holds something else"):
            start(out, 0)
    (tmp_path / SETTINGS_FILE).write_text("[")
    with pytest.raises(DoppelgramError, match="is damaged"):
        start(tmp_path, 0)


@pytest.mark.parametrize("text", ["{}", '{"theme": "dark"}', '{"seed": 0, "theme": "dark"}', "[]"])
def test_a_folder_with_settings_of_another_program_keeps_its_data(tmp_path: Path, text: str) -> None:
    (tmp_path / SETTINGS_FILE).write_text(text)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/photograph.jpg").write_bytes(b"mine")
    with pytest.raises(DoppelgramError, match="holds something else"):
        start(tmp_path, 0)
    assert (tmp_path / "data/photograph.jpg").read_bytes() == b"mine"
    assert (tmp_path / SETTINGS_FILE).read_text() == text
