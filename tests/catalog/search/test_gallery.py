"""Rows of a catalog in memory: their order, and looking them up by file."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from doppelgram.catalog.search.gallery import Gallery, order_of


def _ids(n: int, seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    # Few different beginnings, so that what follows decides; some files have several faces.
    starts = [rng.bytes(4).hex() for _ in range(max(2, n // 5))]
    digests = [starts[rng.integers(len(starts))] + rng.bytes(28).hex() for _ in range(n)]
    faces = [f"{digest}#{face}" for digest in digests[: n // 4] for face in (2, 3, 10)]
    return list(rng.permutation([*digests, *faces]))


@pytest.mark.parametrize("n", [1, 2, 40, 3000])
def test_ids_are_ordered_as_text_is(n: int) -> None:
    ids = _ids(n)
    chunked = pa.chunked_array([ids[: n // 2], [], ids[n // 2 :]], type=pa.string())
    assert [ids[row] for row in order_of(chunked)] == sorted(ids)
    # A slice has an offset into a longer buffer.
    part = chunked.slice(n // 3)
    assert [ids[n // 3 :][row] for row in order_of(part)] == sorted(ids[n // 3 :])


def test_rows_vectors_and_names_belong_together() -> None:
    ids = _ids(400, 1)
    vectors = np.random.default_rng(2).standard_normal((len(ids), 3)).astype(np.float32)
    table = pa.table(
        {
            "id": ids,
            "label": ["" for _ in ids],
            "vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), 3),
        }
    )
    chunked = pa.concat_tables([table.slice(0, 7), table.slice(7, 100), table.slice(107)])
    gallery = Gallery(chunked, 3)
    assert gallery.ids == sorted(ids)
    assert not gallery.labelled
    for position in range(0, len(ids), 17):
        one = gallery.row(position)
        assert one["id"] == gallery.ids[position]
        np.testing.assert_array_equal(gallery.vectors[position], vectors[ids.index(one["id"])])
    for digest in {one.partition("#")[0] for one in ids[:60]}:
        expected = [row for row, one in enumerate(gallery.ids) if one.partition("#")[0] == digest]
        assert list(gallery.rows_named(digest)) == expected
    assert gallery.rows_named("f" * 64) == gallery.rows_named("0" * 64) == []
    some = set(ids[::3])
    assert gallery.among(some).tolist() == [one in some for one in gallery.ids]
