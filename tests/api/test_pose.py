from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from doppelgram.api.pose import estimate_poses
from doppelgram.cli import main
from doppelgram.errors import DoppelgramError
from doppelgram.pose.table import read_people
from doppelgram.samples.posts import render_posts
from helpers.tiny_networks import draw_people


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render_posts(tmp_path_factory.mktemp("world") / "posts", posts=4, places=1, poses=2, size=96)


def command(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["pose", *map(str, arguments)])
    captured = capsys.readouterr()
    return int(ended.value.code or 0), captured.out, captured.err


def test_the_worlds_own_keypoints(world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, drawn = tmp_path / "p.parquet", tmp_path / "drawn"
    status, text, _ = command(
        capsys,
        world,
        "--estimator",
        "keypoints",
        "--pose-weights",
        world / "keypoints.json",
        "--out",
        out,
        "--draw",
        drawn,
        "--json",
    )
    facts = json.loads(text)
    truth = json.loads((world / "keypoints.json").read_text(encoding="utf-8"))
    assert (status, facts["with_people"], facts["people"]) == (0, len(truth), len(truth))
    assert set(facts["not_named"]) == set(facts["without_people"]) == set(read_people(out)) - set(truth)
    for name, people in read_people(out).items():
        if name in truth:
            np.testing.assert_allclose(people.keypoints[0, :, :2], truth[name], atol=1e-3)
        before, after = (np.asarray(Image.open(root / name), dtype=float) for root in (world, drawn))
        different = np.abs(before - after).max()
        assert different > 60 if name in truth else different < 40


def test_a_network_over_a_folder_with_bad_files(
    tmp_path: Path, movenet_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    Image.fromarray(draw_people(200, 200, [(100, 100, 80)])).save(data / "one.png")
    Image.fromarray(draw_people(200, 200, [])).save(data / "none.png")
    (data / "broken.jpg").write_bytes(b"\xff\xd8\xff nothing more")
    arguments = data, "--pose-weights", movenet_file, "--out", tmp_path / "p.parquet", "--cache", tmp_path / "cache"
    status, text, remarks = command(capsys, *arguments)
    assert status == 0
    assert text.startswith("1 person in 1 of 2 photographs (50.0 %)")
    assert "broken.jpg" in remarks
    assert list(read_people(tmp_path / "p.parquet")) == ["none.png", "one.png"]
    assert list((tmp_path / "cache").rglob("*.parquet"))


def test_one_photograph(tmp_path: Path, movenet_file: Path) -> None:
    Image.fromarray(draw_people(200, 200, [(100, 100, 80)])).save(tmp_path / "one.png")
    found = estimate_poses(tmp_path / "one.png", tmp_path / "p.parquet", pose_weights=movenet_file)
    assert [len(people) for people in found.people.values()] == [1]


def test_what_is_drawn_stays_in_its_folder(tmp_path: Path, movenet_file: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "table").mkdir(parents=True)
    Image.fromarray(draw_people(60, 60, [])).save(outside / "a.png")
    (outside / "table/posts.csv").write_text("path\n../a.png\n", encoding="utf-8")
    estimate_poses(
        outside / "table/posts.csv", tmp_path / "p.parquet", pose_weights=movenet_file, draw=tmp_path / "drawn/x"
    )
    assert [file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*.jpg")] == ["drawn/x/a.jpg"]


def test_photographs_are_never_drawn_over(tmp_path: Path, movenet_file: Path) -> None:
    for name in ("one.png", "one.jpg", "two.jpg"):
        Image.fromarray(draw_people(200, 200, [(100, 100, 80)])).save(tmp_path / name)
    before = {file: file.read_bytes() for file in tmp_path.iterdir()}
    out, cache = tmp_path / "out" / "p.parquet", tmp_path / "cache"
    with pytest.raises(DoppelgramError, match=r"two\.jpg: would be written over"):
        estimate_poses(tmp_path, out, pose_weights=movenet_file, draw=tmp_path, cache=cache)
    assert {file: file.read_bytes() for file in tmp_path.iterdir() if file.is_file()} == before
    assert not out.exists()
    estimate_poses(tmp_path, out, pose_weights=movenet_file, draw=tmp_path / "drawn", cache=cache)
    # Names that differ in their endings only would fall together as JPEGs.
    assert sorted(file.name for file in (tmp_path / "drawn").iterdir()) == ["one.jpg.jpg", "one.png.jpg", "two.jpg"]


def test_complaints_are_one_sentence(world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "p.parquet"
    (tmp_path / "other.json").write_text('{"elsewhere/1.jpg": []}', encoding="utf-8")
    for arguments, complaint in (
        ((world, "--out", tmp_path / "p.csv"), "let its name end in .parquet"),
        ((world, "--out", out), "weights pull movenet_lightning"),
        ((world, "--estimator", "mediapipe", "--out", out), "pip install 'doppelgram[mediapipe]'"),
        ((world, "--estimator", "best", "--out", out), "there is no estimator 'best'"),
        ((world, "--estimator", "keypoints", "--pose-weights", tmp_path / "other.json", "--out", out), "names none of"),
    ):
        status, text, remarks = command(capsys, *arguments)
        assert (status, text) == (2, "")
        assert complaint in remarks
        assert "Traceback" not in remarks
    assert not out.exists()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad/1.jpg").write_bytes(b"nothing")
    with pytest.raises(DoppelgramError, match="None of the images can be read"):
        estimate_poses(tmp_path / "bad", out, estimator="keypoints", pose_weights=world / "keypoints.json")
