import numpy as np
import pytest

from doppelgram.errors import DoppelgramError
from doppelgram.space.background import background
from doppelgram.space.euclidean import EuclideanSpace


def test_of_few_images_every_pair_counts():
    vectors = np.array([[0, 0], [1, 0], [0, 3]], dtype=np.float32)
    found = background(EuclideanSpace(2), vectors)
    np.testing.assert_allclose(found.distances, [1, 3, np.sqrt(10)], rtol=1e-6)
    np.testing.assert_allclose(found.rate([0.5, 1, 5]), [1 / 4, 2 / 4, 1])
    assert found.distance(1.0) == pytest.approx(np.sqrt(10))
    assert found.distance(0.1) is None
    with pytest.raises(DoppelgramError, match="two images"):
        background(EuclideanSpace(2), vectors[:1])


def test_of_many_images_a_draw_comes_close():
    vectors = np.random.default_rng(0).normal(size=(400, 3)).astype(np.float32)
    every, some = (background(EuclideanSpace(3), vectors, pairs=pairs) for pairs in (10**6, 20_000))
    assert len(every.distances) == 400 * 399 / 2
    assert len(some.distances) == 20_000
    for rate in (0.1, 0.01):
        assert some.distance(rate) == pytest.approx(every.distance(rate), rel=0.1)
