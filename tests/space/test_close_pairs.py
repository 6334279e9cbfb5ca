"""Pairs within a distance, beside a comparison of all with all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doppelgram.space import close_pairs as module
from doppelgram.space.close_pairs import close_pairs


def _found(vectors: np.ndarray, distance: float) -> set[tuple[int, int]]:
    parts = list(close_pairs(vectors, distance))
    pairs = [(min(a, b), max(a, b)) for part in parts for a, b in zip(part.left, part.right, strict=True)]
    for part in parts:
        exact = np.linalg.norm(vectors[part.left].astype(float) - vectors[part.right], axis=1)
        np.testing.assert_allclose(part.distance, exact, rtol=1e-9, atol=1e-12)
    return {(int(a), int(b)) for a, b in pairs}


def _all_pairs(vectors: np.ndarray, distance: float) -> set[tuple[int, int]]:
    wide = vectors.astype(np.float64)
    return {
        (i, i + 1 + int(j))
        for i in range(len(wide))
        for j in np.flatnonzero(np.sqrt(((wide[i + 1 :] - wide[i]) ** 2).sum(1)) <= distance)
    }


@pytest.mark.parametrize("distance", [0.0, 0.05, 0.3, 1.0, 50.0])
@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_all_pairs_are_found(distance: float, offset: float) -> None:
    rng = np.random.default_rng(3)
    centres = rng.standard_normal((20, 16))
    vectors = centres[rng.integers(0, 20, 900)] + 0.5 * rng.standard_normal((900, 16))
    vectors[600:] = vectors[:300] + rng.choice([0, 0.001, 0.01, 0.1], (300, 1)) * rng.standard_normal((300, 16))
    vectors = (vectors + offset).astype(np.float32)
    assert _found(vectors, distance) == _all_pairs(vectors, distance)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(2, 60),
    st.integers(1, 4),
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.0, 0.5, 1.0, 2.0]),
)
def test_points_on_a_grid_lie_on_every_border(n: int, dim: int, seed: int, distance: float) -> None:
    vectors = np.random.default_rng(seed).integers(-2, 3, (n, dim)).astype(np.float32)
    assert _found(vectors, distance) == _all_pairs(vectors, distance)


def test_equal_vectors_small_blocks_and_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BLOCK", 64)
    monkeypatch.setattr(module, "_CENTRES_AT_ONCE", 2)
    steps: list[int] = []
    vectors = np.repeat(np.eye(3, dtype=np.float32), 10, axis=0)
    pairs = {
        (min(a, b), max(a, b))
        for part in close_pairs(vectors, 0.1, advance=steps.append)
        for a, b in zip(part.left.tolist(), part.right.tolist(), strict=True)
    }
    assert len(pairs) == 3 * 45
    assert sum(steps) == 30
    assert list(close_pairs(vectors[:1], 1.0)) == []
    assert _found(np.zeros((4, 2), dtype=np.float32), 0.0) == _all_pairs(np.zeros((4, 2)), 0.0)


def test_long_vectors_lose_no_pair_by_being_shortened() -> None:
    rng = np.random.default_rng(5)
    vectors = rng.standard_normal((500, 200)).astype(np.float32)
    vectors[250:] = vectors[:250] + rng.choice([0.001, 0.05, 0.1], (250, 1)) * rng.standard_normal((250, 200))
    for distance in (0.5, 1.45, 18.0):
        assert _found(vectors, distance) == _all_pairs(vectors, distance)
