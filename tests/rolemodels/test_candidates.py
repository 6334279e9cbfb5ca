"""The search for pairs: exact where it says so, and nearly so beyond."""

import numpy as np
import pytest

from doppelgram.rolemodels import candidates
from doppelgram.rolemodels.candidates import find_pairs, make_cells
from doppelgram.rolemodels.scoring import JointScorer, PlaceScorer, logit
from doppelgram.rolemodels.validation.simulate import WorldSettings, simulate
from helpers.made_up_posts import SPACE, vectors


@pytest.fixture(scope="module")
def scorer() -> JointScorer:
    world = simulate(WorldSettings(posts=1500, places=20), seed=1)
    return JointScorer(world.vectors, world.space, logit(0.75))


def test_blocks_agree_with_the_space(scorer: JointScorer):
    """Log-odds of blocks are those of ArrangementSpace up to rounding, two people and bare places included."""
    rng = np.random.default_rng(0)
    two = vectors([(0, 0)] * 12)
    both = np.concatenate([two, rng.permutation(two[:, 6:], axis=1)], axis=1)
    both[::4, 12:] = 0
    both[::6, 6:] = 0
    space = type(SPACE)(6, 6, 2, SPACE.calibration)
    for one in (scorer, JointScorer(both, space, 0.0)):
        rows = rng.integers(0, len(one.place), 20)
        columns = rng.integers(0, len(one.place), 30)
        block = one.block(rows, columns)
        a, b = np.repeat(rows, 30), np.tile(columns, 20)
        apart = a != b
        expected = one.pairs(a, b)
        np.testing.assert_allclose(block.ravel()[apart], expected[apart], atol=0.05)


def test_exact_pairs_are_all_pairs(scorer: JointScorer):
    """Without a limit, the pairs are exactly those that reach the floor."""
    found = find_pairs(scorer, logit(0.75), neighbours=10_000, exact=True, seed=0)
    n = len(scorer.place)
    odds = scorer.block(np.arange(n), np.arange(n))
    expected = np.argwhere(np.triu(odds >= logit(0.75), 1))
    assert found.exact
    assert found.capped == 0
    assert (found.left < found.right).all()
    # Blocks of another shape round differently, so that a pair at the very floor may differ.
    differing = set(zip(*expected.T.tolist(), strict=True)) ^ set(
        zip(found.left.tolist(), found.right.tolist(), strict=True)
    )
    assert all(abs(odds[a, b] - logit(0.75)) < 1e-2 for a, b in differing)


def test_recall_of_the_cells(monkeypatch: pytest.MonkeyPatch):
    """Of the pairs truly of one arrangement that all comparisons find, cells find 99 %; of chance likenesses, most."""
    monkeypatch.setattr(candidates, "CELL", 64)
    world = simulate(WorldSettings(posts=3000, places=40), seed=1)
    scorer = JointScorer(world.vectors, world.space, logit(0.75))
    exact = find_pairs(scorer, logit(0.75), neighbours=64, exact=True, seed=0)
    cells = find_pairs(scorer, logit(0.75), neighbours=64, exact=False, seed=0)
    assert exact.exact
    assert not cells.exact
    n = len(scorer.place)
    found = np.isin(exact.left * n + exact.right, cells.left * n + cells.right)
    true = world.arrangement[exact.left] == world.arrangement[exact.right]
    assert true.sum() > 10_000
    assert found[true].mean() > 0.99
    assert found.mean() > 0.9
    assert scorer.pairs(cells.left, cells.right).min() >= logit(0.75) - 0.05


def test_only_the_best_are_kept():
    """Of more matches than are kept the closest remain, and the count says how many posts were cut."""
    many = vectors([(0, 0)] * 50, noise=0.1)
    scorer = JointScorer(many, SPACE, 0.0)
    found = find_pairs(scorer, 0.0, neighbours=3, exact=True, seed=0)
    odds = scorer.block(np.arange(50), np.arange(50))
    np.fill_diagonal(odds, -np.inf)
    third = np.sort(odds, axis=1)[:, -3]
    kept = np.zeros((50, 50), dtype=bool)
    kept[found.left, found.right] = kept[found.right, found.left] = True
    # Either post may be the one that keeps the pair; next to the third best, chance may decide.
    assert kept[odds > third[:, None] + 0.02].all()
    assert not kept[odds < np.minimum(third[:, None], third) - 0.02].any()
    assert found.capped == 50


def test_equals_share_their_places():
    """Of a thousand posts all the same, no few are everybody's matches."""
    scorer = JointScorer(vectors([(0, 0)] * 1000), SPACE, 0.0)
    found = find_pairs(scorer, 0.0, neighbours=5, exact=True, seed=0)
    degree = np.bincount(np.concatenate([found.left, found.right]), minlength=1000)
    assert degree.min() >= 5
    assert degree.max() < 40


def test_cells_are_not_too_large():
    """A thousand posts of the very same place are cut into cells of bounded size."""
    rng = np.random.default_rng(0)
    same = np.zeros((3000, 8), dtype=np.float32)
    same[:, 0] = 1
    same[2000:] += rng.normal(size=(1000, 8)).astype(np.float32)
    cells, centres = make_cells(same, 12, seed=0)
    assert np.bincount(cells).max() <= 4 * 3000 // 12
    assert cells.max() < len(centres)


def test_places_need_no_pose():
    """The scorer of places looks at places only."""
    some = vectors([(0, 0), (0, 3), (0, None), (1, 0)])
    found = find_pairs(PlaceScorer(some, SPACE, 0.0), 0.0, neighbours=8, exact=True, seed=0)
    assert list(zip(found.left.tolist(), found.right.tolist(), strict=True)) == [(0, 1), (0, 2), (1, 2)]
