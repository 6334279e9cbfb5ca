"""Files that are there whole or not at all; what no folder can be made of is refused before the work."""

import os
from pathlib import Path

import pytest

from doppelgram.api.evaluate import evaluate
from doppelgram.errors import DoppelgramError
from doppelgram.files import check_folder, keep_inputs, written_whole
from helpers.posts_world import random_model


def test_the_file_is_there_once_the_block_is_done(tmp_path: Path) -> None:
    file = tmp_path / "new" / "name.csv"
    with written_whole(file) as aside:
        aside.write_text("half")
        assert aside.suffix == ".csv"
        assert not file.exists()
    assert [path.name for path in file.parent.iterdir()] == ["name.csv"]
    assert file.read_text() == "half"


@pytest.mark.parametrize("problem", [ValueError, KeyboardInterrupt])
def test_a_block_that_fails_leaves_what_was_there(tmp_path: Path, problem: type[BaseException]) -> None:
    file = tmp_path / "name"
    file.write_text("before")

    def write() -> None:
        with written_whole(file) as aside:
            aside.write_text("after")
            raise problem

    with pytest.raises(problem):
        write()
    assert [path.read_text() for path in tmp_path.iterdir()] == ["before"]


def test_what_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for file, said in ((tmp_path, "is a folder"), (tmp_path / "file" / "below", "cannot be written")):
        with pytest.raises(DoppelgramError, match=said), written_whole(file) as aside:
            aside.write_text("x")
    assert len(list(tmp_path.iterdir())) == 1


def test_what_is_read_is_not_written_over(tmp_path: Path) -> None:
    photograph, other = tmp_path / "a.jpg", tmp_path / "b.jpg"
    photograph.write_bytes(b"one of a kind")
    (tmp_path / "link.jpg").symlink_to(photograph)
    (tmp_path / "folder").symlink_to(tmp_path)
    keep_inputs([other], [photograph])
    for name in ("a.jpg", "link.jpg", "folder/a.jpg"):
        with pytest.raises(DoppelgramError, match="is read here"):
            keep_inputs([other, tmp_path / name], [photograph])


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
