"""Worlds of posts whose history is known: who posted what, when, and which earlier post each one repeats.

No pictures: a post is a vector as an ArrangementModel would give it, drawn around the prototypes of its place and of
its pose, so that pairs of different arrangements overlap with pairs of the same one as they do for real models.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doppelgram.errors import DoppelgramError
from doppelgram.evaluation.calibration import fit_calibration
from doppelgram.rolemodels.posts import DAY, PostTable
from doppelgram.rolemodels.scoring import Float32, Float64, Int64
from doppelgram.space.arrangement import ArrangementSpace
from doppelgram.space.joint import JointCalibration

# Probability from which on simulated posts count as one arrangement. Half of the pairs that a calibration is fitted to
# are of one arrangement, of all pairs of a world far fewer; so it lies well above a half.
THRESHOLD = 0.9
START = 1_546_300_800.0  # 2019-01-01, UTC
_SHARES = ("inventions", "missing", "reposts", "clock_errors", "mislabelled", "bare", "undated")


@dataclass(frozen=True)
class WorldSettings:
    """How a simulated world posts and copies.

    Attributes:
        posts: how many posts there are before some go missing.
        places: how many places; their popularity falls as 1 / rank^0.7.
        poses: how many poses; every pose before every place is an arrangement.
        copying: False: every post invents its arrangement anew, at a time drawn from the whole span.
        inventions: share of posts that hit on an arrangement of others independently.
        decay_days: a post is repeated with a chance that falls by 1/e in this time.
        fame: standard deviation of the logarithm of how often posts are repeated.
        span_days: from the first to the last post.
        missing: share of posts that nobody collected.
        reposts: share of repeats that show the very picture of their parent again.
        clock_errors: share of posts whose time is wrong, by up to 60 days either way.
        mislabelled: share of posts whose place label names another place.
        bare: share of posts that show nobody.
        undated: share of posts without a time.
        view_noise: how far a point of view lies from its place, in units of the embeddings' length.
        pose_noise, copy_noise: how far an invented pose lies from its prototype, and a repeat from its parent.
        photo_noise: how far a photograph's embedding lies from what was posed and from where.
    """

    posts: int = 600
    places: int = 8
    poses: int = 5
    copying: bool = True
    inventions: float = 0.08
    decay_days: float = 150.0
    fame: float = 0.9
    span_days: float = 1095.0
    missing: float = 0.1
    reposts: float = 0.05
    clock_errors: float = 0.02
    mislabelled: float = 0.03
    bare: float = 0.0
    undated: float = 0.0
    view_noise: float = 0.45
    pose_noise: float = 0.4
    copy_noise: float = 0.25
    photo_noise: float = 0.3

    def __post_init__(self) -> None:
        for name in _SHARES:
            if not 0 <= getattr(self, name) <= 1:
                raise DoppelgramError(f"simulation: '{name}' is {getattr(self, name)}; it is a share from 0 to 1")
        # Distances get their meaning from pairs of the same and of different places and poses.
        for name, minimum in (("posts", 20), ("places", 2), ("poses", 2)):
            if getattr(self, name) < minimum:
                raise DoppelgramError(f"simulation: '{name}' is {getattr(self, name)}; it must be {minimum} or more")


@dataclass(frozen=True)
class World:
    """A simulated world and its truth; every array has one entry a post.

    Attributes:
        posts: what an observer knows: author, time as the clock had it, place as labelled.
        vectors: float32 (n, space.dim).
        space: how the vectors are made up and what their distances mean.
        arrangement: number of the true arrangement, -1 for bare places.
        parent: position of the post that was repeated, or of its nearest ancestor that was collected; -1 for none.
        time: true time, UTC seconds.
    """

    posts: PostTable
    vectors: Float32
    space: ArrangementSpace
    arrangement: Int64
    parent: Int64
    time: Float64


def simulate(settings: WorldSettings | None = None, *, seed: int = 0, dim: int = 32) -> World:
    """Let people post and repeat each other.

    Args:
        settings: how; the default noise if None.
        seed: the same settings and seed give the same world.
        dim: size of the place and of the pose embedding.
    """
    settings = settings or WorldSettings()
    rng = np.random.default_rng([seed, 5])
    history = _history(settings, rng)
    vectors = _vectors(settings, history, dim, rng)
    space = calibrated_space(vectors, history["place"], history["pose"], dim, seed=seed)
    return _observed(settings, history, vectors, space, rng)


def _history(s: WorldSettings, rng: np.random.Generator) -> dict[str, NDArray[Any]]:
    """What truly happened, posts of one arrangement after another, each in order of time."""
    popularity = rng.permutation(1.0 / (1 + np.arange(s.places)) ** 0.7)
    share = popularity[:, None] * rng.lognormal(0, 0.45, (s.places, s.poses))
    counts = rng.multinomial(s.posts, (share / share.sum()).ravel())
    kind = np.repeat(np.arange(len(counts)), counts)
    days = np.empty(s.posts)
    parent = np.full(s.posts, -1, dtype=np.int64)
    fame = rng.lognormal(0, s.fame, s.posts)
    first = 0
    for count in counts[counts > 0].tolist():
        part = slice(first, first + count)
        if s.copying:
            start = rng.uniform(0, 0.45) * s.span_days
            days[part] = np.sort(start + (s.span_days - start) * np.append(0.0, rng.beta(1.0, 1.7, count - 1)))
            parent[part] = _parents(days[part], fame[part], s, rng, first)
        else:
            days[part] = np.sort(rng.uniform(0, s.span_days, count))
        first += count
    activity = rng.lognormal(0, 0.8, max(3, round(0.7 * s.posts)))
    author = rng.choice(len(activity), s.posts, p=activity / activity.sum())
    return {
        "place": kind // s.poses,
        "pose": kind % s.poses,
        "days": days,
        "parent": parent,
        "author": author,
        "bare": rng.random(s.posts) < s.bare,
    }


def _parents(days: Float64, fame: Float64, s: WorldSettings, rng: np.random.Generator, first: int) -> Int64:
    """Parents within one arrangement: fame times decay with age decides, or nobody."""
    parents = np.full(len(days), -1, dtype=np.int64)
    free, draw = rng.random(len(days)) < s.inventions, rng.random(len(days))
    for k in range(1, len(days)):
        if not free[k]:
            odds = np.cumsum(fame[:k] * np.exp((days[:k] - days[k]) / s.decay_days))
            parents[k] = first + min(int(np.searchsorted(odds, draw[k] * odds[-1])), k - 1)
    return parents


def _vectors(s: WorldSettings, history: dict[str, NDArray[Any]], dim: int, rng: np.random.Generator) -> Float32:
    """Embeddings: a place seen from one of its points of view, a pose after its prototype or after its parent."""

    def noise(rows: int, length: float) -> Float64:
        return np.asarray(rng.normal(size=(rows, dim)) * (length / np.sqrt(dim)))

    n, views = s.posts, 6
    places = 0.7 * _unit(noise(1, 1.0)) + _unit(noise(s.places, 1.0))
    poses = 0.7 * _unit(noise(1, 1.0)) + _unit(noise(s.poses, 1.0))
    places, poses = _unit(places), _unit(poses)
    viewpoints = places[:, None] + noise(s.places * views, s.view_noise).reshape(s.places, views, dim)
    place = viewpoints[history["place"], rng.integers(0, views, n)] + noise(n, s.photo_noise)
    parent = history["parent"]
    pose = poses[history["pose"]] + noise(n, s.pose_noise)
    step = noise(n, s.copy_noise)
    for k in np.flatnonzero(parent >= 0).tolist():  # parents come first
        pose[k] = _unit(pose[parent[k]]) + step[k]
    place, pose = _unit(place), _unit(_unit(pose) + noise(n, s.photo_noise))
    for k in np.flatnonzero((rng.random(n) < s.reposts) & (parent >= 0)).tolist():
        place[k] = _unit(place[parent[k]] + noise(1, 0.03)[0])
        pose[k] = _unit(pose[parent[k]] + noise(1, 0.03)[0])
    pose[history["bare"]] = 0
    return np.concatenate([place, pose], axis=1).astype(np.float32)


def calibrated_space(
    vectors: Float32, place: NDArray[Any], pose: NDArray[Any], dim: int, *, seed: int, pairs: int = 20_000
) -> ArrangementSpace:
    """What distances mean, fitted to pairs of posts, half of which are of the same arrangement.

    ``vectors`` (n, 2 * dim) are places and then poses of one person; ``place`` and ``pose`` (n,) are the true numbers.
    """
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng([seed, 6])
    kind = place * (int(pose.max()) + 1) + pose
    left, right = rng.integers(0, len(kind), pairs), rng.integers(0, len(kind), pairs)

    def mates(labels: NDArray[Any]) -> Int64:
        """For each of ``left`` a random post with the same label."""
        order = np.argsort(labels, kind="stable")
        first = np.searchsorted(labels[order], labels[left])
        return np.asarray(order[first + rng.integers(0, np.bincount(labels)[labels[left]])])

    half = slice(0, pairs // 2)
    right[half] = mates(kind)[half]
    same_place = slice(pairs // 2, 3 * pairs // 4)  # the hard ones: the same place, any pose
    right[same_place] = mates(place)[same_place]
    kept = (left != right) & (np.abs(vectors[left, dim:]).sum(1) > 0) & (np.abs(vectors[right, dim:]).sum(1) > 0)
    left, right = left[kept], right[kept]
    d_place, d_pose = (
        np.linalg.norm(vectors[left, part].astype(np.float64) - vectors[right, part], axis=1)
        for part in (slice(0, dim), slice(dim, None))
    )
    about = "pairs of the simulated world"
    of_place = fit_calibration(d_place, place[left] == place[right], fitted_on=about)
    of_pose = fit_calibration(d_pose, pose[left] == pose[right], fitted_on=about)
    terms = np.column_stack([of_place.log_odds(d_place), of_pose.log_odds(d_pose)])
    fit = LogisticRegression(C=1e3).fit(terms, kind[left] == kind[right])
    weights = np.maximum(fit.coef_[0], 0.0)
    joint = JointCalibration(
        of_place, of_pose, float(weights[0]), float(weights[1]), float(fit.intercept_[0]), -0.5, THRESHOLD
    )
    return ArrangementSpace(dim, dim, 1, joint)


def _observed(
    s: WorldSettings,
    history: dict[str, NDArray[Any]],
    vectors: Float32,
    space: ArrangementSpace,
    rng: np.random.Generator,
) -> World:
    """What an observer gets to see: some posts, in no meaningful order, with wrong clocks and labels."""
    kept = rng.permutation(np.flatnonzero(rng.random(s.posts) >= s.missing))
    if not len(kept):
        kept = np.arange(min(1, s.posts))
    parent = history["parent"].copy()
    present = np.zeros(s.posts, dtype=bool)
    present[kept] = True
    present &= ~history["bare"]
    # Parents come before their children, so that theirs are settled.
    for k in range(s.posts):
        if parent[k] >= 0 and not present[parent[k]]:
            parent[k] = parent[parent[k]]
    position = np.full(s.posts + 1, -1, dtype=np.int64)
    position[kept] = np.arange(len(kept))
    true = START + np.floor(history["days"] * DAY)
    n = len(kept)
    wrong = rng.random(n) < s.clock_errors
    shown = true[kept] + np.where(wrong, np.floor(rng.uniform(-60, 60, n) * DAY), 0.0)
    shown[rng.random(n) < s.undated] = np.nan
    place = history["place"][kept]
    other = (place + rng.integers(1, max(2, s.places), n)) % s.places
    labels = np.where(rng.random(n) < s.mislabelled, other, place)
    bare = history["bare"][kept]
    kind = np.where(bare, -1, history["place"][kept] * s.poses + history["pose"][kept])
    posts = PostTable(
        path=np.array([f"place{history['place'][k]:03d}/{k:06d}.jpg" for k in kept], dtype=object),
        author=np.array([f"user{k:06d}" for k in history["author"][kept]], dtype=object),
        timestamp=shown,
        place=np.array([f"place{k:03d}" for k in labels], dtype=object),
    )
    above = np.where(bare, -1, position[parent[kept]])
    return World(posts, vectors[kept], space, kind, above, true[kept])


def without_copying(settings: WorldSettings | None = None) -> WorldSettings:
    """The same world if nobody looked at anybody's posts."""
    return replace(settings or WorldSettings(), copying=False)


def _unit(rows: Float64) -> Float64:
    return np.asarray(rows / np.linalg.norm(rows, axis=-1, keepdims=True))
