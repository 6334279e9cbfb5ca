"""Copies are found whatever the metric says, and pictures that merely resemble each other are not."""

from __future__ import annotations

import io
import itertools

import numpy as np
import pytest
from PIL import Image

from doppelgram import DoppelgramError
from doppelgram.label_errors.duplicates import GRID, NEAR, appearance, copies
from helpers.pictures import stripes


def pixels(count: int, seed: int = 0, size: int = 48) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.stack([np.asarray(stripes(n % 7, rng, size)) for n in range(count)])


def saved_again(picture: np.ndarray, quality: int) -> np.ndarray:
    memory = io.BytesIO()
    Image.fromarray(picture).save(memory, "JPEG", quality=quality)
    return np.asarray(Image.open(memory).convert("RGB"))


@pytest.mark.parametrize("size", [16, 24, 37, 64])
def test_appearance_is_the_mean_colour_of_cells(size: int) -> None:
    given = pixels(3, size=size)
    edges = np.linspace(0, size, GRID + 1).round().astype(int)
    cells = np.array(
        [
            [
                [picture[a:b, c:d].reshape(-1, 3).mean(axis=0) for c, d in itertools.pairwise(edges)]
                for a, b in itertools.pairwise(edges)
            ]
            for picture in given.astype(float)
        ]
    ).reshape(3, -1)
    centred = cells - cells.mean(axis=1, keepdims=True)
    expected = centred / (centred.std(axis=1, keepdims=True) + 4) / np.sqrt(cells.shape[1])
    np.testing.assert_allclose(appearance(given, block=2), expected, atol=1e-5)


def test_appearance_refuses_images_too_small() -> None:
    with pytest.raises(DoppelgramError, match="16 or more"):
        appearance(np.zeros((1, 8, 8, 3), np.uint8))


def test_pictures_saved_again_or_brighter_are_near_and_others_are_not() -> None:
    given = pixels(40, size=64)
    looks = appearance(given)
    for other in (
        np.stack([saved_again(picture, 60) for picture in given]),
        (given * 0.8).astype(np.uint8),
    ):
        assert np.linalg.norm(looks - appearance(other), axis=1).max() < NEAR
    apart = np.linalg.norm(looks[:, None] - looks[None], axis=2)
    assert apart[~np.eye(40, dtype=bool)].min() > NEAR


def test_groups_of_copies() -> None:
    given = pixels(12)
    files = np.concatenate([given, given[[2]], given[[2]], [saved_again(given[5], 80)]])
    content = np.array([*(f"file{n}" for n in range(12)), "file2", "another spelling of 2", "5 again"])
    groups = copies(content, appearance(files))
    assert [group.rows for group in groups] == [(2, 12, 13), (5, 14)]
    assert groups[0].difference == 0
    assert not groups[0].same_bytes
    assert 0 < groups[1].difference < NEAR
    only_bytes = copies(content[:13], appearance(files[:13]))
    assert [(group.rows, group.same_bytes) for group in only_bytes] == [((2, 12), True)]


def test_a_chain_of_copies_hangs_together() -> None:
    looks = np.zeros((6, 4), dtype=np.float32)
    looks[:, 0] = [0.0, 0.08, 0.16, 0.5, 0.55, 1.0]
    groups = copies(np.array(list("abcdef")), looks)
    assert [group.rows for group in groups] == [(0, 1, 2), (3, 4)]
    assert groups[0].difference == pytest.approx(0.08)
    assert groups[1].difference == pytest.approx(0.05)


def test_groups_equal_connected_components() -> None:
    from sklearn.cluster import DBSCAN

    rng = np.random.default_rng(3)
    looks = rng.uniform(0, 1, (150, 2)).astype(np.float32)
    expected = DBSCAN(eps=0.03, min_samples=1).fit_predict(looks.astype(np.float64))
    groups = copies(np.arange(150), looks, near=0.03)
    found = {group.rows for group in groups}
    wanted = {tuple(np.flatnonzero(expected == one).tolist()) for one in range(expected.max() + 1)}
    assert found == {rows for rows in wanted if len(rows) > 1}
    assert found


def test_lengths_must_fit() -> None:
    with pytest.raises(DoppelgramError, match="3 content hashes but 2 pictures"):
        copies(np.array(["a", "b", "c"]), np.zeros((2, 4), np.float32))
