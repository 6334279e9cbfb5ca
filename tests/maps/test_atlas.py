from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from doppelgram.errors import DoppelgramError
from doppelgram.maps.atlas import Images, Map, make_map
from doppelgram.maps.projection import Projection


def test_a_saved_map_is_the_same_map(make_images: Callable[..., Images], tmp_path: Path) -> None:
    found = make_map(make_images(40), "pca", seed=2, fingerprint="abc")
    loaded = Map.load(found.save(tmp_path / "map.npz"))
    np.testing.assert_array_equal(loaded.points, found.points)
    np.testing.assert_array_equal(loaded.images.vectors, found.images.vectors)
    assert loaded.images.labels.tolist() == found.images.labels.tolist()
    assert loaded.images.parts.tolist() == found.images.parts.tolist()
    assert (loaded.images.names, loaded.images.ids) == (found.images.names, found.images.ids)
    assert loaded.images.sheets == found.images.sheets
    assert (loaded.fingerprint, loaded.summary()) == ("abc", found.summary())
    assert Projection.load(tmp_path / "map.npz").method == "pca", "a map's file is a projection's file too"


def test_a_projection_alone_is_no_map(make_images: Callable[..., Images], tmp_path: Path) -> None:
    make_map(make_images(10), "pca").projection.save(tmp_path / "map.npz")
    with pytest.raises(DoppelgramError, match="is not a saved map"):
        Map.load(tmp_path / "map.npz")


@pytest.mark.parametrize("divided", [True, False])
def test_placed_images_are_a_part_of_their_own(make_images: Callable[..., Images], divided: bool) -> None:
    found = make_map(make_images(60, divided=divided), "pca")
    more = found.place(make_images(12, seed=1))
    np.testing.assert_array_equal(more.points[:60], found.points)
    np.testing.assert_allclose(more.points[60:], found.projection.place(make_images(12, seed=1).vectors))
    assert more.images.parts[60:].tolist() == ["new"] * 12
    assert more.images.sheets is not None
    assert more.images.sheets.count == 72
    # Their answers come from the map, not from one another.
    x, labels = more.images.vectors.astype(float), more.images.labels
    answers = np.flatnonzero(found.images.parts == ("train" if divided else ""))
    for row in range(60, 72):
        nearest = answers[np.linalg.norm(x[answers] - x[row], axis=1).argmin()]
        assert more.nearest.predicted[row] == labels[nearest]
    np.testing.assert_array_equal(more.nearest.wrong[:60], found.nearest.wrong)
    assert more.summary()["misclassified"]["new"]["n"] == 12


def test_images_that_do_not_belong_together(make_images: Callable[..., Images]) -> None:
    with pytest.raises(DoppelgramError, match="differ in length"):
        make_map(replace(make_images(6), names=["x"]), "pca")
