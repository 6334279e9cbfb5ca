"""The report on what became of each file."""

import json

import pytest

from doppelgram.errors import DoppelgramError
from doppelgram.images.report import FileOutcome, LoadReport


def report() -> LoadReport:
    broken = [FileOutcome(f"b{i}.jpg", "broken", "truncated") for i in range(7)]
    return LoadReport(
        [
            FileOutcome("a.jpg", "ok"),
            FileOutcome("copy\nof\x1b[31m a.jpg", "duplicate", "same bytes as 'a.jpg'"),
            FileOutcome("gone\udcff.jpg", "missing", "no such file"),
            *broken,
        ]
    )


def test_counts_and_problems() -> None:
    assert report().counts() == {"ok": 1, "duplicate": 1, "missing": 1, "broken": 7, "faceless": 0}
    assert [outcome.status for outcome in report().problems()] == ["missing"] + ["broken"] * 7
    assert LoadReport().counts() == {"ok": 0, "duplicate": 0, "missing": 0, "broken": 0, "faceless": 0}


def test_summary_is_one_printable_line_with_capped_examples() -> None:
    text = report().summary(limit=2)
    assert text.isprintable()
    text.encode("utf-8")
    assert "1 of 10 files read" in text
    assert r"'copy\nof\x1b[31m a.jpg'" in text
    assert "'b0.jpg' (truncated), 'b1.jpg' (truncated) and 5 more" in text
    assert "b2.jpg" not in text
    assert LoadReport([FileOutcome("a", "ok")]).summary() == "1 of 1 file read."
    assert len(LoadReport([FileOutcome("x" * 5000, "missing")]).summary()) < 300


def test_json() -> None:
    loaded = json.loads(report().to_json())
    assert loaded["counts"]["broken"] == 7
    assert [FileOutcome(**outcome) for outcome in loaded["outcomes"]] == report().outcomes
    assert report().to_json().isascii()


def test_nothing_readable() -> None:
    report().raise_if_nothing_readable()
    with pytest.raises(DoppelgramError, match="No image files"):
        LoadReport().raise_if_nothing_readable()
    with pytest.raises(DoppelgramError, match=r"None.*'x\.jpg' \(0 bytes\)"):
        LoadReport([FileOutcome("x.jpg", "broken", "0 bytes")]).raise_if_nothing_readable()


def test_faces_are_told_apart_from_failures() -> None:
    faces = [FileOutcome(f"{n}.jpg", "ok", faces=n) for n in range(4)]
    told = LoadReport([*faces, FileOutcome("copy", "duplicate", faces=0), FileOutcome("gone", "missing")])
    assert told.face_notes() == [
        "1 image: no face found, the middle was taken: '0.jpg'.",
        "2 images: several faces found, the largest was taken: '2.jpg' (2), '3.jpg' (3).",
    ]
    assert told.counts()["ok"] == 4
    assert [outcome.path for outcome in told.problems()] == ["gone"]
    assert told.face_notes(1)[1].endswith("'2.jpg' (2) and 1 more.")
    assert report().face_notes() == []
    assert "faces" not in json.loads(report().to_json())["outcomes"][0]
    assert json.loads(told.to_json())["outcomes"][0]["faces"] == 0
