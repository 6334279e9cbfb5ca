import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doppelgram.errors import DoppelgramError
from doppelgram.space import exact
from doppelgram.space.euclidean import EuclideanSpace
from doppelgram.space.exact import block_rows, pair_distances, smallest_columns


def nearest(queries, gallery, k, query_ids=None, gallery_ids=None):
    """Distances and rows by one search of a gallery."""
    index = EuclideanSpace(np.shape(gallery)[-1]).index(gallery, gallery_ids)
    found = index.nearest(queries, k, query_ids=query_ids)
    return found.distances, found.positions


def naive(queries, gallery, k, query_ids=None, gallery_ids=None):
    """One pair at a time, in float64; ordered by the float32 distance and then by row."""
    distances = np.full((len(queries), k), np.inf, dtype=np.float32)
    indices = np.full((len(queries), k), -1, dtype=np.int64)
    for i, query in enumerate(queries):
        found = []
        for j, image in enumerate(gallery):
            if query_ids is not None and query_ids[i] == gallery_ids[j]:
                continue
            difference = query.astype(np.float64) - image.astype(np.float64)
            found.append((np.float32(np.sqrt(np.dot(difference, difference))), j))
        for place, (distance, j) in enumerate(sorted(found)[:k]):
            distances[i, place], indices[i, place] = distance, j
    return distances, indices


@pytest.mark.parametrize("block", [None, 1, 7])
@pytest.mark.parametrize("k", [1, 5, 60, 75])
def test_equals_a_naive_loop(k, block, monkeypatch):
    if block:
        monkeypatch.setattr(exact, "BLOCK_ELEMENTS", 60 * block)
    rng = np.random.default_rng(k)
    queries, gallery = (rng.normal(size=(n, 6)).astype(np.float32) for n in (20, 60))
    distances, indices = nearest(queries, gallery, k)
    expected_distances, expected_indices = naive(queries, gallery, k)
    assert distances.dtype == np.float32
    assert indices.dtype == np.int64
    np.testing.assert_array_equal(indices, expected_indices)
    np.testing.assert_allclose(distances, expected_distances, rtol=1e-6)


@given(
    st.integers(1, 12),
    st.integers(1, 40),
    st.integers(1, 3),
    st.integers(1, 45),
    st.integers(0, 2**32 - 1),
    st.booleans(),
)
@settings(max_examples=80, deadline=None)
def test_ties_go_to_the_lower_row_on_integer_grids(q, n, d, k, seed, with_ids):
    rng = np.random.default_rng(seed)
    queries, gallery = (rng.integers(-1, 2, size=(m, d)).astype(np.float32) for m in (q, n))
    ids = ([f"i{i}" for i in rng.integers(0, 9, q)], [f"i{i}" for i in rng.integers(0, 9, n)]) if with_ids else ()
    distances, indices = nearest(queries, gallery, k, **dict(zip(("query_ids", "gallery_ids"), ids, strict=False)))
    expected = naive(queries, gallery, k, *ids)
    np.testing.assert_array_equal(indices, expected[1])
    np.testing.assert_array_equal(distances, expected[0])


def test_large_galleries_with_many_duplicates_take_the_lowest_rows():
    rng = np.random.default_rng(0)
    originals = rng.normal(size=(150, 16)).astype(np.float32)
    copies = rng.integers(0, 150, 6000)
    distances, indices = nearest(originals[:9], originals[copies], 10)
    for row in range(9):
        np.testing.assert_array_equal(indices[row], np.flatnonzero(copies == row)[:10])
        assert (distances[row] == 0).all()


def test_neighbours_closer_together_than_float32_products_resolve_are_ordered_rightly():
    # Far from the origin |b|^2 - 2ab loses every digit that matters here.
    rng = np.random.default_rng(1)
    gallery = (1000 + 0.01 * rng.normal(size=(5000, 32))).astype(np.float32)
    queries = gallery[:6]
    distances, indices = nearest(queries, gallery, 7)
    expected = np.sqrt(((queries[:, None].astype(np.float64) - gallery) ** 2).sum(axis=2)).astype(np.float32)
    order = np.argsort(expected, axis=1, kind="stable")[:, :7]
    np.testing.assert_array_equal(indices, order)
    np.testing.assert_allclose(distances, np.take_along_axis(expected, order, axis=1), rtol=1e-6)


