from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness

from doppelgram.errors import DoppelgramError
from doppelgram.maps import tsne
from doppelgram.maps.components import principal_components
from doppelgram.maps.projection import Projection, project


def clusters(n: int = 90, dim: int = 12, classes: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Well separated clusters and their numbers."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % classes
    x = rng.normal(size=(classes, dim))[y] * 3 + rng.normal(size=(n, dim)) * 0.3
    return x.astype(np.float32), y


@pytest.fixture(scope="module")
def fitted() -> Projection:
    return project(clusters()[0], "tsne", seed=3)


@given(st.integers(3, 40), st.integers(2, 20), st.integers(0, 100))
@settings(max_examples=30, deadline=None)
def test_components_are_scikit_learns(n: int, dim: int, seed: int) -> None:
    x = np.random.default_rng(seed).normal(size=(n, dim)) * np.arange(1, dim + 1)
    ours, theirs = principal_components(x), PCA(2, svd_solver="full").fit(x)
    np.testing.assert_allclose(ours.shares, theirs.explained_variance_ratio_, atol=1e-9)
    signs = np.sign((ours.axes * theirs.components_).sum(axis=1))
    np.testing.assert_allclose(ours.place(x), theirs.transform(x) * signs, atol=1e-6)
    assert (ours.axes[np.arange(2), np.abs(ours.axes).argmax(axis=1)] > 0).all()


def test_what_lies_on_a_line_has_one_component() -> None:
    x = np.outer(np.arange(5.0), np.ones(4))
    found = principal_components(x)
    np.testing.assert_allclose(found.shares, [1, 0], atol=1e-12)
    np.testing.assert_allclose(found.place(x)[:, 1], 0)
    assert np.isfinite(project(np.ones((5, 3)), "pca").points).all()
    assert project(np.arange(4.0)[:, None], "pca").points.shape == (4, 2)


def test_neighbours_stay_neighbours(fitted: Projection) -> None:
    x, y = clusters()
    assert fitted.points.shape == (90, 2)
    assert fitted.points.dtype == np.float64
    distances = np.linalg.norm(fitted.points[:, None] - fitted.points[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (y[distances.argmin(axis=1)] == y).all()
    assert trustworthiness(x, fitted.points, n_neighbors=10) > 0.9


def test_the_same_seed_gives_the_same_map(fitted: Projection) -> None:
    x, _ = clusters()
    np.testing.assert_array_equal(project(x, "tsne", seed=3).points, fitted.points)
    assert not np.array_equal(project(x, "tsne", seed=4).points, fitted.points)


def test_images_are_placed_without_moving_others(fitted: Projection) -> None:
    x, y = clusters()
    new, kinds = clusters(30, seed=0)
    new += np.random.default_rng(5).normal(size=new.shape).astype(np.float32) * 0.05
    before = fitted.points.copy()
    placed = fitted.place(new)
    np.testing.assert_array_equal(fitted.points, before)
    nearest = np.linalg.norm(placed[:, None] - fitted.points[None], axis=2).argmin(axis=1)
    assert (y[nearest] == kinds).all()
    # Known images come to lie where they are, in terms of the whole map.
    gone = np.linalg.norm(fitted.place(x) - before, axis=1)
    assert np.median(gone) < 0.05 * np.ptp(before)
    assert len(fitted.place(np.empty((0, 12), np.float32))) == 0


def test_where_an_image_is_placed_does_not_depend_on_the_others(fitted: Projection) -> None:
    new, _ = clusters(12, seed=7)
    np.testing.assert_allclose(fitted.place(new)[:4], fitted.place(new[:4]), atol=1e-9)


def test_interpolated_forces_make_as_good_a_map(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tsne, "_INTERPOLATE_FROM", 0)
    monkeypatch.setattr(tsne, "_INTERPOLATE_SPREAD_FROM", 0)
    monkeypatch.setattr(tsne, "_STEPS", (40, 20))
    monkeypatch.setattr(tsne, "_PLACE_STEPS", 20)
    x, y = clusters(60)
    found = project(x, "tsne")
    np.testing.assert_array_equal(project(x, "tsne").points, found.points)
    before = found.points.copy()
    placed = found.place(x[:20])
    np.testing.assert_array_equal(found.points, before)
    assert (y[np.linalg.norm(placed[:, None] - before[None], axis=2).argmin(axis=1)] == y[:20]).all()


@pytest.mark.parametrize("n", [3, 4, 5, 7])
def test_few_images_make_the_perplexity_smaller(n: int) -> None:
    found = project(np.random.default_rng(0).normal(size=(n, 4)), "tsne", perplexity=50)
    assert np.isfinite(found.points).all()
    assert found.perplexity == max((n - 1) / 3, 1.5)
    assert np.isfinite(found.place(np.zeros((2, 4)))).all()


def test_equal_images_do_not_break_a_map() -> None:
    found = project(np.ones((20, 4)), "tsne")
    assert np.isfinite(found.points).all()
    assert np.isfinite(found.place(np.ones((1, 4)))).all()


@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_a_saved_map_places_as_before(method: str, tmp_path: Path, fitted: Projection) -> None:
    found = fitted if method == "tsne" else project(clusters()[0], "pca", seed=9)
    loaded = Projection.load(found.save(tmp_path / "deep" / "map.npz"))
    assert (loaded.method, loaded.perplexity, loaded.seed, loaded.about) == (
        found.method,
        found.perplexity,
        found.seed,
        found.about,
    )
    np.testing.assert_array_equal(loaded.points, found.points)
    new, _ = clusters(9, seed=8)
    np.testing.assert_array_equal(loaded.place(new), found.place(new))
    assert [file.name for file in (tmp_path / "deep").iterdir()] == ["map.npz"]


def test_pca_places_by_its_own_components() -> None:
    x, _ = clusters()
    found = project(x, "pca")
    np.testing.assert_allclose(found.place(x), found.points)
    assert "variance" in found.about


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((np.zeros((2, 4)), "pca"), "2 images"),
        ((np.zeros((1, 4)), "pca"), "1 image "),
        ((np.zeros((0, 4)), "tsne"), "no images"),
        ((np.zeros((5, 4)), "umap"), "umap"),
        ((np.full((5, 4), np.nan), "pca"), "row 0"),
    ],
)
def test_what_cannot_be_mapped_is_said(arguments: tuple[np.ndarray, str], said: str) -> None:
    with pytest.raises(DoppelgramError, match=said):
        project(*arguments)


@pytest.mark.parametrize("perplexity", [0.5, -1, float("nan"), float("inf")])
def test_a_perplexity_that_is_none(perplexity: float) -> None:
    with pytest.raises(DoppelgramError, match="--perplexity"):
        project(np.zeros((5, 4)), "tsne", perplexity=perplexity)


def test_other_dimensions_are_refused(fitted: Projection) -> None:
    with pytest.raises(DoppelgramError, match="12 dimensions, not 5"):
        fitted.place(np.zeros((2, 5)))


def test_what_is_no_saved_map(tmp_path: Path, fitted: Projection) -> None:
    whole = fitted.save(tmp_path / "map.npz").read_bytes()
    arrays = fitted.to_arrays()
    np.savez(tmp_path / "other.npz", vectors=np.zeros(3))
    np.savez(tmp_path / "short.npz", **{**arrays, "points": arrays["points"][:5]})
    np.savez(tmp_path / "objects.npz", **{**arrays, "points": np.array([{}, 1], dtype=object)}, allow_pickle=True)
    (tmp_path / "text.npz").write_text("no map")
    (tmp_path / "empty.npz").touch()
    (tmp_path / "cut.npz").write_bytes(whole[: len(whole) // 2])
    for name in ("other", "short", "objects", "text", "empty", "cut"):
        with pytest.raises(DoppelgramError, match=r"is not a saved map"):
            Projection.load(tmp_path / f"{name}.npz")
    with pytest.raises(DoppelgramError, match="no such saved map"):
        Projection.load(tmp_path / "nowhere.npz")


def test_neighbours_of_many_images_are_approximated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tsne, "_EXACT_UP_TO", 10)
    x, y = clusters(60)
    found = project(x, "tsne")
    distances = np.linalg.norm(found.points[:, None] - found.points[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (y[distances.argmin(axis=1)] == y).all()
    np.testing.assert_array_equal(project(x, "tsne").points, found.points)
