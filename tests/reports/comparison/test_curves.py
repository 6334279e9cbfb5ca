"""Figures of made-up comparisons: what is drawn, in which file, and that nothing of it is out of place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from doppelgram.comparison.result import Comparison
from doppelgram.reports.comparison.curves import (
    curve,
    heat_figure,
    learning_figure,
    mining_figure,
    progress_figure,
    size_figure,
    write_curves,
)
from helpers.made_up_runs import made_up


@pytest.fixture(scope="module")
def grid() -> Comparison:
    runs = [
        made_up(
            loss,
            miner,
            dim,
            seed,
            right=0.4 + dim / 100 + 0.1 * (miner == "semihard"),
            queries=50,
            accuracy=(0.2, 0.3 + 0.1 * seed, 0.4 + 0.1 * seed),
        )
        for loss in ("triplet", "contrastive")
        for miner in ("none", "semihard")
        for dim in (2, 16)
        for seed in (0, 1)
    ]
    alone = made_up("circle", "none", 16, active=None, mines=False, queries=50, accuracy=(0.1, 0.2, 0.3))
    return Comparison([*runs, alone], replicates=50)


def test_a_line_is_the_mean_of_the_seeds_and_its_band_their_range(grid: Comparison) -> None:
    table = grid.epochs.query("loss == 'triplet' and miner == 'none' and dim == 2")
    points = curve(table, "epoch", "accuracy")
    assert points is not None
    x, mean, low, high = points
    assert x.tolist() == [1, 2, 3]
    np.testing.assert_allclose(mean, [0.2, 0.35, 0.45])
    np.testing.assert_allclose(low, [0.2, 0.3, 0.4])
    np.testing.assert_allclose(high, [0.2, 0.4, 0.5])
    assert curve(grid.epochs.query("loss == 'circle'"), "epoch", "active") is None


def test_every_file_is_written_and_is_a_picture(grid: Comparison, tmp_path: Path) -> None:
    written = write_curves(tmp_path, grid)
    assert list(written) == ["heat", "sizes", "progress", "learning", "mining"]
    names = {f"{name}.{ending}" for name in written for ending in ("png", "svg")}
    assert {file.name for file in tmp_path.iterdir()} == names
    for name, svg in written.items():
        assert "<svg" in svg
        assert "<image" not in svg, "lines, not pixels"
        with Image.open(tmp_path / f"{name}.png") as picture:
            assert min(picture.size) > 400
    single = Comparison([made_up(accuracy=())], replicates=20)
    assert list(once := write_curves(tmp_path, single)) == ["heat", "learning"]
    assert write_curves(tmp_path, single) == once, "the same comparison gives the same files"
    assert not (tmp_path / "mining.png").exists(), "a figure of an earlier report does not stay behind"


def test_the_slide_shows_every_miner_of_the_triplet_loss(grid: Comparison) -> None:
    figure = mining_figure(grid)
    assert figure is not None
    assert "triplet loss, 16 dims" in figure.get_suptitle()
    for axes in figure.axes:
        assert {text.get_text() for text in axes.texts} == {"none", "semihard"}
    assert mining_figure(Comparison([made_up()], replicates=20)) is None


@pytest.mark.parametrize("draw", [learning_figure, progress_figure, size_figure, heat_figure, mining_figure])
def test_words_do_not_overlap_or_leave_the_figure(grid: Comparison, draw: object) -> None:
    figure = draw(grid)  # type: ignore[operator]
    figure.canvas.draw()
    whole = figure.bbox
    for axes in figure.axes:
        boxes = [text.get_window_extent() for text in axes.texts if text.get_visible()]
        for box in boxes:
            assert box.x0 >= whole.x0
            assert box.x1 <= whole.x1
        for place, one in enumerate(boxes):
            for other in boxes[place + 1 :]:
                overlap = min(one.x1, other.x1) - max(one.x0, other.x0), min(one.y1, other.y1) - max(one.y0, other.y0)
                assert min(overlap) <= 4, "words lie on each other by more than their margins"
    title = figure._suptitle.get_window_extent()  # type: ignore[union-attr]
    assert title.x1 <= whole.x1
