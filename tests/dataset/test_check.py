from __future__ import annotations

import json
from pathlib import Path

import pytest

import doppelgram
from doppelgram.cli import main
from doppelgram.errors import DoppelgramError
from helpers.post_files import MOMENT, pictures, write


def test_what_would_be_read_of_posts(tmp_path: Path) -> None:
    pictures(tmp_path, "a.jpg", "b.jpg", "c.jpg", "@eaDir/a.jpg/thumb.jpg")
    posts = [{"file": f"{name}.jpg", "user": {"username": "ann"}, "taken_at": MOMENT, "likes": 1} for name in "abz"]
    write(tmp_path / "list.json", posts)
    found = doppelgram.check(tmp_path)
    assert (found.reader, found.images, found.authors, found.missing) == ("records", 3, 1, ("z.jpg",))
    assert found.columns["author"] == ("user.username", 3)
    assert found.columns["timestamp"] == ("taken_at", 3)
    assert str(found.first) == "2019-12-20 04:27:27+00:00"
    assert dict(found.left) == {
        "c.jpg": "pictures of which no record speaks",
        "@eaDir, 1 image in it": "folders that the storage system made",
    }
    assert len(found.lines()) <= 10
    assert json.loads(json.dumps(found.to_dict()))["left_aside"][0]["things"] == ["c.jpg"]


def test_what_would_be_read_of_labelled_images(tmp_path: Path) -> None:
    pictures(tmp_path, *(f"{kind}/{n}.png" for kind in ("ox", "hen") for n in range(3)), "one/0.png")
    found = doppelgram.check(tmp_path, images=True)
    assert (found.reader, found.label, found.images, found.classes) == ("", "label", 6, 2)
    assert any("1 class has fewer than 2 images" in note and "'one'" in note for note in found.notes)
    assert any("2 of 2 classes have fewer than 5 images" in note and "split.by=class" in note for note in found.notes)


def test_the_command_and_its_switch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(pictures(tmp_path, "a.jpg") / "t.csv", f"Bild,Wer,Wann\na.jpg,ann,{MOMENT}\n")
    columns = ["--columns", "path=Bild,author=Wer,timestamp=Wann", "--json"]
    answers = []
    for start in (["check"], ["trace", "--check", "--model", "none", "--out", str(tmp_path / "out")]):
        with pytest.raises(SystemExit) as ended:
            main([start[0], str(tmp_path / "t.csv"), *start[1:], *columns])
        assert ended.value.code == 0
        answers.append(json.loads(capsys.readouterr().out))
    assert answers[0] == answers[1]
    assert answers[0]["columns"]["author"] == {"from": "column 'Wer'", "rows": 1}
    assert not (tmp_path / "out").exists()
    with pytest.raises(DoppelgramError, match="no 'path' among Bild"):
        doppelgram.check(tmp_path / "t.csv")
