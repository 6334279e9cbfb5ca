"""The answers to the exercise's questions follow from the figures, and say so where nothing can be told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from doppelgram.studies.lookalike.findings import Mined, Sized, difference, map_answers, mining_answers, size_answers
from doppelgram.studies.lookalike.neighbourhood import (
    Neighbourhood,
    read_neighbourhood,
    spread_directions,
    write_neighbourhood,
)

N = 400


def seen(share: float, *, units: np.ndarray | None = None, directions: float = 5.0, **on_map: float) -> Neighbourhood:
    """Test images of which the first ``share`` is right."""

    def first(part: float) -> np.ndarray:
        return np.arange(N) < part * N

    maps = {name: first(part) for name, part in on_map.items()}
    return Neighbourhood(first(share), np.arange(N) if units is None else units, maps, {}, directions, 0.3)


def test_a_difference_is_paired_and_its_interval_is_of_units() -> None:
    gain = difference(seen(0.9), seen(0.5))
    assert gain.value == pytest.approx(0.4)
    assert 0.3 < gain.low < 0.4 < gain.high < 0.5
    assert difference(seen(0.5), seen(0.5)) == (0, 0, 0)
    few = difference(seen(0.9, units=np.arange(N) // 40), seen(0.5, units=np.arange(N) // 40))
    assert few.value == gain.value
    assert few.high - few.low > 2 * (gain.high - gain.low), "ten units say less than four hundred images"


def test_mining_gains_loses_or_shows_no_clear_difference() -> None:
    rng = np.random.default_rng(0)
    same = seen(0.6)
    noisy = Neighbourhood(np.roll(same.right, int(rng.integers(1, 3))), same.units)
    text = mining_answers([Mined("Signs", same, {"a": seen(0.9), "b": seen(0.3), "c": noisy}, seen(0.5))])[0]
    assert "a gains 30.0 points" in text
    assert "b loses 30.0 points" in text
    assert "c shows no clear difference" in text
    assert "contrastive baseline, drawing triplets at random gains 10.0 points" in text
    assert "problem" not in text
    troubled = Mined("Signs", same, {"a": seen(0.9)}, seen(0.5), ["a"])
    assert "Training reported a problem with a (see" in mining_answers([troubled])[0]


def test_the_smallest_size_that_cannot_be_told_is_named() -> None:
    text = size_answers([Sized("Signs", {2: seen(0.9), 16: seen(0.9), 64: seen(0.9)})])[0]
    assert "From 2 dimensions on these test images show no loss" in text
    assert "5.0 directions" in text
    text = size_answers([Sized("Faces", {2: seen(0.2), 16: seen(0.5), 64: seen(0.9)})])[0]
    assert "the next smaller size is worse" in text
    assert "with 2 dimensions 20.0 %" in text


def test_no_size_is_passed_over_that_loses() -> None:
    """Sixteen dimensions are as good as 64, but 32 are worse: nothing holds "from 16 on"."""
    text = size_answers([Sized("Signs", {2: seen(0.2), 16: seen(0.9), 32: seen(0.6), 64: seen(0.9)})])[0]
    assert "From 16" not in text
    assert "the next smaller size is worse than 64" in text


def test_one_size_alone_is_not_compared() -> None:
    text = size_answers([Sized("Signs", {64: seen(0.9)})])[0]
    assert "64 dimensions only" in text
    assert "worse" not in text
    assert "5.0 directions" in text


@pytest.mark.parametrize(
    ("pca", "tsne", "said"),
    [
        (0.4, 0.88, "the one by PCA lays classes over each other"),
        (0.88, 0.9, "Both maps keep"),
        (0.3, 0.4, "Both maps mix"),
        (0.88, 0.4, "the one by t-SNE mixes"),
    ],
)
def test_what_the_maps_keep(pca: float, tsne: float, said: str) -> None:
    assert said in map_answers([Sized("Signs", {64: seen(0.9, pca=pca, tsne=tsne)})])[0]
    assert map_answers([Sized("Signs", {2: seen(0.9, plain=0.9)})]) == []


def test_directions_of_class_means() -> None:
    labels = np.repeat(np.array(["a", "b", "c", "d", "e"]), 2)
    line = np.zeros((10, 6))
    line[:, 0] = np.repeat(np.arange(5), 2)
    assert spread_directions(line, labels) == pytest.approx(1)
    corners = np.repeat(np.eye(5), 2, axis=0)
    assert spread_directions(corners, labels) == pytest.approx(4), "five corners of a simplex spread in four directions"


def test_figures_are_read_again_for_the_same_model_only(tmp_path: Path) -> None:
    file, picture = tmp_path / "n.npz", tmp_path / "pca.png"
    picture.write_bytes(b"x")
    write_neighbourhood(seen(0.7, pca=0.5), file, "abc")
    again = read_neighbourhood(file, "abc", {"pca": picture})
    assert again is not None
    assert np.array_equal(again.right, seen(0.7).right)
    assert (again.directions, again.plane) == (5.0, 0.3)
    assert read_neighbourhood(file, "other", {"pca": picture}) is None
    assert read_neighbourhood(file, "abc", {"tsne": picture}) is None
    assert read_neighbourhood(file, "abc", {"pca": tmp_path / "none.png"}) is None
    file.write_bytes(file.read_bytes()[:40])
    assert read_neighbourhood(file, "abc", {}) is None
