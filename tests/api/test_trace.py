"""Traces from files on disk to tables and report, with a model whose towers are untrained.

Untrained towers know a photograph again that is posted a second time and no other, which makes the truth plain.
"""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch
from rich.console import Console

import doppelgram
from doppelgram.api.trace import trace
from doppelgram.catalog.store import Catalog
from doppelgram.cli.role_models import print_ranking
from doppelgram.console import SilentProgress, TerminalProgress
from doppelgram.errors import DoppelgramError, Interrupted
from doppelgram.images.framing import Framing
from doppelgram.models.arrangement import ArrangementModel
from doppelgram.models.backbones.backbone import SmallNet
from doppelgram.models.networks.embedding import EmbeddingHead, EmbeddingNetwork
from doppelgram.models.towers import ImageTower
from doppelgram.numbers import day
from doppelgram.reports.role_models.summary import summary
from doppelgram.rolemodels.settings import TraceSettings
from doppelgram.samples.posts import render_posts
from doppelgram.space.arrangement import ArrangementSpace
from doppelgram.space.calibration import Calibration
from doppelgram.space.joint import JointCalibration
from helpers.commands import call

# The world of these tests is made of the same photographs, posted again.
QUICK = TraceSettings(draws=19, bootstraps=10, reposts="count")
ORIGINALS = 6


def tower(dim: int, sees: str) -> ImageTower:
    backbone = SmallNet(width=4)
    network = EmbeddingNetwork(backbone, EmbeddingHead(backbone.dim, dim)).eval()
    return ImageTower(network, Framing(32, None, "squash"), sees=sees)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    exact = Calibration(slope=2000.0, intercept=8.0, threshold=0.004, n_same=9, n_different=9, fitted_on="nothing")
    space = ArrangementSpace(16, 12, 1, JointCalibration(exact, exact, 1.0, 1.0, -4.0, -2.0, 0.5))
    model = ArrangementModel([tower(16, "photograph")], [tower(12, "person")], space)
    return model.save(tmp_path_factory.mktemp("model") / "run")


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render_posts(tmp_path_factory.mktemp("world") / "posts", posts=ORIGINALS, places=1, poses=2, size=64, seed=3)


@pytest.fixture
def posts(rendered: Path, tmp_path: Path) -> Path:
    """Pictures that ann posts in January, and bo, cy and di again, the very same bytes, in the months after."""
    folder = tmp_path / "posts"
    folder.mkdir()
    points = json.loads((rendered / "keypoints.json").read_text())
    rows, known = ["path,author,timestamp,likes"], {}
    for k, name in enumerate(sorted(points)):
        for month, author in enumerate(("ann", "bo", "cy", "di"), start=1):
            shutil.copy(rendered / name, folder / f"{author}{k}.jpg")
            known[f"{author}{k}.jpg"] = points[name]
            rows.append(f"{author}{k}.jpg,{author},2021-{month:02}-{k + 1:02}T12:00:00Z,{k}")
    (folder / "posts.csv").write_text("\n".join(rows) + "\n")
    (folder / "keypoints.json").write_text(json.dumps(known))
    return folder


def test_a_capture_is_traced_like_the_table_of_the_same_posts(posts: Path, run: Path, tmp_path: Path) -> None:
    expected = trace(posts, run, settings=QUICK, catalog=tmp_path / "catalog", progress=SilentProgress())
    items = []
    for row in pd.read_csv(posts / "posts.csv").itertuples():
        taken = int(pd.Timestamp(row.timestamp).timestamp())
        image = {"candidates": [{"url": f"https://cdn.example.org/v/{row.path}?x=1"}]}
        data = {"code": f"C{row.Index}", "user": {"username": row.author}, "taken_at": taken, "image_versions2": image}
        items.append(json.dumps({"item_id": str(row.Index), "source_platform": "instagram.com", "data": data}))
    (posts / "posts.csv").unlink()
    (posts / "capture.ndjson").write_text("\n".join(items))
    found = trace(posts, run, settings=QUICK, catalog=tmp_path / "catalog", progress=SilentProgress())
    columns = ["path", "author", "timestamp", "arrangement", "parent", "score"]
    pd.testing.assert_frame_equal(
        found.role_models[columns].sort_values("path", ignore_index=True),
        expected.role_models[columns].sort_values("path", ignore_index=True),
    )
    assert found.counts["traced"] == 4 * ORIGINALS


