"""The same view in commands: said in words and drawn, silent where parts are missing, a column of a trace's edges."""

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from doppelgram.api.compare_images import compare_images
from doppelgram.catalog.search.searcher import Match, Neighbours
from doppelgram.catalog.search.views import with_views as answers_with_views
from doppelgram.cli import main
from doppelgram.console import SilentProgress
from doppelgram.pose.segmenter import DeepLab
from doppelgram.rolemodels.settings import TraceSettings
from doppelgram.rolemodels.trace import trace_posts
from doppelgram.rolemodels.views import leading_pairs, with_views
from doppelgram.view.finder import ViewFinder
from doppelgram.view.points import XFeat
from helpers.made_up_posts import SPACE, posts, vectors
from helpers.views import saved, taken_from_elsewhere


@pytest.fixture
def files(scenes: tuple[Image.Image, Image.Image], tmp_path: Path) -> list[Path]:
    """A view, the same from elsewhere, and another."""
    images = scenes[0], taken_from_elsewhere(scenes[0]), scenes[1]
    return [saved(image, tmp_path / f"{k}.png") for k, image in enumerate(images)]


@pytest.mark.slow
def test_compare_images_says_and_draws_it(
    xfeat: XFeat, files: list[Path], deeplab_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("doppelgram.pose.segmenter.find_weights", lambda *_: deeplab_file)
    keypoints = tmp_path / "keypoints.json"
    keypoints.write_text(json.dumps({file.name: [[160, 60 + 8 * k, 1] for k in range(18)] for file in files}))
    sizes = []
    for other, said in ((1, True), (2, False)):
        out = tmp_path / f"why{other}.png"
        answer = compare_images(files[0], files[other], keypoints=keypoints, out=out)
        assert bool(answer.view_points) is said
        assert any(sentence.startswith("The same view: ") for sentence in answer.why) is said
        sizes.append(Image.open(out).height)
    assert sizes[0] > sizes[1] + 300
    asked = compare_images(files[0], files[2], keypoints=keypoints, view=True)
    assert asked.view_points == 0
    assert "too few matched points" in asked.why[-1]
    silent = compare_images(files[0], files[1], keypoints=keypoints, view=False)
    assert silent.view_points is None
    assert not any("same view" in sentence for sentence in silent.why)


def test_without_weights_it_is_silent_unless_asked_for(
    files: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keypoints = tmp_path / "keypoints.json"
    keypoints.write_text(json.dumps({file.name: [[160, 60 + 8 * k, 1] for k in range(18)] for file in files}))
    assert compare_images(files[0], files[1], keypoints=keypoints).view_points is None
    command = ["compare-images", str(files[0]), str(files[1]), "--keypoints", str(keypoints), "--view"]
    with pytest.raises(SystemExit, match="2"):
        main(command)
    said = capsys.readouterr().err
    assert said.startswith("error: weights '")
    assert len(said.strip().splitlines()) == 1


def test_answers_of_a_search(xfeat: XFeat, files: list[Path], deeplab_file: Path) -> None:
    """The first answers get their points; what is gone gets nothing, and further answers are not looked at."""
    paths = [files[1], files[2], files[0].with_name("gone.png"), *[files[1]] * 3]
    matches = [Match(k + 1, str(path), path.name, "", 0.1, None, f"{k}") for k, path in enumerate(paths)]
    (answer,) = answers_with_views([Neighbours(str(files[0]), matches)], ViewFinder(xfeat, DeepLab(deeplab_file)))
    points = [match.view_points for match in answer.matches]
    assert points[0] is not None
    assert points[0] >= 24
    assert points[1:3] == [0, None]
    assert points[4] == points[0]
    assert points[5] is None
    assert [replace(match, view_points=None) for match in answer.matches] == matches


def test_leading_pairs_of_a_trace(xfeat: XFeat, files: list[Path], deeplab_file: Path) -> None:
    """A parent's edges get points or a 0, others nothing, and a note says how many."""
    settings = TraceSettings(draws=19, bootstraps=10)
    found = trace_posts(posts([0, 1, 2]), vectors([(0, 0)] * 3), SPACE, settings)
    assert found.edges["view_points"].isna().all()
    rows = leading_pairs(found)
    assert rows
    assert found.edges.loc[rows, "is_parent"].all()
    assert leading_pairs(found, 1) == rows[:1]
    photographs = dict(zip(("p0", "p1", "p2"), files, strict=True))
    views = ViewFinder(xfeat, DeepLab(deeplab_file))
    seen = with_views(found, photographs, views, SilentProgress())
    same = {("p0", "p1")}
    for row, edge in enumerate(seen.edges.itertuples()):
        if row not in rows:
            assert pd.isna(edge.view_points)
        else:
            assert bool(edge.view_points > 0) is ((edge.source, edge.target) in same)
    assert "by matched points" in seen.notes[-1]
    assert with_views(found, photographs, None, SilentProgress()) is found
