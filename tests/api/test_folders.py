"""What no folder can be made of is refused before the work."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from doppelgram.api.evaluate import evaluate
from doppelgram.api.folders import check_folder
from doppelgram.errors import DoppelgramError
from helpers.posts_world import random_model


def test_a_folder_that_can_be_made_is_not_made_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in (tmp_path, tmp_path / "new" / "deep", Path("new"), Path()):
        check_folder(folder)
    assert not (tmp_path / "new").exists()


def test_files_are_no_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "text.jpg"
    file.write_text("text")
    with pytest.raises(DoppelgramError, match=r"text\.jpg: is a file, and a folder is needed"):
        check_folder(file)
    with pytest.raises(DoppelgramError, match=r"deep: lies in the file .*text\.jpg, and a folder is needed"):
        check_folder(file / "deep")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(DoppelgramError, match="may not be written to"):
        check_folder(tmp_path / "new")


def test_evaluate_looks_before_it_works(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("text")
    model = random_model().save(tmp_path / "model")
    with pytest.raises(DoppelgramError, match="a folder is needed"):
        evaluate(model, gallery=tmp_path / "none", out=tmp_path / "text.jpg")
