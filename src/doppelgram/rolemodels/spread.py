"""Does an arrangement spread faster, or in more orderly steps, than a shuffled clock explains? One test for each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from doppelgram.rolemodels.groups import members_of
from doppelgram.rolemodels.multiplicity import adaptive_q
from doppelgram.rolemodels.posts import DAY
from doppelgram.rolemodels.result import ALPHA
from doppelgram.rolemodels.scoring import Bool, Float64, Int64
from doppelgram.rolemodels.settings import TraceSettings
from doppelgram.space.parallel import in_parallel

# Authors that an arrangement needs to be tested: five posts have 120 orders. Of more than MOST a random part is taken.
LEAST, MOST = 5, 100
# All four were chosen on simulated worlds of other seeds than those of the benchmark.
CLOSENESS = 2.5  # how much likelier a post follows another for each standard deviation that the pose is closer
NOBODY = 0.1  # chance that a post follows nobody
START, STRAY = 0.5, 0.1  # weight of the late start, and the chance that the first post does not belong
# The decay is chosen among these, in days, under a broad log-normal prior, as `attribution.fitted_decay` has it.
_DECAYS, _USUAL, _BREADTH = np.geomspace(10.0, 1600.0, 8), 100.0, np.log(4)
# A test ends early once so many shuffles reached what was observed.
ENOUGH = 20
# Pairs of posts times shuffles that all tests may take together. Where all of them to the end would take more, each
# gets FIRST shuffles, and only those that these leave open get what remains, never fewer than FEWEST in all.
BUDGET, FIRST, FEWEST = 3e8, 499, 999
# After the first shuffles a test is over if its q-value is at most this part of ALPHA: see `p_values`.
CLEAR = 0.2
_BLOCK = 100_000


@dataclass(frozen=True)
class Spread:
    """The test of each arrangement; arrays (arrangements,).

    Attributes:
        p_value: how often a shuffled clock gives so orderly a spread; 1 where not tested.
        q_value: corrected for the number of tests, see `multiplicity.adaptive_q`; 1 where not tested.
        tested: whether it has enough authors.
        authors: dated posts that are the first of their authors in it; those are what is tested.
        draws: shuffles that the test took.
    """

    p_value: Float64
    q_value: Float64
    tested: Bool
    authors: Int64
    draws: Int64


@dataclass(frozen=True)
class Arrangement:
    """What one test needs.

    Attributes:
        time: (m,) days, one post an author.
        closeness: (m, m), how much likelier than usual the post of a column follows that of a row.
        pool: (n,) days, sorted: times that the shuffled clock deals out, those of the place.
    """

    time: Float64
    closeness: Float64
    pool: Float64


def spread(
    groups: Int64,
    time: Float64,
    author: Int64,
    place: Int64,
    pose_distance: Callable[[Int64, Int64], Float64],
    settings: TraceSettings,
) -> Spread:
    """Test every arrangement against clocks that are shuffled within its place.

    Only the first post of each author counts, so that people who repeat themselves speak once. If nobody follows
    anybody, which times of the place fall to the posts of an arrangement, and in which order, does not depend on the
    poses; so the statistic (`statistic`) under the clocks as they are is one more draw of it under shuffled clocks.
    The decay that it uses is chosen by all other arrangements, so that it does not depend on the times tested either.

    Args:
        groups: (n,) arrangement of each post, -1 for none.
        time: (n,) UTC seconds.
        author: (n,) number of the author.
        place: (n,) number of the place within which times are shuffled.
        pose_distance: distances between the poses of pairs of posts, (m,) from two arrays of positions (m,).
        settings: permutations, decay and seed.
    """
    count = int(groups.max(initial=-1)) + 1
    firsts = first_posts(groups, time, author)
    days = time / DAY
    inside = firsts[groups[firsts] >= 0]
    members = [inside[some] for some in members_of(groups[inside], count)] if count else []
    authors = np.array([len(some) for some in members], dtype=np.int64)
    rng = np.random.default_rng([settings.seed, 21])
    tested = np.flatnonzero(authors >= LEAST)
    at_place = [firsts[some] for some in members_of(place[firsts])] if len(firsts) else []
    worlds = []
    for k in tested.tolist():
        some = members[k]
        if len(some) > MOST:
            some = np.sort(rng.choice(some, MOST, replace=False))
        here = int(np.bincount(place[some]).argmax())
        pool = np.union1d(at_place[here], some)
        worlds.append(Arrangement(days[some], closeness(some, pose_distance), np.sort(days[pool])))
    p_value, draws = np.ones(count), np.zeros(count, dtype=np.int64)
    p_value[tested], draws[tested] = p_values(worlds, _decays(worlds, settings.decay_days), settings)
    q_value, mask = np.ones(count), authors >= LEAST
    q_value[mask] = adaptive_q(p_value[mask])
    return Spread(p_value, q_value, mask, authors, draws)


def first_posts(groups: Int64, time: Float64, author: Int64) -> Int64:
    """Positions of the first post of each author in each arrangement, and of all posts that are in none, sorted."""
    order = np.lexsort((time, author, groups))
    new = np.ones(len(order), dtype=bool)
    new[1:] = (np.diff(groups[order]) != 0) | (np.diff(author[order]) != 0) | (groups[order[1:]] < 0)
    return np.sort(order[new])


def closeness(posts: Int64, pose_distance: Callable[[Int64, Int64], Float64]) -> Float64:
    """``exp(CLOSENESS * z)``, z the standardised closeness of the poses of each pair, (m, m); 1 where all are equal.

    Only the pose speaks. How a place looks changes with season and weather, and posts of one week would look alike
    without anybody's following anybody.
    """
    m = len(posts)
    i, j = np.triu_indices(m, 1)
    near = -np.asarray(pose_distance(posts[i], posts[j]), dtype=np.float64)
    near = np.where(np.isnan(near), np.nanmean(near) if not np.isnan(near).all() else 0.0, near)
    sd = near.std()
    result = np.ones((m, m))
    if sd > 1e-9:
        result[i, j] = result[j, i] = np.exp(CLOSENESS * np.minimum((near - near.mean()) / sd, 6.0))
    return result


def statistic(world: Arrangement, time: Float64, decay: float) -> Float64:
    """Log-likelihood ratio of a spread against independent posts under each clock, (draws,).

    With x_j the mean closeness of post j to all earlier posts i, weighted by ``exp(-(t_j - t_i) / decay)``, and 1 for
    the first, the steps give ``sum_j log(NOBODY + (1 - NOBODY) x_j)``. Of the n posts of the place n_1 are not before
    the first and n_2 not before the second of the m posts; if the arrangement began with its first post, having all m
    of them there is (n / n_1)^(m-1) times likelier than by chance, and the start gives ``START`` times the logarithm of
    ``(1 - STRAY) (n / n_1)^(m-1) + STRAY (n / n_2)^(m-2)``.

    Args:
        world: the arrangement.
        time: (draws, m) days.
        decay: days.
    """
    m, n = time.shape[1], len(world.pool)
    decay = max(decay, float(np.ptp(world.pool)) / 600)  # or the exponential leaves the range of a float
    weight = np.exp((time - world.pool[-1]) / decay)[:, None, :]
    earlier = (time[:, :, None] < time[:, None, :]).astype(np.float64)
    total = (weight @ earlier)[:, 0]
    earlier *= world.closeness
    near = (weight @ earlier)[:, 0]
    mean = np.divide(near, total, out=np.ones_like(near), where=total > 0)
    steps = np.log(NOBODY + (1 - NOBODY) * mean).sum(axis=1)
    left = n - np.searchsorted(world.pool, np.partition(time, 1, axis=1)[:, :2])
    rarer = np.log(n / left)
    start = np.logaddexp(np.log(1 - STRAY) + (m - 1) * rarer[:, 0], np.log(STRAY) + (m - 2) * rarer[:, 1])
    return np.asarray(steps + START * start)


def shuffled(world: Arrangement, draws: int, rng: np.random.Generator) -> Float64:
    """Times for the posts drawn from the pool without replacement, (draws, m)."""
    m, n = len(world.time), len(world.pool)
    if m * m > 3 * n:
        return np.asarray(rng.permuted(np.tile(world.pool, (draws, 1)), axis=1)[:, :m])
    index = rng.integers(0, n, (draws, m))
    while True:
        order = np.sort(index, axis=1)
        again = np.flatnonzero((np.diff(order, axis=1) == 0).any(axis=1))
        if not len(again):
            return np.asarray(world.pool[index])
        index[again] = rng.integers(0, n, (len(again), m))


class Shuffling:
    """A test under way: shuffles of one arrangement's clock, as many as one asks for, each as good as any.

    Shuffles go on until ``ENOUGH`` of them give as much as was observed, at shuffle l say, and then p = ENOUGH / l
    (Besag and Clifford, Sequential Monte Carlo p-values, 1991); until that happens the observed clock counts as one of
    the draws (Phipson and Smyth 2010).

    Attributes:
        reached: shuffles that gave as much as was observed.
        draws: shuffles taken.
    """

    def __init__(self, world: Arrangement, decay: float, rng: np.random.Generator) -> None:
        self.world, self.decay, self._rng = world, decay, rng
        self.reached, self.draws = 0, 0
        self._observed = statistic(world, world.time[None], decay)[0]

    def shuffle(self, most: int) -> None:
        """Go on to ``most`` shuffles in all, or until enough of them reached what was observed."""
        block = max(1, min(most, _BLOCK // len(self.world.time) ** 2))
        while self.draws < most and self.reached < ENOUGH:
            some = min(block, most - self.draws)
            clocks = shuffled(self.world, some, self._rng)
            reached = np.cumsum(statistic(self.world, clocks, self.decay) >= self._observed - 1e-9)
            if self.reached + reached[-1] >= ENOUGH:
                some = int(np.searchsorted(reached, ENOUGH - self.reached)) + 1
            self.reached, self.draws = self.reached + int(reached[some - 1]), self.draws + some

    @property
    def p_value(self) -> float:
        """P-value by the shuffles so far."""
        return ENOUGH / self.draws if self.reached >= ENOUGH else (self.reached + 1) / (self.draws + 1)


def p_values(worlds: list[Arrangement], decays: Float64, settings: TraceSettings) -> tuple[Float64, Int64]:
    """P-value of each arrangement and the shuffles that it took, (worlds,) each.

    Each gets ``settings.permutations`` shuffles at most. Where all of them together would take more than `BUDGET`, each
    gets ``FIRST`` to begin with. Then those end whose q-value is ``CLEAR * ALPHA`` or less; the others share what is
    left of the budget. That is safe: with c the largest p-value that is clear, a true one above c / CLEAR is taken for
    clear with a chance of exp(-1 / CLEAR) at most, so the rate at ALPHA grows by a few thousandths of itself.
    """
    most = settings.permutations
    tests = [
        Shuffling(world, float(decay), np.random.default_rng([settings.seed, 22, number]))
        for number, (world, decay) in enumerate(zip(worlds, decays, strict=True))
    ]
    size = np.array([float(len(world.time)) ** 2 for world in worlds])
    still = np.arange(len(tests))
    if size.sum() * most > BUDGET and most > FIRST:
        in_parallel(lambda k: tests[k].shuffle(FIRST), still.tolist())
        clear = adaptive_q(np.array([one.p_value for one in tests])) <= CLEAR * ALPHA
        still = np.flatnonzero(~clear & np.array([one.reached < ENOUGH for one in tests]))
        left = (BUDGET - FIRST * size.sum()) / max(size[still].sum(), 1.0)
        most = int(np.clip(FIRST + left, min(FEWEST, most), most))
    in_parallel(lambda k: tests[k].shuffle(most), still.tolist())
    return np.array([one.p_value for one in tests]), np.array([one.draws for one in tests], dtype=np.int64)


def _decays(worlds: list[Arrangement], given: float | None) -> Float64:
    """The decay for each test, in days: the one given, or the best for all other arrangements together."""
    if given is not None or not worlds:
        return np.full(len(worlds), given or _USUAL)
    each = np.array([[statistic(world, world.time[None], days)[0] for days in _DECAYS] for world in worlds])
    prior = -0.5 * (np.log(_DECAYS / _USUAL) / _BREADTH) ** 2
    return np.asarray(_DECAYS[np.argmax(prior + each.sum(axis=0) - each, axis=1)])