def test_a_collapsed_embedding_still_gets_its_answer():
    gallery = np.full((3000, 4), 0.3, dtype=np.float32)
    distances, indices = nearest(gallery[:2], gallery, 5)
    np.testing.assert_array_equal(indices, [[0, 1, 2, 3, 4]] * 2)
    assert (distances == 0).all()


def test_every_copy_under_the_query_s_id_is_left_out_and_the_rest_padded():
    gallery = np.arange(4, dtype=np.float32)[:, None]
    distances, indices = nearest(
        gallery[:2], gallery, 3, query_ids=np.array(["a", "z"]), gallery_ids=["a", "b", "a", "a"]
    )
    np.testing.assert_array_equal(indices, [[1, -1, -1], [1, 0, 2]])
    np.testing.assert_array_equal(distances, np.array([[1, np.inf, np.inf], [0, 1, 1]], dtype=np.float32))


def test_empty_sides_give_empty_or_padded_answers():
    some, none = np.zeros((2, 3), dtype=np.float32), np.zeros((0, 3), dtype=np.float32)
    assert nearest(none, some, 4)[1].shape == (0, 4)
    assert (nearest(some, none, 4)[1] == -1).all()


def test_a_prepared_gallery_answers_again_and_again():
    rng = np.random.default_rng(2)
    gallery = rng.normal(size=(50, 5)).astype(np.float32)
    index = EuclideanSpace(5).index(gallery, [str(i) for i in range(50)])
    for row in (3, 7):
        indices, distances, *_ = index.nearest(gallery[row : row + 1], 4, query_ids=[str(row)])
        expected = nearest(gallery[row : row + 1], gallery, 5)
        np.testing.assert_array_equal(indices[0], expected[1][0, 1:])
        np.testing.assert_array_equal(distances[0], expected[0][0, 1:])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("side", ["queries", "gallery"])
def test_nan_and_infinity_are_refused_with_their_row(value, side):
    sides = {"queries": np.zeros((3, 2), np.float32), "gallery": np.zeros((3, 2), np.float32)}
    sides[side][1, 0] = value
    with pytest.raises(DoppelgramError, match=f"{side}.*row 1"):
        nearest(sides["queries"], sides["gallery"], 1)


def test_mistakes_of_use_are_named():
    two, three = np.zeros((4, 2), np.float32), np.zeros((4, 3), np.float32)
    with pytest.raises(DoppelgramError, match="same model"):
        nearest(two, three, 1)
    with pytest.raises(DoppelgramError, match="k is 0"):
        nearest(two, two, 0)
    with pytest.raises(DoppelgramError, match="gallery_ids"):
        nearest(two, two, 1, query_ids=list("abcd"))
    with pytest.raises(DoppelgramError, match="3 ids"):
        nearest(two, two, 1, query_ids=list("abcd"), gallery_ids=list("abc"))
    with pytest.raises(DoppelgramError, match="shape"):
        nearest(two[0], two, 1)
    with pytest.raises(DoppelgramError, match="table of numbers"):
        nearest([["a"]], two, 1)
    with pytest.raises(DoppelgramError, match="block is 0"):
        block_rows(4, 0)


@given(st.integers(1, 4), st.integers(1, 6000), st.integers(0, 2**32 - 1), st.sampled_from([1, 2, 40, 10**6]))
@settings(max_examples=60, deadline=None)
def test_smallest_columns_is_a_stable_sort(rows, n, seed, levels):
    rng = np.random.default_rng(seed)
    keys = rng.integers(0, levels, size=(rows, n)).astype(np.float32)
    keys[rng.random(keys.shape) < 0.1] = np.inf
    k = int(rng.integers(1, n + 1)) if seed % 2 else min(n, 20)
    np.testing.assert_array_equal(smallest_columns(keys, k), np.argsort(keys, axis=1, kind="stable")[:, :k])


def test_pair_distances_of_duplicates_are_exactly_equal_wherever_they_stand():
    rng = np.random.default_rng(3)
    a, b = (rng.normal(size=(5, 67)).astype(np.float32) for _ in range(2))
    left, right = rng.integers(0, 5, 4001), rng.integers(0, 5, 4001)
    spread_a, spread_b = a[left], b[right]
    rows = np.arange(4001)
    distances = pair_distances(spread_a, spread_b, rows, rows)
    for i in range(5):
        for j in range(5):
            assert len(set(distances[(left == i) & (right == j)].tolist())) == 1
    np.testing.assert_allclose(distances, np.linalg.norm(spread_a - spread_b, axis=1), rtol=1e-5)
    assert (pair_distances(a, a, np.arange(5), np.arange(5)) == 0).all()