def test_posts_to_tables_and_report(posts: Path, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = trace(posts, run, out=tmp_path / "traced", settings=QUICK, progress=SilentProgress())
    table = found.role_models.set_index("path")
    assert found.counts["traced"] == 4 * ORIGINALS
    assert found.counts["unreadable"] == 0
    assert found.counts["arrangements"] == ORIGINALS
    for k in range(ORIGINALS):
        assert table.loc[f"ann{k}.jpg", "parent"] == ""
        assert table.loc[f"bo{k}.jpg", "parent"] == f"ann{k}.jpg"
        assert table.loc[f"ann{k}.jpg", "total_followers"] == 3
    assert set(table.index[:ORIGINALS]) == {f"ann{k}.jpg" for k in range(ORIGINALS)}
    assert table.loc["cy4.jpg", "likes"] == "4"
    written = {entry.name for entry in (tmp_path / "traced").iterdir()}
    assert written == {
        "role_models.csv",
        "edges.csv",
        "arrangements.csv",
        "curve.csv",
        "robustness.csv",
        "codebook.csv",
        "authors.csv",
        "places.csv",
        "graph.gexf",
        "graph.graphml",
        "report.html",
        "summary.json",
        "citation.bib",
        "citation.json",
        "methods.txt",
        *(["walls"] if (tmp_path / "traced/walls").exists() else []),
        "catalog",
    }
    text = (tmp_path / "traced/report.html").read_text(encoding="utf-8")
    assert "<title>Role models: posts</title>" in text
    assert text.count('class="portrait"') == 10
    assert text.count('<g class="skeleton"') == 10  # the skeleton of the one person in each
    assert json.loads((tmp_path / "traced/summary.json").read_text(encoding="utf-8"))["counts"] == found.counts
    print_ranking(found)
    shown = capsys.readouterr().out.splitlines()
    assert max(map(len, shown)) <= 80
    time = day(found.role_models.set_index("path").loc["ann0.jpg", "timestamp"])
    assert sum("ann0.jpg" in line and time in line for line in shown) == 1


def test_nothing_is_embedded_twice_and_a_moved_clock_moves_the_crown(posts: Path, run: Path, tmp_path: Path) -> None:
    progress = SilentProgress()
    first = trace(posts, run, catalog=tmp_path / "catalog", settings=QUICK, progress=progress)
    added = Catalog.open(tmp_path / "catalog").rows(["id", "added"])
    assert len(added) == ORIGINALS
    table = pd.read_csv(posts / "posts.csv")
    table.loc[table["path"] == "di2.jpg", "timestamp"] = "2020-12-01T00:00:00Z"
    table.to_csv(posts / "posts.csv", index=False)
    second = trace(posts, run, catalog=tmp_path / "catalog", settings=QUICK, progress=progress)
    again = Catalog.open(tmp_path / "catalog").rows(["id", "added"])
    pd.testing.assert_frame_equal(
        added.sort_values("id", ignore_index=True), again.sort_values("id", ignore_index=True)
    )
    leads = [result.arrangements.set_index("earliest")["role_model"] for result in (first, second)]
    assert leads[0]["ann2.jpg"] == "ann2.jpg"
    assert leads[1]["di2.jpg"] == "di2.jpg"
    assert "ann2.jpg" not in leads[1]


def test_ctrl_c_keeps_what_was_embedded(
    posts: Path, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    out, kept = tmp_path / "report", tmp_path / "report/catalog"
    with monkeypatch.context() as patch:
        patch.setattr("doppelgram.rolemodels.kept_posts.trace_posts", stopped)
        with pytest.raises(Interrupted, match=r"report/catalog: interrupted; .* the same command goes on from here"):
            trace(posts, run, out=out, settings=QUICK, progress=SilentProgress())
        with pytest.raises(KeyboardInterrupt):  # nothing is kept, and nothing is said to be
            trace(posts, run, settings=QUICK, progress=SilentProgress())
    added = Catalog.open(kept).rows(["id", "added"])
    assert len(added) == ORIGINALS
    trace(posts, run, out=out, settings=QUICK, progress=SilentProgress())
    pd.testing.assert_frame_equal(
        *(rows.sort_values("id", ignore_index=True) for rows in (added, Catalog.open(kept).rows(["id", "added"])))
    )
    assert (out / "report.html").is_file()


def test_what_cannot_be_read_is_counted_and_said(posts: Path, run: Path) -> None:
    (posts / "bo1.jpg").write_bytes(b"no picture")
    (posts / "cy1.jpg").unlink()
    with (posts / "posts.csv").open("a") as file:
        file.write("undated.jpg,eve,,\n")
    shutil.copy(posts / "ann0.jpg", posts / "undated.jpg")
    console = Console(record=True, width=300, file=io.StringIO())
    found = trace(posts, run, settings=QUICK, progress=TerminalProgress(console))
    assert found.counts["unreadable"] == 2
    assert found.counts["undated"] == 1
    said = console.export_text()
    assert "bo1.jpg" in said
    assert "cy1.jpg" in said
    assert summary(found)["counts"]["unreadable"] == 2


def test_a_model_of_whole_images_is_refused(posts: Path, save_model: Callable[..., Path], tmp_path: Path) -> None:
    save_model(tmp_path / "faces")
    with pytest.raises(DoppelgramError, match="compares whole images; role models need one of places and poses"):
        trace(posts, tmp_path / "faces", settings=QUICK)


def test_a_file_in_the_place_of_the_folder(posts: Path, run: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("x")
    with pytest.raises(DoppelgramError, match="taken: is a file, and a folder is needed"):
        doppelgram.trace(posts, run, out=tmp_path / "taken", settings=QUICK)


def test_the_command(posts: Path, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pd.DataFrame(
        {
            "path": [f"{author}{k}.jpg" for k in range(ORIGINALS) for author in ("ann", "bo")],
            "arrangement": [f"a::{k}" for k in range(ORIGINALS) for _ in range(2)],
            "parent": [parent for k in range(ORIGINALS) for parent in ("", f"ann{k}.jpg")],
        }
    ).to_csv(tmp_path / "truth.csv", index=False)
    monkeypatch.chdir(tmp_path)
    command = ["trace", posts, "--model", run, "--out", "traced"]
    command += ["--reposts", "count", "--draws", "19", "--json", "--truth", "truth.csv"]
    done = call(*command)
    assert done.status == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["truth"]["parents"] == 1
    assert answer["truth"]["adjusted_rand"] == pytest.approx(1)
    assert answer["role_models"][0]["author"] == "ann"
    assert (tmp_path / answer["report"]).is_file()
    done = call(*command, "--threshold", "2")
    assert done.status == 2
    assert done.stderr == "error: the threshold is 2; give a probability between 0 and 1\n"


def test_the_same_photograph_posted_again_is_no_new_arrangement(posts: Path, run: Path) -> None:
    found = trace(posts, run, settings=replace(QUICK, reposts="aside"), progress=SilentProgress())
    table = found.role_models.set_index("path")
    assert found.counts["reposts"] == found.counts["aside"] == 3 * ORIGINALS
    assert found.counts["arrangements"] == found.counts["edges"] == 0
    assert table.loc["bo3.jpg", "repost_of"] == "ann3.jpg"
    assert table.loc["ann3.jpg", "reposts"] == 3
