"""Places averaged with their neighbours: what the formula says, on the scale of distances from before."""

from dataclasses import replace

import numpy as np
import pytest

from doppelgram.rolemodels import averaging
from doppelgram.rolemodels.averaging import averaged_places, neighbours_of
from doppelgram.rolemodels.scoring import Float32
from doppelgram.space.arrangement import ArrangementSpace
from helpers.made_up_posts import SPACE

DIM = 24


@pytest.fixture
def space() -> ArrangementSpace:
    offset = tuple(np.full(DIM, 0.02).tolist())
    return replace(SPACE, place_dim=DIM, offset=offset)


def some_vectors(n: int, space: ArrangementSpace, seed: int = 0) -> tuple[Float32, np.ndarray]:
    """Noisy views of ten places, and which place each is of."""
    rng = np.random.default_rng(seed)
    place = rng.integers(0, 10, n)
    vectors = rng.normal(size=(n, space.dim)).astype(np.float32)
    vectors[:, :DIM] = rng.normal(size=(10, DIM))[place] + 1.5 * rng.normal(size=(n, DIM))
    return vectors, place


def test_against_a_loop(space: ArrangementSpace):
    """Each place is the mean of itself and its nearest, weighed by the squared cosine, again and again."""
    vectors, _ = some_vectors(300, space)
    few = neighbours_of(300, space)
    assert few == 6
    expected = space.split(vectors)[0].astype(np.float64)
    for _ in range(averaging.ROUNDS):
        before = expected.copy()
        for row in range(len(before)):
            cosine = before @ before[row]
            near = np.argsort(-cosine)[: few + 1]
            expected[row] = (np.maximum(cosine[near], 0) ** 2) @ before[near]
            expected[row] /= np.linalg.norm(expected[row])
    found, after = averaged_places(vectors, space, exact=True, seed=0)
    np.testing.assert_allclose(found[:, :DIM], expected, atol=1e-5)
    np.testing.assert_array_equal(found[:, DIM:], vectors[:, DIM:])
    assert not after.offset


def test_tells_places_better_and_keeps_the_scale(space: ArrangementSpace):
    """Pairs of one place stand out more; the mean log-odds of any pair stay about what they were."""
    vectors, place = some_vectors(600, space)
    found, after = averaged_places(vectors, space, exact=True, seed=0)
    left, right = np.triu_indices(600, 1)
    same = place[left] == place[right]

    def odds(table: Float32, of: ArrangementSpace) -> np.ndarray:
        return of.calibration.place.log_odds(of.part_distances(table[left], table[right])[0])

    before, now = odds(vectors, space), odds(found, after)
    assert now[same].mean() - now[~same].mean() > before[same].mean() - before[~same].mean()
    assert abs(now.mean() - before.mean()) < 0.1 * before.std()
    assert abs(now.std() / before.std() - 1) < 0.05


def test_cells_find_nearly_the_same(space: ArrangementSpace):
    vectors, _ = some_vectors(1200, space)
    exact = averaged_places(vectors, space, exact=True, seed=0)[0][:, :DIM]
    cells = averaged_places(vectors, space, exact=False, seed=0)[0][:, :DIM]
    assert np.einsum("nd,nd->n", exact, cells).mean() > 0.95


@pytest.mark.parametrize("n", [0, 1, 49])
def test_few_posts_stay_as_they_are(space: ArrangementSpace, n: int):
    vectors, _ = some_vectors(n, space)
    assert averaged_places(vectors, space, exact=True, seed=0)[0] is vectors


def test_trained_places_stay_as_they_are():
    """A space without an offset was trained on such places, and says more than a mean does."""
    vectors = np.zeros((500, SPACE.dim), dtype=np.float32)
    assert averaged_places(vectors, SPACE, exact=True, seed=0)[0] is vectors


def test_copies_of_one_place(space: ArrangementSpace):
    """Where nothing differs nothing is stretched to infinity."""
    vectors = np.ones((200, space.dim), dtype=np.float32)
    found, after = averaged_places(vectors, space, exact=True, seed=0)
    assert np.isfinite(found).all()
    assert np.isfinite(after.calibration.place.slope)
